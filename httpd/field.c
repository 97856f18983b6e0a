/* SPDX-License-Identifier: MIT */
/* What the values of header fields say. */
#include "httpd/field.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "httpd/body.h"

#define SPACE " \t"

/* The next element of a list separated by commas, without space around it. */
static bool next_element(const char **at, struct slice *ret_element)
{
	const char *start = *at + strspn(*at, SPACE ",");
	size_t length = strcspn(start, ",");

	if (!*start)
		return false;
	*at = start + length;
	while (length && strchr(SPACE, start[length - 1]))
		length--;
	*ret_element = (struct slice){ start, length };
	return true;
}

static bool slice_is(struct slice slice, const char *text)
{
	return slice.length == strlen(text) && !strncasecmp(slice.data, text, slice.length);
}

bool field_has_token(const char *value, const char *token)
{
	struct slice element;

	while (value && next_element(&value, &element))
		if (slice_is(element, token))
			return true;
	return false;
}

/* "gzip", "gzip;q=0.5", "gzip ; q=0". */
static bool is_zero_quality(struct slice parameters)
{
	const char *end = parameters.data + parameters.length;
	const char *q = parameters.data;

	while (q < end && strchr(SPACE ";", *q))
		q++;
	if (end - q < 3 || (*q | 0x20) != 'q' || q[1] != '=')
		return false;
	for (q += 2; q < end; q++)
		if (*q != '0' && *q != '.')
			return false;
	return true;
}

bool field_takes_gzip(const char *value)
{
	bool any = false;
	struct slice element;

	while (value && next_element(&value, &element)) {
		size_t length = strcspn(element.data, ";, \t");
		struct slice name = { element.data, length < element.length ? length : element.length };
		struct slice rest = { name.data + name.length, element.length - name.length };

		if (slice_is(name, "gzip") || slice_is(name, "x-gzip"))
			return !is_zero_quality(rest);
		if (slice_is(name, "*"))
			any = !is_zero_quality(rest);
	}
	return any;
}

bool field_takes_type(const char *value, const char *type)
{
	struct slice element;

	while (value && next_element(&value, &element)) {
		size_t length = strcspn(element.data, ";, \t");
		struct slice name = { element.data, length < element.length ? length : element.length };
		struct slice rest = { name.data + name.length, element.length - name.length };

		if (slice_is(name, type))
			return !is_zero_quality(rest);
	}
	return false;
}

bool field_has_etag(const char *value, const char *etag)
{
	struct slice element;

	while (value && next_element(&value, &element)) {
		if (slice_is(element, "*"))
			return true;
		if (element.length > 2 && !strncmp(element.data, "W/", 2))
			element = (struct slice){ element.data + 2, element.length - 2 };
		if (element.length == strlen(etag) && !memcmp(element.data, etag, element.length))
			return true;
	}
	return false;
}

bool field_is_name(const char *name)
{
	static const char letters[] = "!#$%&'*+-.^_`|~0123456789"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	return *name && !name[strspn(name, letters)];
}
