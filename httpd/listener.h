/* SPDX-License-Identifier: MIT */
/* The socket that httpd listens on. */
#ifndef JOPIL_HTTPD_LISTENER_H
#define JOPIL_HTTPD_LISTENER_H

#include <sys/socket.h>

#define LISTENER_TEXT 80	/* "[address]:port" */

/*
 * "127.0.0.1:5000", "[::1]:5000", ":5000" and "5000" (loopback), port 0 = any
 * free one; names are not looked up. 0 or -EINVAL.
 */
int listener_parse(const char *text, struct sockaddr_storage *ret_address);

/*
 * A listening socket, non-blocking; *address then has the port it got. 0 or
 * more: the socket; else -errno (-EADDRINUSE: the port is taken).
 */
int listener_open(struct sockaddr_storage *address);

/* The port of a TCP address; 0 for others. */
unsigned int listener_port(const struct sockaddr_storage *address);

/* The address as listener_parse() takes it. */
void listener_format(const struct sockaddr *address, char text[LISTENER_TEXT]);

#endif
