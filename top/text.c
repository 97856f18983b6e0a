/* SPDX-License-Identifier: MIT */
/* Text from outside, made safe to show in cells of a terminal. */
#include "top/text.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "common/utf8.h"

#define SPELLED_MAX 12	/* "\U0010ffff" and a NUL */

uint32_t text_code_point(const unsigned char *s, size_t length)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = s[0] & masks[length];

	for (size_t i = 1; i < length; i++)
		code = code << 6 | (s[i] & 0x3f);
	return code;
}

/* Format characters that some C libraries give a cell (Unicode 15, Cf, Zl, Zp). */
static int is_format(uint32_t code)
{
	static const uint32_t ranges[][2] = {
		{ 0xad, 0xad }, { 0x600, 0x605 }, { 0x61c, 0x61c }, { 0x6dd, 0x6dd }, { 0x70f, 0x70f },
		{ 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (code >= ranges[i][0] && code <= ranges[i][1])
			return 1;
	return 0;
}

/* The bytes at s as they are shown; *ret_taken of them. */
static size_t spell(const unsigned char *s, size_t left, size_t *ret_taken, char *ret_text)
{
	size_t length = s[0] < 0x80 ? 1 : utf8_length(s, left);
	uint32_t code;

	*ret_taken = length ? length : 1;
	if (!length)
		return (size_t)sprintf(ret_text, "\\x%02x", s[0]);
	code = text_code_point(s, length);
	if (code < 0x20 || code == 0x7f)
		return (size_t)sprintf(ret_text, "\\x%02x", (unsigned int)code);
	if (code < 0x7f || (!is_format(code) && wcwidth((wchar_t)code) > 0)) {
		memcpy(ret_text, s, length);
		return length;
	}
	return (size_t)sprintf(ret_text, code > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned int)code);
}

size_t text_clean(const char *bytes, size_t length, char *ret_text, size_t size)
{
	size_t at = 0, end = 0, taken, n;
	char one[SPELLED_MAX];

	for (; at < length; at += taken) {
		n = spell((const unsigned char *)bytes + at, length - at, &taken, one);
		if (end + n >= size)
			break;
		memcpy(ret_text + end, one, n);
		end += n;
	}
	ret_text[end] = '\0';
	return end;
}

int text_glyph(const char *text, size_t *ret_length)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t length = s[0] < 0x80 ? s[0] != 0 : utf8_length(s, strnlen(text, 4));

	*ret_length = length;
	return length > 1 && wcwidth((wchar_t)text_code_point(s, length)) == 2 ? 2 : 1;
}

void text_encode(uint32_t code, char ret_text[TEXT_ENCODED])
{
	size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	ret_text[length] = '\0';
	for (size_t i = length; --i > 0; code >>= 6)
		ret_text[i] = (char)(0x80 | (code & 0x3f));
	ret_text[0] = (char)(leads[length] | code);
}

int text_width(const char *text)
{
	size_t length;
	int width = 0, one;

	while (one = text_glyph(text, &length), length) {
		width += one;
		text += length;
	}
	return width;
}
