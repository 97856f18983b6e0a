/* SPDX-License-Identifier: MIT */
/* Server-sent events to lines: the data of each as one line (HTML standard, 9.2). */
#ifndef JOPIL_TOP_SSE_H
#define JOPIL_TOP_SSE_H

#include <stdbool.h>
#include <stddef.h>

enum sse_state {
	SSE_FIELD,	/* in a field's name */
	SSE_SPACE,	/* behind "data:": one space is not of the value */
	SSE_DATA,
	SSE_SKIP,	/* another field, a comment */
};

/* Zeroed at the beginning of a stream. */
struct sse {
	enum sse_state state;
	char field[8];
	size_t field_length;	/* of all of it */
	bool has_data;		/* of this event */
	bool after_return;	/* the last byte was a CR */
};

/* What `length` bytes say: as many come out at most. Returns how many. */
size_t sse_lines(struct sse *sse, const char *bytes, size_t length, char *ret_lines);

#endif
