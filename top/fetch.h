/* SPDX-License-Identifier: MIT */
/* A process that asks an httpd for its stream, and writes lines into a pipe. */
#ifndef JOPIL_TOP_FETCH_H
#define JOPIL_TOP_FETCH_H

#include <sys/types.h>

#define FETCH_TOKEN_MAX 4096	/* bytes of a token's file that are read */

struct fetch {
	const char *url;	/* http://host:port */
	const char *token;	/* NULL: none */
	const char *ca_file;	/* certificates that are trusted; NULL: the system's */
};

/*
 * Starts it, before there are signals blocked or a terminal open. What it has to say of
 * itself are lines {"type":"connect","why":...}; it comes back to a server that is gone,
 * and ends with us. The end of the pipe in *ret_fd. 0 or -errno.
 */
int fetch_start(const struct fetch *fetch, int *ret_fd);

#endif
