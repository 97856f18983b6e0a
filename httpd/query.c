/* SPDX-License-Identifier: MIT */
/* The target of a request taken apart: path, and names with values. */
#include "httpd/query.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "httpd/websocket.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes in place: never longer. */
static int decode(char *text, bool plus_is_space)
{
	char *to = text;

	for (const char *from = text; *from; from++, to++) {
		*to = plus_is_space && *from == '+' ? ' ' : *from;
		if (*from == '%') {
			int high = hex_digit(from[1]);
			int low = high < 0 ? -1 : hex_digit(from[2]);

			if (low < 0 || !(high | low))
				return -EINVAL;
			*to = (char)(high << 4 | low);
			from += 2;
		}
	}
	*to = '\0';
	return websocket_is_utf8((const uint8_t *)text, (size_t)(to - text)) ? 0 : -EINVAL;
}

static int parse_query(char *text, struct query *query)
{
	char *next;

	for (; text; text = next) {
		struct query_pair *pair = &query->pair[query->count];
		char *value;

		next = strchr(text, '&');
		if (next)
			*next++ = '\0';
		if (!*text)
			continue;
		if (query->count == QUERY_PAIRS_MAX)
			return -E2BIG;
		value = strchr(text, '=');
		if (value)
			*value++ = '\0';
		if (decode(text, true) || (value && decode(value, true)))
			return -EINVAL;
		*pair = (struct query_pair){ text, value ? value : "" };
		query->count++;
	}
	return 0;
}

/* Absolute form, "http://host/path": moves the host to the front, to end it by a zero. */
static char *split_authority(char *text, struct target *target)
{
	size_t scheme, length;

	if (!strncasecmp(text, "http://", 7))
		scheme = 7;
	else if (!strncasecmp(text, "https://", 8))
		scheme = 8;
	else
		return text;
	length = strcspn(text + scheme, "/?");
	memmove(text, text + scheme, length);
	text[length] = '\0';
	target->authority = text;
	return text + scheme + length;
}

int target_parse(char *text, struct target *ret_target)
{
	struct target target = { .path = "/" };
	char *path, *query;
	int err;

	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~' || *p == '#')
			return -EINVAL;
	path = split_authority(text, &target);
	query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	if (*path) {
		if (*path != '/' || decode(path, false))
			return -EINVAL;
		target.path = path;
	} else if (!target.authority) {
		return -EINVAL;
	}
	err = query ? parse_query(query, &target.query) : 0;
	if (!err)
		*ret_target = target;
	return err;
}
