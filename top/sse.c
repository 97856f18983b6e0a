/* SPDX-License-Identifier: MIT */
/* Server-sent events to lines. */
#include "top/sse.h"

#include <string.h>

/* The name is whole: what comes behind its colon, or its line end. */
static enum sse_state after_field(const struct sse *sse)
{
	bool data = sse->field_length == 4 && !memcmp(sse->field, "data", 4);

	return data ? SSE_SPACE : SSE_SKIP;
}

/* An empty line ends an event; several data lines are one JSON text, white space between. */
static size_t end_line(struct sse *sse, char *out)
{
	bool empty = sse->state == SSE_FIELD && !sse->field_length, ends = empty && sse->has_data;
	size_t n = 0;

	if (ends)
		out[n++] = '\n';
	else if (sse->state == SSE_DATA || sse->state == SSE_SPACE)
		out[n++] = ' ';
	if (sse->state == SSE_DATA || sse->state == SSE_SPACE)
		sse->has_data = true;
	if (empty)
		sse->has_data = false;
	sse->state = SSE_FIELD;
	sse->field_length = 0;
	return n;
}

static size_t one(struct sse *sse, char c, char *out)
{
	if (c == '\n' || c == '\r')
		return end_line(sse, out);
	if (sse->state == SSE_FIELD && c == ':') {
		sse->state = after_field(sse);
		return 0;
	}
	if (sse->state == SSE_FIELD) {
		if (sse->field_length < sizeof(sse->field))
			sse->field[sse->field_length] = c;
		sse->field_length++;
		return 0;
	}
	if (sse->state == SSE_SKIP || (sse->state == SSE_SPACE && c == ' ')) {
		if (sse->state == SSE_SPACE)
			sse->state = SSE_DATA;
		return 0;
	}
	sse->state = SSE_DATA;
	*out = c;
	return 1;
}

size_t sse_lines(struct sse *sse, const char *bytes, size_t length, char *ret_lines)
{
	size_t n = 0;

	for (size_t i = 0; i < length; i++) {
		bool second = sse->after_return && bytes[i] == '\n';

		sse->after_return = bytes[i] == '\r';
		if (!second)
			n += one(sse, bytes[i], ret_lines + n);
	}
	return n;
}
