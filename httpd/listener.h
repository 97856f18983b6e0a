/* SPDX-License-Identifier: MIT */
/* The socket that httpd listens on. */
#ifndef JOPIL_HTTPD_LISTENER_H
#define JOPIL_HTTPD_LISTENER_H

#include <sys/socket.h>

#define LISTENER_TEXT 128	/* "[address]:port", "unix:/path" */

/*
 * "127.0.0.1:5000", "[::1]:5000", ":5000" and "5000" (loopback), port 0 = any
 * free one; names are not looked up. "unix:/path" or "/path": a Unix socket. 0 or -EINVAL.
 */
int listener_parse(const char *text, struct sockaddr_storage *ret_address);

/*
 * A listening socket, non-blocking; *address then has the port it got. 0 or
 * more: the socket; else -errno (-EADDRINUSE: the port is taken). A Unix socket may be
 * used by its owner and group; one that is left over, where nobody listens, makes room.
 */
int listener_open(struct sockaddr_storage *address);

/* The port of a TCP address; 0 for others. */
unsigned int listener_port(const struct sockaddr_storage *address);

/*
 * Of a Unix socket: its directory, to be kept, and its name in there. 0 or more: the
 * descriptor; -EINVAL for others; or another -errno.
 */
int listener_directory(const struct sockaddr_storage *address, const char **ret_name);

/* The address as listener_parse() takes it. */
void listener_format(const struct sockaddr *address, char text[LISTENER_TEXT]);

#endif
