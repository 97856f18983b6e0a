/* SPDX-License-Identifier: MIT */
/* Texts and numbers for people in front of a terminal. */
#ifndef JOPIL_REPORT_TEXT_H
#define JOPIL_REPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_NUMBER_MAX 32
#define TEXT_TIME_MAX 48

/* By the locale; setlocale() first. */
bool text_is_utf8(void);

/*
 * What a terminal can show of a text from outside: control bytes, characters that change the
 * direction of writing or have no width, and what the locale cannot spell, are \xNN. free() it;
 * NULL: no memory.
 */
char *text_for_terminal(const char *text);

/* Columns that such a text takes. */
size_t text_width(const char *text);

/* The bytes of its first characters that take at most `width` columns. */
size_t text_cut(const char *text, size_t width);

/* Columns of the terminal: $COLUMNS, what stdout says, or 80. */
size_t text_terminal_width(void);

/* "1.23 MB" with the unit "B"; whole numbers below 1000 stay whole. */
void text_number(int64_t number, const char *unit, char text[TEXT_NUMBER_MAX]);

/* "12.3 ms" from microseconds. */
void text_duration_us(int64_t us, char text[TEXT_NUMBER_MAX]);

/* "2026-11-21 14:00 CET"; with_seconds: "14:00:05". */
void text_time(int64_t unix_seconds, bool with_seconds, char text[TEXT_TIME_MAX]);

#endif
