/* SPDX-License-Identifier: MIT */
/* The parts of a JSON text as they were written, without changing a byte of them. */
#include "httpd/json_text.h"

#include <string.h>

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
		if (name.length == strlen(key) && !memcmp(name.data, key, name.length)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}
