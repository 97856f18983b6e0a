/* SPDX-License-Identifier: MIT */
/* Lines on their way out: whole lines a write, reported once written. */
#include "reader/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/notify.h"
#include "common/output.h"
#include "reader/halt.h"
#include "reader/walltime.h"

void sink_init(struct sink *sink, int fd)
{
	struct stat st;
	int size;

	sink->fd = fd;
	sink->error = 0;
	sink->used = 0;
	sink->lines = 0;
	sink->data_left = UINT64_MAX;
	sink->n_parts = 0;
	sink->limit = SINK_BYTES;
	sink->is_pipe = !fstat(fd, &st) && S_ISFIFO(st.st_mode);
	sink->outlives_us = output_outlives_us(fd);
	if (!sink->is_pipe)
		return;
	fcntl(fd, F_SETPIPE_SZ, SINK_PIPE_BYTES);	/* in vain where the user's quota is used up */
	size = fcntl(fd, F_GETPIPE_SZ);
	sink->pipe_bytes = size > 0 ? (size_t)size : PIPE_BUF;
	if (sink->pipe_bytes / 4 < sink->limit)
		sink->limit = sink->pipe_bytes / 4;
}

/*
 * Waits until stdout takes something. 0; -ETIMEDOUT when the end is asked for and it
 * does not. *ret_sure: it is a pipe that will take PIPE_BUF bytes without waiting.
 */
static int wait_writable(const struct sink *sink, bool *ret_sure)
{
	struct pollfd out = { .fd = sink->fd, .events = POLLOUT };
	int n;

	do {
		notify_alive();
		n = poll(&out, 1, notify_wait_ms());
	} while (!n || (n < 0 && errno == EINTR && !halt_is_stuck()));
	*ret_sure = sink->is_pipe && n == 1 && out.revents == POLLOUT;
	return n < 0 && errno == EINTR ? -ETIMEDOUT : 0;
}

/* write(2), also where stdout does not block: bytes written, 0 to try again, -errno. */
static ssize_t write_some(const struct sink *sink, const char *p, size_t length)
{
	ssize_t n = write(sink->fd, p, length);

	if (n >= 0)
		return n;
	if (errno == EINTR)
		return halt_is_stuck() ? -ETIMEDOUT : 0;
	return errno == EAGAIN ? 0 : -errno;
}

/*
 * The kernel counts slots of a page, of which the bytes tell at least half: two
 * neighbours that fitted one would have been merged. Three more for the partly
 * read first, the partly filled last and rounding.
 */
static bool has_room(const struct sink *sink, size_t length)
{
	int filled;

	if (ioctl(sink->fd, FIONREAD, &filled) || filled < 0)
		return false;
	return 2 * (size_t)filled + length + 3 * PIPE_BUF <= sink->pipe_bytes;
}

/*
 * How much to write at once: all, or what the kernel takes whole or not at all. Lines
 * are at most PIPE_BUF long, so there is an end.
 */
static size_t next_piece(const struct sink *sink, size_t from)
{
	size_t left = sink->used - from;
	const char *start = sink->buffer + from, *newline;

	if (left <= PIPE_BUF || !sink->is_pipe || has_room(sink, left))
		return left;
	newline = memrchr(start, '\n', PIPE_BUF);
	return newline ? (size_t)(newline + 1 - start) : left;
}

/* The lines from p, where one begins, up to end. */
static unsigned int count_lines(const struct sink *sink, const char *p, const char *end)
{
	unsigned int lines = 0;

	if (end == sink->buffer + sink->used) {		/* all that are left: known already */
		for (unsigned int i = 0; i < sink->n_parts; i++)
			lines += sink->parts[i].lines;
		return lines;
	}
	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		lines++;
		p++;
	}
	return lines;
}

/* Tells those sources that want to know before of the next so many lines. */
static void announce(struct sink *sink, unsigned int lines)
{
	for (unsigned int i = 0; i < sink->n_parts && lines; i++) {
		struct sink_part *part = &sink->parts[i];
		unsigned int n = lines < part->lines ? lines : part->lines;

		lines -= n;
		if (!part->source || !part->source->is_instant || n <= part->told)
			continue;
		part->source->written(part->source, n - part->told);
		part->told = n;
	}
}

/* Tells the sources, first come first, of so many lines that are written. */
static void report(struct sink *sink, unsigned int lines)
{
	unsigned int done = 0;

	sink->lines += lines;
	while (done < sink->n_parts && lines) {
		struct sink_part *part = &sink->parts[done];
		unsigned int n = lines < part->lines ? lines : part->lines;
		unsigned int told = n < part->told ? n : part->told;

		part->lines -= n;
		part->told -= told;
		lines -= n;
		if (part->source && n > told)
			part->source->written(part->source, n - told);
		if (!part->lines)
			done++;
	}
	sink->n_parts -= done;
	memmove(sink->parts, sink->parts + done, sink->n_parts * sizeof(sink->parts[0]));
}

/* From the byte *done on, whose line began at *told. 0 or -errno. */
static int write_piece(struct sink *sink, size_t *told, size_t *done)
{
	const char *start = sink->buffer + *told, *newline;
	size_t piece;
	ssize_t n;
	bool sure;
	int err;

	halt_note_progress();
	err = wait_writable(sink, &sure);
	if (err)
		return err;
	piece = next_piece(sink, *done);
	if (sure && *done == *told)
		announce(sink, count_lines(sink, start, start + piece));
	n = write_some(sink, sink->buffer + *done, piece);
	if (n < 0)
		return (int)n;
	*done += (size_t)n;
	newline = memrchr(start, '\n', *done - *told);
	if (newline) {
		report(sink, count_lines(sink, start, newline + 1));
		*told = (size_t)(newline + 1 - sink->buffer);
	}
	return 0;
}

int sink_flush(struct sink *sink)
{
	size_t told = 0, done = 0;

	while (done < sink->used && !sink->error)
		sink->error = write_piece(sink, &told, &done);
	if (!sink->error)
		sink->used = 0;
	return sink->error;
}

int sink_add(struct sink *sink, const char *end, unsigned int lines, struct line_source *source)
{
	struct sink_part *last = sink->n_parts ? &sink->parts[sink->n_parts - 1] : NULL;

	if (!lines || sink->error)
		return sink->error;
	if (!sink->used)
		sink->oldest_ns = walltime_monotonic_ns();
	sink->used = (size_t)(end - sink->buffer);
	if (last && last->source == source)
		last->lines += lines;
	else
		sink->parts[sink->n_parts++] = (struct sink_part){ source, lines, 0 };
	if (sink_is_full(sink) || sink->n_parts == SINK_PARTS)
		return sink_flush(sink);
	return 0;
}
