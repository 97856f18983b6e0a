/* SPDX-License-Identifier: MIT */
/* What the recorder's two threads are left. */
#include "recorder/confine.h"

#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common/sandbox_main.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define DESCRIPTORS 64
#define FS_TRUNCATE (1ULL << 14)	/* LANDLOCK_ACCESS_FS_TRUNCATE, newer than some headers */

static const int passing[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(ppoll), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(newfstatat),
};

int confine_passing(bool verbose)
{
	static const struct sandbox sandbox = {
		.program = "recorder",
		.without = "--no-sandbox",
		.calls = { { passing, COUNT(passing) } },
		/* The room in a pipe. */
		.exact = { SANDBOX_ONLY(fcntl, 1, F_GETPIPE_SZ), SANDBOX_ONLY(ioctl, 1, FIONREAD) },
		.n_exact = 2,
		.descriptors = DESCRIPTORS,
	};

	return sandbox_enter_main(&sandbox, verbose, NULL);
}

/* SQLite in WAL mode, and the end of the thread. */
static const int writing[] = {
	SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(openat), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(lseek), SCMP_SYS(ftruncate), SCMP_SYS(fcntl),
	SCMP_SYS(fdatasync), SCMP_SYS(unlink), SCMP_SYS(access), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(exit),
};

/*
 * Files that libraries read when they are used first: /dev/urandom, /etc/localtime. SQLite needs a
 * random number when its log begins anew, which a crash puts off until we are confined.
 */
static void use_first(void)
{
	time_t now = time(NULL);
	struct tm day;
	char any;

	json_object_seed(0);
	sqlite3_randomness(sizeof(any), &any);
	localtime_r(&now, &day);
}

int confine_writing(const char *database, bool verbose)
{
	char path[PATH_MAX];
	struct sandbox sandbox = {
		.program = "recorder",
		.without = "--no-sandbox",
		.calls = { { writing, COUNT(writing) } },
		.descriptors = DESCRIPTORS,
		.n_paths = 1,
	};
	int status;

	use_first();
	snprintf(path, sizeof(path), "%s", database);
	sandbox.paths[0].fd = open(dirname(path), O_PATH | O_DIRECTORY | O_CLOEXEC);
	sandbox.paths[0].rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				  LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
				  LANDLOCK_ACCESS_FS_REMOVE_FILE | FS_TRUNCATE;
	status = sandbox_enter_main(&sandbox, verbose, NULL);
	if (sandbox.paths[0].fd >= 0)
		close(sandbox.paths[0].fd);
	return status;
}
