/* SPDX-License-Identifier: MIT */
/* Stdout: written so that a consumer that takes nothing cannot keep us from ending. */
#include "common/output.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/stop.h"

/* Waits until PIPE_BUF bytes can be written without blocking (pipe(7)). 0 or -errno. */
static int wait_for_room(int fd)
{
	struct pollfd out = { .fd = fd, .events = POLLOUT };
	int ready = stop_poll(&out, 1, stop_is_wanted() ? STOP_GRACE_MS : -1);

	/* The signal that begins the grace comes out as -EINTR, and so does the second. */
	if (ready == -EINTR)
		return stop_is_overdue() ? -ETIMEDOUT : 0;
	if (ready > 0 && !(out.revents & POLLOUT) && out.revents & POLLERR)
		return -EPIPE;
	return ready ? (ready < 0 ? ready : 1) : -ETIMEDOUT;
}

bool output_outlives_us(int fd)
{
	struct statfs system;
	struct stat status;

	/* A pipe between processes has no name, and lives on a file system of its own. */
	return !fstat(fd, &status) && S_ISFIFO(status.st_mode) && !fstatfs(fd, &system) &&
	       system.f_type != PIPEFS_MAGIC;
}

int output_write(int fd, const char *bytes, size_t length)
{
	struct stat status;
	/* In larger pieces, write() would block where signals do not get through. */
	size_t most = fstat(fd, &status) || S_ISREG(status.st_mode) ? length : PIPE_BUF;

	while (length) {
		int ready = wait_for_room(fd);
		ssize_t n;

		if (ready < 0)
			return ready;
		if (!ready)
			continue;
		n = write(fd, bytes, length < most ? length : most);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
	return 0;
}
