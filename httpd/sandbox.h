/* SPDX-License-Identifier: MIT */
/* After the start: no new file, socket or program, by seccomp and Landlock where the kernel has them. */
#ifndef JOPIL_HTTPD_SANDBOX_H
#define JOPIL_HTTPD_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* What is left open: descriptors of directories, -1 = none. */
struct sandbox {
	int web_fd;	/* files beneath may be read (O_PATH is enough) */
	int socket_fd;	/* a name in there may be removed: the Unix socket's */
};

/* What is in force. */
struct sandbox_state {
	bool seccomp;
	int landlock;	/* its ABI; 0 = not there */
	size_t calls;	/* system calls that are left */
};

/*
 * For good, for this process and all it could start. What the kernel lacks is left out, and
 * said in the state. A system call that is not left ends the process, with one line on
 * stderr and status 1: it comes from a bug or from an attacker, who cannot make
 * httpd go on without noticing. 0, or -errno with the step that failed.
 *
 * Programs built with AddressSanitizer are left more: what its reports need, among
 * that reading any file. They are for tests.
 */
int sandbox_enter(const struct sandbox *sandbox, struct sandbox_state *ret_state,
		  const char **ret_step);

#endif
