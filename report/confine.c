/* SPDX-License-Identifier: MIT */
/* What report is left once it knows what is asked. */
#include "report/confine.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/sandbox_main.h"
#include "common/when.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define DESCRIPTORS 64

/* SQLite, reading what somebody else writes; and stdout. */
static const int reading[] = {
	SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(access), SCMP_SYS(fcntl), SCMP_SYS(getpid), SCMP_SYS(geteuid),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(write), SCMP_SYS(poll),
	/* The file by which readers and writers agree, where it has to be made anew. */
	SCMP_SYS(pwrite64), SCMP_SYS(ftruncate),
};

/* As root SQLite gives that file to the owner of the database. It does not look whether it could. */
static const int absent[] = { SCMP_SYS(fchown) };

static bool has(const char *database, const char *suffix)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s%s", database, suffix);
	return !access(path, F_OK);
}

/* Somebody was killed while writing, or only these files were copied: "-shm" has to be made. */
static uint64_t rights_to(const char *database)
{
	uint64_t rights = LANDLOCK_ACCESS_FS_READ_FILE;

	if (has(database, "-wal") && !has(database, "-shm"))
		rights |= LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG;
	return rights;
}

int confine(const char *database, bool verbose)
{
	char directory[PATH_MAX];
	struct sandbox sandbox = {
		.program = "report",
		.without = "--no-sandbox",
		.calls = { { reading, COUNT(reading) } },
		.absent = { absent, COUNT(absent) },
		/* stdio asks whether it writes to a terminal, tables how wide that is. */
		.exact = { SANDBOX_ONLY(ioctl, 1, TCGETS), SANDBOX_ONLY(ioctl, 1, TIOCGWINSZ) },
		.n_exact = 2,
		.n_paths = 1,
		.descriptors = DESCRIPTORS,
	};
	int status;

	when_read_zone();
	snprintf(directory, sizeof(directory), "%s", database);
	sandbox.paths[0].fd = open(dirname(directory), O_PATH | O_DIRECTORY | O_CLOEXEC);
	sandbox.paths[0].rights = rights_to(database);
	status = sandbox_enter_main(&sandbox, verbose, NULL);
	if (sandbox.paths[0].fd >= 0)
		close(sandbox.paths[0].fd);
	return status;
}
