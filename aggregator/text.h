/* SPDX-License-Identifier: MIT */
/*
 * Text that grows: JSON is appended to it piece by piece. A failed allocation empties it
 * and stays: check .failed at the end. Each function writes `before` as it stands ("" or
 * `,"key":`), then the value.
 */
#ifndef JOPIL_AGGREGATOR_TEXT_H
#define JOPIL_AGGREGATOR_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/line_read.h"

struct text {
	char *bytes;
	size_t length, size;
	bool failed;
};

void text_free(struct text *t);

/* As it stands, at most 8191 bytes; the caller quotes and escapes. */
void text_put(struct text *t, const char *text);

/* Bytes of any number, as they stand. */
void text_bytes(struct text *t, const char *bytes, size_t length);

void text_number(struct text *t, const char *before, u64 value);
void text_number_or_null(struct text *t, const char *before, bool is_there, u64 value);
void text_bool(struct text *t, const char *before, bool value);

/* Strings of any bytes, at most LINE_TEXT_MAX; a text of NULL is null. */
void text_string(struct text *t, const char *before, struct line_text text);
void text_name(struct text *t, const char *before, const char *name);
void text_name_or_null(struct text *t, const char *before, const char *name);

/* A name of at most 16 bytes, NUL-padded, as the kernel keeps them; NULL is null. */
void text_name16(struct text *t, const char *before, const u8 *name);

/* Milliseconds of Unix nanoseconds, or of a span. */
void text_time(struct text *t, const char *before, u64 ns);

/* An address, or null if ip_version is 0. */
void text_address(struct text *t, const char *before, u8 ip_version, const u8 *address);

/* Count per second over an interval, rounded. interval_ns > 0. */
u64 text_rate(u64 count, u64 interval_ns);

#endif
