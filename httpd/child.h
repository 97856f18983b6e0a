/* SPDX-License-Identifier: MIT */
/* Processes that do for httpd what it gives up: made at its start, ending with it. */
#ifndef JOPIL_HTTPD_CHILD_H
#define JOPIL_HTTPD_CHILD_H

#define CHILD_FD 3	/* its socket, after 0, 1 and 2 */

struct child {
	const char *name;	/* of the process, at most 15 bytes */
	const char *user;	/* that it becomes; NULL: stays who it is */
	const void *closure;
	/* Before the first process forks the one that works; 0 or -errno. */
	int (*confine)(const void *closure);
	/* Answers on CHILD_FD until nobody asks any more: 0. Anything else: it is started again. */
	int (*work)(const void *closure);
};

/*
 * Forks it, to be called while there is nothing in memory that it should not have (tokens,
 * keys), and nothing from outside was read. It gives up all descriptors but stderr and
 * a SOCK_SEQPACKET socket, whose other end is *ret_fd, becomes the user, is confined,
 * and forks the process that works, again whenever that crashes. Both end with httpd, or
 * when *ret_fd is closed. 0 or -errno.
 */
int child_start(const struct child *child, int *ret_fd);

#endif
