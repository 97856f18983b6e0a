/* SPDX-License-Identifier: MIT */
/* What httpd is left once it serves. */
#include "httpd/confine.h"

#include <linux/landlock.h>
#include <seccomp.h>

#include "common/sandbox_main.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* What serving needs, with TLS too. */
static const int serving[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(fcntl),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(accept4),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(shutdown), SCMP_SYS(setsockopt),
};

/* The page from a directory: openat2() beneath it, and sending what it found. */
static const int serving_files[] = {
	SCMP_SYS(openat2), SCMP_SYS(newfstatat), SCMP_SYS(fstat), SCMP_SYS(lseek),
	SCMP_SYS(pread64), SCMP_SYS(sendfile),
};

int confine(int web_fd, int socket_fd, bool verbose, struct sandbox_state *ret_state)
{
	const struct sandbox sandbox = {
		.program = "httpd",
		.without = "--no-sandbox",
		.calls = {
			{ serving, COUNT(serving) },
			{ serving_files, web_fd >= 0 ? COUNT(serving_files) : 0 },
		},
		/* In one directory. */
		.exact = { { SCMP_SYS(unlinkat), { 0, UINT64_MAX, (uint64_t)socket_fd }, { 0, 0, 0 } } },
		.n_exact = socket_fd >= 0,
		.paths = {
			{ web_fd, LANDLOCK_ACCESS_FS_READ_FILE },
			{ socket_fd, LANDLOCK_ACCESS_FS_REMOVE_FILE },
		},
		.n_paths = 2,
	};

	return sandbox_enter_main(&sandbox, verbose, ret_state);
}
