/* SPDX-License-Identifier: MIT */
/*
 * After the start: only the system calls, files and ports that a program still needs, by
 * seccomp and Landlock where the kernel has them. Programs that use it link libseccomp.
 */
#ifndef JOPIL_SANDBOX_H
#define JOPIL_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* System calls, as SCMP_SYS(name) of <seccomp.h>. */
struct sandbox_calls {
	const int *call;
	size_t count;
};

/* What an argument (0 to 5) must be, in the bits of mask; mask 0: anything. */
struct sandbox_argument {
	unsigned int number;
	uint64_t mask, value;
};

/* A system call of which one argument must have a value, or two. */
struct sandbox_exact {
	int call;
	struct sandbox_argument argument, also;
};

/* The same, of an argument that is an int: a command. Where it is used, <seccomp.h> is included. */
#define SANDBOX_ONLY(call_, argument_, value_) \
	{ SCMP_SYS(call_), { argument_, UINT32_MAX, value_ }, { 0, 0, 0 } }

/* What may be done beneath a directory, or with a file. */
struct sandbox_path {
	int fd;			/* O_PATH is enough; negative: there is none */
	uint64_t rights;	/* LANDLOCK_ACCESS_FS_..., as far as the kernel knows them */
};

/* What is left. Memory, time, chance, and ending are always: sandbox.c has the list. */
struct sandbox {
	const char *program;	/* in front of what is said when a call is stopped */
	const char *without;	/* how to go without, behind it: "--no-sandbox"; NULL: there is no way */
	struct sandbox_calls calls[3];
	struct sandbox_calls absent;	/* answered with ENOSYS: callers have another way */
	struct sandbox_exact exact[16];	/* those of a call in a row */
	size_t n_exact;
	struct sandbox_path paths[3];
	size_t n_paths;
	uint16_t connect_port;	/* of TCP, to connect to; 0: none */
	unsigned int descriptors;	/* RLIMIT_NOFILE; 0: as it is */
	uint64_t capabilities;	/* 1 << CAP_...: left if they were there; 0: none */
};

/* What is in force. */
struct sandbox_state {
	bool seccomp;
	int landlock;	/* its ABI; 0 = not there */
	size_t calls;	/* system calls that are left */
};

/*
 * For good, for this thread and all it starts: no capability but those named is left, and no set-uid program
 * gains anything any more. What the kernel lacks is left out, and said in the state. A system
 * call that is not left ends the process, with one line on stderr and status 1: it comes from
 * a bug or from an attacker, who cannot make the program go on without noticing. program and
 * without must stay. 0, or -errno with the step that failed.
 *
 * Programs built with AddressSanitizer are left more: what its reports need, among
 * that reading any file. They are for tests.
 */
int sandbox_enter(const struct sandbox *sandbox, struct sandbox_state *ret_state,
		  const char **ret_step);

#endif
