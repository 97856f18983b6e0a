/* SPDX-License-Identifier: MIT */
/* The parts of a JSON text as they were written, without changing a byte of them. */
#include "httpd/json_text.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xfffd
#define CHARACTER_MAX 4	/* bytes of one in UTF-8 */

static void skip_space(struct json_walk *walk)
{
	while (walk->at < walk->end && *walk->at && strchr(" \t\r\n", *walk->at))
		walk->at++;
}

/* At the opening quote; false if there is no closing one. */
static bool skip_string(struct json_walk *walk)
{
	for (walk->at++; walk->at < walk->end; walk->at++) {
		if (*walk->at == '"') {
			walk->at++;
			return true;
		}
		if (*walk->at == '\\' && ++walk->at == walk->end)
			return false;
	}
	return false;
}

/* At the opening bracket. Which kind closes which was checked before. */
static bool skip_container(struct json_walk *walk)
{
	size_t depth = 0;

	while (walk->at < walk->end) {
		char c = *walk->at;

		if (c == '"') {
			if (!skip_string(walk))
				return false;
			continue;
		}
		walk->at++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return true;
	}
	return false;
}

static bool skip_scalar(struct json_walk *walk)
{
	const char *start = walk->at;

	while (walk->at < walk->end && *walk->at && !strchr(" \t\r\n,]}:\"[{", *walk->at))
		walk->at++;
	return walk->at > start;
}

static bool take_value(struct json_walk *walk, struct slice *ret_value)
{
	const char *start;
	bool good;

	skip_space(walk);
	start = walk->at;
	if (start == walk->end)
		return false;
	if (*start == '"')
		good = skip_string(walk);
	else if (*start == '{' || *start == '[')
		good = skip_container(walk);
	else
		good = skip_scalar(walk);
	if (good)
		*ret_value = (struct slice){ start, (size_t)(walk->at - start) };
	return good;
}

static bool take_char(struct json_walk *walk, char c)
{
	skip_space(walk);
	if (walk->at == walk->end || *walk->at != c)
		return false;
	walk->at++;
	return true;
}

bool json_walk_enter(struct json_walk *walk, struct slice text)
{
	*walk = (struct json_walk){ text.data, text.data + text.length };
	return take_char(walk, '{') || take_char(walk, '[');
}

bool json_walk_member(struct json_walk *walk, struct slice *ret_key, struct slice *ret_value)
{
	struct slice key;

	take_char(walk, ',');
	skip_space(walk);
	if (walk->at == walk->end || *walk->at != '"' || !take_value(walk, &key))
		return false;
	if (!take_char(walk, ':') || !take_value(walk, ret_value))
		return false;
	*ret_key = (struct slice){ key.data + 1, key.length - 2 };
	return true;
}

bool json_walk_element(struct json_walk *walk, struct slice *ret_value)
{
	take_char(walk, ',');
	skip_space(walk);
	if (walk->at < walk->end && *walk->at == ']')
		return false;
	return take_value(walk, ret_value);
}

bool json_text_get(struct slice text, const char *key, struct slice *ret_value)
{
	struct slice name, value;
	struct json_walk walk;

	if (!json_walk_enter(&walk, text))
		return false;
	while (json_walk_member(&walk, &name, &value)) {
		if (slice_equals(name, key)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

struct slice json_text_member(struct slice text, const char *key)
{
	struct slice value = { "null", 4 };

	json_text_get(text, key, &value);
	return value;
}

/* ---- what values say ------------------------------------------------------- */

static size_t encode(uint32_t c, char bytes[CHARACTER_MAX])
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = length - 1; i > 0; i--, c >>= 6)
		bytes[i] = (char)(0x80 | (c & 0x3f));
	bytes[0] = (char)(lead[length == 1 ? 0 : length] | c);
	return length;
}

/* Four hex digits at text; -1 if they are not. */
static int32_t hex4(const char *text, const char *end)
{
	int32_t value = 0;

	if (end - text < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = (char)(text[i] | 0x20);

		if (text[i] >= '0' && text[i] <= '9')
			value = value << 4 | (text[i] - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (c - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* Behind "\u": the character, of two halves where it has two. */
static uint32_t take_escape(const char **at, const char *end)
{
	int32_t high = hex4(*at, end), low;

	if (high < 0)
		return REPLACEMENT;
	*at += 4;
	if (high < 0xd800 || high > 0xdfff)
		return high ? (uint32_t)high : REPLACEMENT;
	if (high > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return REPLACEMENT;
	low = hex4(*at + 2, end);
	if (low < 0xdc00 || low > 0xdfff)
		return REPLACEMENT;
	*at += 6;
	return 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
}

/* The next character of the string between *at and end; how many bytes it has. */
static size_t take_character(const char **at, const char *end, char bytes[CHARACTER_MAX])
{
	static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
	const char *letter;
	size_t length = 0;

	if (**at == '\\' && end - *at >= 2) {
		char c = (*at)[1];

		*at += 2;
		if (c == 'u')
			return encode(take_escape(at, end), bytes);
		letter = strchr(letters, c);
		bytes[0] = letter && c ? meanings[letter - letters] : c;
		return 1;
	}
	/* One byte, and those that go on with it. */
	do
		bytes[length++] = *(*at)++;
	while (length < CHARACTER_MAX && *at < end && ((unsigned char)**at & 0xc0) == 0x80);
	return length;
}

/* What is between the quotes. */
static bool open_string(struct slice value, const char **ret_at, const char **ret_end)
{
	if (value.length < 2 || value.data[0] != '"')
		return false;
	*ret_at = value.data + 1;
	*ret_end = value.data + value.length - 1;
	return true;
}

bool json_text_is(struct slice value, const char *text)
{
	char bytes[CHARACTER_MAX];
	const char *at, *end;

	if (!open_string(value, &at, &end))
		return false;
	while (at < end) {
		size_t length = take_character(&at, end, bytes);

		/* A zero is in no text: at its end, it would lead behind it. */
		if (!*bytes || strncmp(text, bytes, length))
			return false;
		text += length;
	}
	return !*text;
}

bool json_text_copy(struct slice value, char *text, size_t size)
{
	char bytes[CHARACTER_MAX];
	const char *at, *end;
	size_t used = 0;

	*text = '\0';
	if (!open_string(value, &at, &end))
		return false;
	while (at < end) {
		size_t length = take_character(&at, end, bytes);

		if (used + length >= size)
			break;
		memcpy(text + used, bytes, length);
		used += length;
	}
	text[used] = '\0';
	return true;
}

double json_text_number(struct slice value)
{
	char c = value.length ? value.data[0] : '\0';

	if (c != '-' && (c < '0' || c > '9'))
		return (double)NAN;
	return strtod(value.data, NULL);
}
