/* SPDX-License-Identifier: MIT */
/* What a row says in a column: as text, as a number. */
#ifndef JOPIL_TOP_VALUE_H
#define JOPIL_TOP_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "top/views.h"

/* Long texts are cut: names are at most 512 bytes (LINE_TEXT_MAX), each TEXT_GROWTH. */
#define VALUE_TEXT 2100

/* The number, or -1 where there is none: it sorts behind 0. */
double value_number(const json_t *row, const char *member);

/* Unix time in milliseconds, local, with or without the day; false: it is no time. */
bool value_time(double ms, bool with_day, char *ret_text, size_t size);

/* Clean text of any scalar: a string as it is, null as "-". */
void value_text(const json_t *value, char *ret_text, size_t size);

/* What is shown in a cell, clean. Empty for COLUMN_BARS. */
void value_cell(const json_t *row, const struct column *column, bool as_bytes, char *ret_text,
		size_t size);

/* Texts as bytes, numbers by size, null least of all: <0, 0, >0. */
int value_compare(const json_t *a, const json_t *b, const struct column *column);

#endif
