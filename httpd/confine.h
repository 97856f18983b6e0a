/* SPDX-License-Identifier: MIT */
/* What httpd is left once it serves: its sockets, and what it was told to use. */
#ifndef JOPIL_HTTPD_CONFINE_H
#define JOPIL_HTTPD_CONFINE_H

#include "common/sandbox.h"

/*
 * Descriptors of directories, -1 = none. Beneath web_fd files may be read; in socket_fd a
 * name may be removed: the Unix socket's. As sandbox_enter_main().
 */
int confine(int web_fd, int socket_fd, bool verbose, struct sandbox_state *ret_state);

#endif
