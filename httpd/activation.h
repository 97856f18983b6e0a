/* SPDX-License-Identifier: MIT */
/* A listening socket that whoever started us has opened (systemd, sd_listen_fds(3)). */
#ifndef JOPIL_HTTPD_ACTIVATION_H
#define JOPIL_HTTPD_ACTIVATION_H

#include <sys/socket.h>

/*
 * Takes the one stream socket that was handed in, and the words for it out of the
 * environment. 1 with the socket, non-blocking, and its address; 0: none was, or not to
 * us; -E2BIG: more than one; -EPROTOTYPE: not a listening TCP or Unix stream socket; or
 * another -errno.
 */
int activation_take(int *ret_fd, struct sockaddr_storage *ret_address);

#endif
