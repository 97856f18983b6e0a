/* SPDX-License-Identifier: MIT */
/* Text that grows: JSON is appended to it piece by piece. */
#include "aggregator/text.h"

#include <stdlib.h>
#include <string.h>

#include "common/line_write.h"

#define NS_PER_S 1000000000ull
#define PIECE 8192	/* room made before a piece is written: more than any piece needs */

void text_free(struct text *t)
{
	free(t->bytes);
	memset(t, 0, sizeof(*t));
}

/* Room for a piece at the end; into a spare buffer when there is no memory. */
static char *room(struct text *t)
{
	static char spare[PIECE];
	char *bytes;

	if (t->failed)
		return spare;
	if (t->size - t->length >= PIECE)
		return t->bytes + t->length;
	bytes = realloc(t->bytes, t->size * 2 + PIECE);
	if (!bytes) {
		t->failed = true;
		return spare;
	}
	t->bytes = bytes;
	t->size = t->size * 2 + PIECE;
	return t->bytes + t->length;
}

static void done(struct text *t, const char *end)
{
	if (!t->failed)
		t->length = (size_t)(end - t->bytes);
}

void text_put(struct text *t, const char *text)
{
	char *p = room(t);
	size_t length = strlen(text);

	memcpy(p, text, length);
	done(t, p + length);
}

void text_bytes(struct text *t, const char *bytes, size_t length)
{
	while (length) {
		size_t piece = length < PIECE ? length : PIECE;
		char *p = room(t);

		memcpy(p, bytes, piece);
		done(t, p + piece);
		bytes += piece;
		length -= piece;
	}
}

void text_number(struct text *t, const char *before, u64 value)
{
	text_put(t, before);
	done(t, line_put_number(room(t), value));
}

void text_number_or_null(struct text *t, const char *before, bool is_there, u64 value)
{
	if (is_there) {
		text_number(t, before, value);
		return;
	}
	text_put(t, before);
	text_put(t, "null");
}

void text_bool(struct text *t, const char *before, bool value)
{
	text_put(t, before);
	text_put(t, value ? "true" : "false");
}

void text_string(struct text *t, const char *before, struct line_text text)
{
	text_put(t, before);
	if (text.text)
		done(t, line_put_string(room(t), text.text, text.length));
	else
		text_put(t, "null");
}

void text_name(struct text *t, const char *before, const char *name)
{
	text_string(t, before, (struct line_text){ name, strlen(name) });
}

void text_name_or_null(struct text *t, const char *before, const char *name)
{
	text_string(t, before, (struct line_text){ name, name ? strlen(name) : 0 });
}

void text_name16(struct text *t, const char *before, const u8 *name)
{
	const char *text = (const char *)name;

	text_string(t, before, (struct line_text){ text, text ? strnlen(text, 16) : 0 });
}

void text_time(struct text *t, const char *before, u64 ns)
{
	text_put(t, before);
	done(t, line_put_time(room(t), ns));
}

void text_address(struct text *t, const char *before, u8 ip_version, const u8 *address)
{
	char *p;

	text_put(t, before);
	if (!ip_version) {
		text_put(t, "null");
		return;
	}
	p = room(t);
	*p++ = '"';
	p = line_put_address(p, ip_version, address);
	*p++ = '"';
	done(t, p);
}

u64 text_rate(u64 count, u64 interval_ns)
{
	return (u64)((double)count * (double)NS_PER_S / (double)interval_ns + 0.5);
}
