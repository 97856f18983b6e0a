/* SPDX-License-Identifier: MIT */
/* Stdout, whose reader must not keep us from recording. */
#include "recorder/outlet.h"

#include <string.h>

#include "common/log.h"
#include "common/output.h"

void outlet_init(struct outlet *outlet, int fd)
{
	*outlet = (struct outlet){ .fd = fd, .may_wait_for_ever = !output_outlives_us(fd) };
}

static void leave_out(struct outlet *outlet, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		outlet->left_out += bytes[i] == '\n';
}

/* What is left of the line that we are within belongs to what was left out. */
static size_t rest_of_line(const struct outlet *outlet, const char *bytes, size_t length)
{
	const char *end;

	if (!outlet->is_within)
		return 0;
	end = memchr(bytes, '\n', length);
	return end ? (size_t)(end + 1 - bytes) : length;
}

/* Whether its reader takes something again: an empty line, which ends one cut off. 1, 0 or -errno. */
static int is_back(struct outlet *outlet)
{
	ssize_t n = output_some(outlet->fd, "\n", 1);

	if (n <= 0)
		return (int)n;
	outlet->is_away = false;
	log_info("lines are taken again; %llu were left out so far",
		 (unsigned long long)outlet->left_out);
	return 1;
}

static void go_away(struct outlet *outlet)
{
	outlet->is_away = true;
	log_warning("nobody takes the lines: they are left out until somebody does, and recorded "
		    "all the same");
}

/* How much of it need not be written any more, or -errno. */
static ssize_t write_lines(struct outlet *outlet, const char *bytes, size_t length)
{
	int patience_ms = outlet->may_wait_for_ever ? -1 : OUTLET_PATIENCE_MS;
	ssize_t n = output_write_within(outlet->fd, bytes, length, patience_ms);

	if (n >= 0 && (size_t)n < length)
		go_away(outlet);
	return n;
}

int outlet_write(struct outlet *outlet, const char *bytes, size_t length)
{
	size_t done = 0;
	int back = 1;

	if (!length)
		return 0;
	if (outlet->is_away) {
		done = rest_of_line(outlet, bytes, length);
		back = done < length ? is_back(outlet) : 0;
		leave_out(outlet, bytes, done);
	}
	if (back > 0) {
		ssize_t n = write_lines(outlet, bytes + done, length - done);

		back = n < 0 ? (int)n : 0;
		done += n < 0 ? 0 : (size_t)n;
	}
	leave_out(outlet, bytes + done, length - done);
	outlet->is_within = bytes[length - 1] != '\n';
	return back;
}
