/* SPDX-License-Identifier: MIT */
/* The parts of a JSON text as they were written, without changing a byte of them. */
#ifndef JOPIL_HTTPD_JSON_TEXT_H
#define JOPIL_HTTPD_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "httpd/body.h"

/*
 * The text must be valid JSON (jansson has said so); on any other text the
 * walk ends early, inside the text. Numbers thus reach clients exactly as the
 * aggregator wrote them, and a flow is not printed anew for each request.
 */
struct json_walk {
	const char *at;
	const char *end;
};

/* Enters the object or array that text is; false if it is neither. */
bool json_walk_enter(struct json_walk *walk, struct slice text);

/* The next member of the object; key is what stands between its quotes. */
bool json_walk_member(struct json_walk *walk, struct slice *ret_key, struct slice *ret_value);

/* The next element of the array. */
bool json_walk_element(struct json_walk *walk, struct slice *ret_value);

/* The member called key of the object text; false if it has none. */
bool json_text_get(struct slice text, const char *key, struct slice *ret_value);

/* The same; "null" if it has none. */
struct slice json_text_member(struct slice text, const char *key);

/*
 * What values say.
 *
 * json_text_is: value is the string text, escapes resolved.
 * json_text_copy: copies the string, escapes resolved, at most as many whole
 * characters as fit, ended by NUL; zeroes inside become U+FFFD. False, and the text
 * is empty, if value is no string.
 * json_text_number: NAN if value is no number. Something that is no part of a
 * number must follow it, as the closing brace of its object does.
 */
bool json_text_is(struct slice value, const char *text);
bool json_text_copy(struct slice value, char *text, size_t size);
double json_text_number(struct slice value);

#endif
