/* SPDX-License-Identifier: MIT */
/* Numbers as people read them, in few cells. */
#ifndef JOPIL_TOP_UNITS_H
#define JOPIL_TOP_UNITS_H

#include <stdbool.h>
#include <stddef.h>

/* The longest is "999.9Mb/s". */
#define UNITS_TEXT 24

/* 950, 1.23k, 45.6M: three digits at most beside the point, prefixes of 1000. */
void units_count(double value, char *ret_text, size_t size);

/* Bytes: 950B, 1.23kB. */
void units_size(double bytes, char *ret_text, size_t size);

/* Bits a second, as they are (b/s) or as bytes (B/s). */
void units_rate(double bps, bool as_bytes, char *ret_text, size_t size);

/* Milliseconds: 12ms, 5.3s, 4m05, 3h20, 12d. */
void units_duration(double ms, char *ret_text, size_t size);

/* Microseconds: 950us, 12.3ms, 1.20s. */
void units_microseconds(double us, char *ret_text, size_t size);

#endif
