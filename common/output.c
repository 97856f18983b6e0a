/* SPDX-License-Identifier: MIT */
/* Stdout: written so that a consumer that takes nothing cannot keep us from ending. */
#include "common/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/stop.h"

/*
 * Waits until PIPE_BUF bytes can be written without blocking (pipe(7)). 1, 0 to look again,
 * -EAGAIN after patience_ms (-1: for ever), or -errno.
 */
static int wait_for_room(int fd, int patience_ms)
{
	bool stopping = stop_is_wanted();
	struct pollfd out = { .fd = fd, .events = POLLOUT };
	int ready = stop_poll(&out, 1, stopping ? STOP_GRACE_MS : patience_ms);

	/* The signal that begins the grace comes out as -EINTR, and so does the second. */
	if (ready == -EINTR)
		return stop_is_overdue() ? -ETIMEDOUT : 0;
	if (ready > 0 && !(out.revents & POLLOUT) && out.revents & POLLERR)
		return -EPIPE;
	if (!ready)
		return stopping ? -ETIMEDOUT : -EAGAIN;
	return ready < 0 ? ready : 1;
}

bool output_outlives_us(int fd)
{
	struct statfs system;
	struct stat status;

	/* A pipe between processes has no name, and lives on a file system of its own. */
	return !fstat(fd, &status) && S_ISFIFO(status.st_mode) && !fstatfs(fd, &system) &&
	       system.f_type != PIPEFS_MAGIC;
}

/*
 * What surely goes without blocking once there is room, as signals do not get through
 * write(). The kernel counts a pipe in slots of a page, of which the bytes tell at least
 * half: two neighbours that fitted one would have been merged. Three more for the partly
 * read first, the partly filled last and rounding.
 */
static size_t room_of(int fd)
{
	struct stat status;
	int size = fcntl(fd, F_GETPIPE_SZ), filled;

	if (size < 0)
		return !fstat(fd, &status) && S_ISREG(status.st_mode) ? SIZE_MAX : PIPE_BUF;
	if (ioctl(fd, FIONREAD, &filled) || filled < 0 || 2l * filled + 4l * PIPE_BUF > size)
		return PIPE_BUF;
	return (size_t)(size - 2 * filled - 3 * PIPE_BUF);
}

/* Where there is room. Bytes written, 0 to try again, or -errno. */
static ssize_t write_piece(int fd, const char *bytes, size_t length)
{
	size_t room = room_of(fd);
	ssize_t n = write(fd, bytes, length < room ? length : room);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	return n;
}

ssize_t output_some(int fd, const char *bytes, size_t length)
{
	struct pollfd out = { .fd = fd, .events = POLLOUT };
	int ready = stop_poll(&out, 1, 0);

	if (ready < 0)
		return ready == -EINTR ? 0 : ready;
	if (ready && !(out.revents & POLLOUT) && out.revents & POLLERR)
		return -EPIPE;
	return ready ? write_piece(fd, bytes, length) : 0;
}

ssize_t output_write_within(int fd, const char *bytes, size_t length, int patience_ms)
{
	size_t done = 0;

	while (done < length) {
		int ready = wait_for_room(fd, patience_ms);
		ssize_t n;

		if (ready == -EAGAIN)
			break;
		if (ready < 0)
			return ready;
		n = ready ? write_piece(fd, bytes + done, length - done) : 0;
		if (n < 0)
			return n;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int output_write(int fd, const char *bytes, size_t length)
{
	ssize_t n = output_write_within(fd, bytes, length, -1);

	return n < 0 ? (int)n : 0;
}
