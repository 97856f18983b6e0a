/* SPDX-License-Identifier: MIT */
/* Bytes in, whole lines out, with a limit on the length of a line. */
#include "httpd/intake.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN (64 * 1024)

void intake_init(struct intake *intake, size_t line_limit)
{
	*intake = (struct intake){ .limit = line_limit };
}

void intake_free(struct intake *intake)
{
	free(intake->data);
	*intake = (struct intake){ 0 };
}

/* Moves what is left to the front, so that room is made by reading, not only by growing. */
static void move_to_front(struct intake *intake)
{
	if (!intake->start)
		return;
	memmove(intake->data, intake->data + intake->start, intake->end - intake->start);
	intake->end -= intake->start;
	intake->scanned -= intake->start;
	intake->start = 0;
}

char *intake_space(struct intake *intake, size_t *ret_size)
{
	size_t room = intake->room ? intake->room * 2 : ROOM_MIN;
	char *data;

	move_to_front(intake);
	/* Grow when over half full: few large reads, and the newline has its place. */
	if (!intake->room || intake->end > intake->room / 2) {
		data = realloc(intake->data, room);
		if (!data)
			return NULL;
		intake->data = data;
		intake->room = room;
	}
	*ret_size = intake->room - intake->end;
	return intake->data + intake->end;
}

void intake_filled(struct intake *intake, size_t size)
{
	intake->end += size;
}

/* The line so far is too long: forget it, and what follows up to the newline. */
static void skip(struct intake *intake)
{
	if (!intake->skipping)
		intake->too_long++;
	intake->skipping = true;
	intake->start = intake->scanned = intake->end;
}

static bool take(struct intake *intake, size_t stop, size_t next, struct slice *ret_line)
{
	size_t length = stop - intake->start;
	const char *data = intake->data + intake->start;
	bool skipped = intake->skipping;

	intake->start = intake->scanned = next;
	intake->skipping = false;
	if (skipped)
		return false;
	if (length > intake->limit) {
		intake->too_long++;
		return false;
	}
	if (length && data[length - 1] == '\r')
		length--;
	*ret_line = (struct slice){ data, length };
	return true;
}

bool intake_line(struct intake *intake, bool at_end, struct slice *ret_line)
{
	while (intake->scanned < intake->end) {
		char *newline = memchr(intake->data + intake->scanned, '\n',
				       intake->end - intake->scanned);
		size_t stop;

		if (!newline) {
			intake->scanned = intake->end;
			break;
		}
		stop = (size_t)(newline - intake->data);
		if (take(intake, stop, stop + 1, ret_line))
			return true;
	}
	if (intake->end - intake->start > intake->limit || (intake->skipping && !at_end))
		skip(intake);
	if (!at_end || intake->start == intake->end)
		return false;
	return take(intake, intake->end, intake->end, ret_line);
}
