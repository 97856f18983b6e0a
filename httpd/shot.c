/* SPDX-License-Identifier: MIT */
/* The latest snapshot in the forms that requests ask for; made once, read many times. */
#include "httpd/shot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "httpd/json_text.h"

#define INTERVAL_MS_DEFAULT 1000
#define INTERVAL_MS_MAX (24 * 3600 * 1000)

static const char *const number_names[FLOW_NUMBER_COUNT] = {
#define NUMBER_NAME(name) #name,
	FLOW_NUMBERS(NUMBER_NAME)
#undef NUMBER_NAME
};

/* Parts that have their own address, and the key that /api/stats adds. */
static const char *const not_in_stats[] = { "flows", "packets", "httpd" };

static bool slice_is(struct slice slice, const char *text)
{
	return slice.length == strlen(text) && !memcmp(slice.data, text, slice.length);
}

static struct slice text_of(const struct shot *shot)
{
	return (struct slice){ shot->text->data, shot->text->length };
}

/* A raw CR can only be space between tokens; in an SSE field it would end the line. */
static void replace_cr(struct blob *blob)
{
	for (char *p = blob->data; (p = memchr(p, '\r', blob->length - (size_t)(p - blob->data)));)
		*p = ' ';
}

static int fill(struct shot *shot, struct slice line, json_t *root)
{
	json_int_t interval = json_integer_value(json_object_get(root, "interval_ms"));

	shot->text = blob_new(line.data, line.length);
	if (!shot->text)
		return -ENOMEM;
	replace_cr(shot->text);
	shot->seq = json_integer_value(json_object_get(root, "seq"));
	shot->interval_ms = interval > 0 && interval <= INTERVAL_MS_MAX ? (uint64_t)interval
									: INTERVAL_MS_DEFAULT;
	if (!json_text_get(text_of(shot), "timestamp", &shot->timestamp))
		shot->timestamp = (struct slice){ "null", 4 };
	return 0;
}

static enum shot_result make(struct slice line, json_t *root, struct shot **ret_shot)
{
	const char *type = json_string_value(json_object_get(root, "type"));
	struct shot *shot;

	if (!type)
		return SHOT_BAD;
	if (strcmp(type, "snapshot"))
		return SHOT_OTHER;
	shot = calloc(1, sizeof(*shot));
	if (!shot || fill(shot, line, root)) {
		shot_free(shot);
		return SHOT_NO_MEMORY;
	}
	*ret_shot = shot;
	return SHOT_SNAPSHOT;
}

enum shot_result shot_parse(struct slice line, struct shot **ret_shot)
{
	enum shot_result result;
	json_t *root;

	/* Zeroes inside strings are a matter of those who show them. */
	root = json_loadb(line.data, line.length, JSON_ALLOW_NUL, NULL);
	if (!root)
		return SHOT_BAD;
	result = make(line, root, ret_shot);
	json_decref(root);
	return result;
}

void shot_free(struct shot *shot)
{
	if (!shot)
		return;
	blob_unref(shot->text);
	blob_unref(shot->stats);
	free(shot->flows);
	free(shot);
}

static bool is_in_stats(struct slice key)
{
	for (size_t i = 0; i < sizeof(not_in_stats) / sizeof(*not_in_stats); i++)
		if (slice_is(key, not_in_stats[i]))
			return false;
	return true;
}

int shot_make_stats(struct shot *shot)
{
	struct slice key, value;
	struct body body = { 0 };
	struct json_walk walk;

	if (shot->stats)
		return 0;
	json_walk_enter(&walk, text_of(shot));
	while (json_walk_member(&walk, &key, &value)) {
		if (!is_in_stats(key))
			continue;
		body_add(&body, body.length ? ",\"" : "{\"", 2);
		body_add(&body, key.data, key.length);
		body_add(&body, "\":", 2);
		body_add(&body, value.data, value.length);
	}
	if (!body.failed)
		shot->stats = blob_new(body.data, body.length);
	free(body.data);
	return shot->stats ? 0 : -ENOMEM;
}

/* What stands between the quotes, as a string; false if it is none or does not fit. */
static bool copy_string(struct slice value, char *text, size_t size)
{
	if (value.length < 2 || value.data[0] != '"' || value.length - 2 >= size)
		return false;
	memcpy(text, value.data + 1, value.length - 2);
	text[value.length - 2] = '\0';
	return true;
}

/* NAN if it is no number. The text goes on behind the number, at least with a brace. */
static double take_number(struct slice value)
{
	char c = value.data[0];

	if (c != '-' && (c < '0' || c > '9'))
		return (double)NAN;
	return strtod(value.data, NULL);
}

static void take_ip(struct flow_row *row, int side, struct slice value)
{
	char text[INET6_ADDRSTRLEN];

	if (!copy_string(value, text, sizeof(text)))
		return;
	row->family[side] = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(row->family[side], text, row->ip[side]) != 1)
		row->family[side] = 0;
}

static void take_port(struct flow_row *row, int side, struct slice value)
{
	double port = take_number(value);

	if (port >= 0 && port <= UINT16_MAX)
		row->port[side] = (int)port;
}

static void take_member(struct flow_row *row, struct slice key, struct slice value)
{
	if (slice_is(key, "src_ip"))
		take_ip(row, 0, value);
	else if (slice_is(key, "dst_ip"))
		take_ip(row, 1, value);
	else if (slice_is(key, "src_port"))
		take_port(row, 0, value);
	else if (slice_is(key, "dst_port"))
		take_port(row, 1, value);
	else if (slice_is(key, "proto"))
		copy_string(value, row->proto, sizeof(row->proto));
	else
		for (size_t i = 0; i < FLOW_NUMBER_COUNT; i++)
			if (slice_is(key, number_names[i]))
				row->number[i] = take_number(value);
}

static void fill_row(struct flow_row *row, struct slice text)
{
	struct slice key, value;
	struct json_walk walk;

	*row = (struct flow_row){ .text = text, .port = { -1, -1 } };
	for (size_t i = 0; i < FLOW_NUMBER_COUNT; i++)
		row->number[i] = (double)NAN;
	if (!json_walk_enter(&walk, text))
		return;
	while (json_walk_member(&walk, &key, &value))
		take_member(row, key, value);
}

static size_t count_elements(struct slice array)
{
	struct json_walk walk;
	struct slice element;
	size_t count = 0;

	if (array.data[0] != '[' || !json_walk_enter(&walk, array))
		return 0;
	while (json_walk_element(&walk, &element))
		count++;
	return count;
}

int shot_make_flows(struct shot *shot)
{
	struct slice array, element;
	struct json_walk walk;
	size_t count = 0;

	if (shot->has_flows)
		return 0;
	if (json_text_get(text_of(shot), "flows", &array))
		count = count_elements(array);
	if (count) {
		shot->flows = calloc(count, sizeof(*shot->flows));
		if (!shot->flows)
			return -ENOMEM;
		json_walk_enter(&walk, array);
		for (size_t i = 0; i < count && json_walk_element(&walk, &element); i++)
			fill_row(&shot->flows[i], element);
	}
	shot->flow_count = count;
	shot->has_flows = true;
	return 0;
}
