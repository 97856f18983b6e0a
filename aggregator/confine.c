/* SPDX-License-Identifier: MIT */
/* What the aggregator is left once it runs. */
#include "aggregator/confine.h"

#include <fcntl.h>
#include <jansson.h>
#include <seccomp.h>
#include <sys/ioctl.h>

#include "common/sandbox_main.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* stdin, stdout and the timer; signals are let through while it waits. */
static const int passing[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(ppoll), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(newfstatat),
};

int confine(bool verbose)
{
	static const struct sandbox sandbox = {
		.program = "aggregator",
		.without = "--no-sandbox",
		.calls = { { passing, COUNT(passing) } },
		/* The room in a pipe. */
		.exact = { SANDBOX_ONLY(fcntl, 1, F_GETPIPE_SZ), SANDBOX_ONLY(ioctl, 1, FIONREAD) },
		.n_exact = 2,
		.descriptors = 16,
	};

	json_object_seed(0);	/* it reads /dev/urandom when it is used first */
	return sandbox_enter_main(&sandbox, verbose, NULL);
}
