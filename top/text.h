/* SPDX-License-Identifier: MIT */
/* Text from outside, made safe to show in cells of a terminal. */
#ifndef JOPIL_TOP_TEXT_H
#define JOPIL_TOP_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* What a byte can become at most: an invalid one is "\x80". */
#define TEXT_GROWTH 4

/*
 * Copies UTF-8 so that every character takes one or two cells: whatever takes none, moves
 * the cursor or turns the order of others around (controls, bidi, combining, unassigned),
 * and whatever the locale cannot show, is spelled "\x1b", "\u202e", "\U000e0001". A
 * backslash stays one. NUL-terminated; what does not fit in size bytes is left out.
 * Returns the length.
 */
size_t text_clean(const char *bytes, size_t length, char *ret_text, size_t size);

/*
 * The character at the beginning of clean text: its bytes in *ret_length (0 at the end)
 * and its cells, 1 or 2.
 */
int text_glyph(const char *text, size_t *ret_length);

/* The code point of a valid sequence of UTF-8. */
uint32_t text_code_point(const unsigned char *s, size_t length);

/* A code point as UTF-8, NUL-terminated. */
#define TEXT_ENCODED 5
void text_encode(uint32_t code, char ret_text[TEXT_ENCODED]);

/* Cells of clean text. */
int text_width(const char *text);

#endif
