/* SPDX-License-Identifier: MIT */
/* Lines from a descriptor, in large reads. */
#include "common/line_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/line_read.h"
#include "common/output.h"
#include "common/stop.h"

#define BUFFER_BYTES (1u << 20)	/* of reads: 64 KiB ones cost a third more a line */
#define PIPE_BYTES (1 << 20)	/* what everyone is allowed (pipe(7)) */

int input_init(struct input *in, int fd)
{
	memset(in, 0, sizeof(*in));
	in->fd = fd;
	in->buffer = calloc(1, BUFFER_BYTES + LINE_READ_PADDING);
	if (!in->buffer)
		return -ENOMEM;
	fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);	/* fails on anything but a pipe: no matter */
	return 0;
}

void input_free(struct input *in)
{
	free(in->buffer);
	in->buffer = NULL;
}

void input_first_host(int fd, char *ret_host, size_t size)
{
	memset(ret_host, 0, size);
	if (output_outlives_us(fd))
		gethostname(ret_host, size - 1);
}

int input_read(struct input *in)
{
	ssize_t got;

	if (in->begin) {
		memmove(in->buffer, in->buffer + in->begin, in->end - in->begin);
		in->end -= in->begin;
		in->begin = 0;
	}
	got = read(in->fd, in->buffer + in->end, BUFFER_BYTES - in->end);
	if (got < 0)
		return -errno;
	in->at_end = got == 0;
	in->end += (size_t)got;
	return 0;
}

int input_read_rest(struct input *in)
{
	struct pollfd more = { .fd = in->fd, .events = POLLIN };

	while (in->end > in->begin && in->end < BUFFER_BYTES && in->buffer[in->end - 1] != '\n') {
		int ready = stop_poll(&more, 1, INPUT_REST_MS);
		ssize_t got = ready > 0 ? read(in->fd, in->buffer + in->end, 1) : ready;

		if (got < 0 && errno == EAGAIN)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : 0;
		in->end++;
	}
	return 0;
}

/* The rest of the buffer is the beginning, or the middle, of a line without an end yet. */
static enum input_line unfinished(struct input *in, const char **ret_line, size_t *ret_length)
{
	size_t length = in->end - in->begin;
	const char *line = in->buffer + in->begin;

	if (length > INPUT_LINE_MAX || in->skipping) {
		bool first = !in->skipping;

		in->begin = in->end;
		in->skipping = !in->at_end;
		*ret_line = line;
		*ret_length = length;
		return first ? INPUT_TOO_LONG : INPUT_NONE;
	}
	if (!in->at_end || !length)
		return INPUT_NONE;
	in->buffer[in->end] = '\n';	/* the padding has room */
	in->begin = in->end;
	*ret_line = line;
	*ret_length = length;
	return INPUT_LINE;
}

enum input_line input_next(struct input *in, const char **ret_line, size_t *ret_length)
{
	for (;;) {
		const char *line = in->buffer + in->begin;
		const char *end = memchr(line, '\n', in->end - in->begin);
		bool skip = in->skipping;

		if (!end)
			return unfinished(in, ret_line, ret_length);
		*ret_line = line;
		*ret_length = (size_t)(end - line);
		in->begin += *ret_length + 1;
		in->skipping = false;
		if (skip)
			continue;	/* the tail of a line already counted */
		return *ret_length > INPUT_LINE_MAX ? INPUT_TOO_LONG : INPUT_LINE;
	}
}
