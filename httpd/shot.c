/* SPDX-License-Identifier: MIT */
/* The latest snapshot in the forms that requests ask for; made once, read many times. */
#include "httpd/shot.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "httpd/json_text.h"

#define INTERVAL_MS_DEFAULT 1000
#define INTERVAL_MS_MAX (24 * 3600 * 1000)
#define TIMESTAMP_MS_MAX 1e15	/* beyond the year 30000 */

/* Parts that have their own address, and the key that /api/stats adds. */
static const char *const not_in_stats[] = { "flows", "packets", "httpd" };

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

static void note_parts(struct shot *shot)
{
	struct shot_part *part = shot->part;
	struct json_walk walk;

	json_walk_enter(&walk, text_of(shot));
	while (shot->part_count < SHOT_PARTS_MAX &&
	       json_walk_member(&walk, &part[shot->part_count].key, &part[shot->part_count].value))
		shot->part_count++;
}

struct slice shot_part(const struct shot *shot, const char *key)
{
	for (size_t i = 0; i < shot->part_count; i++)
		if (slice_equals(shot->part[i].key, key))
			return shot->part[i].value;
	return (struct slice){ "null", 4 };
}

void shot_each(const struct shot *shot, const char *key,
	       void (*take)(void *closure, struct slice row), void *closure)
{
	struct slice array = shot_part(shot, key), row;
	struct json_walk walk;

	if (array.data[0] != '[' || !json_walk_enter(&walk, array))
		return;
	while (json_walk_element(&walk, &row))
		if (row.data[0] == '{')
			take(closure, row);
}

static int fill(struct shot *shot, struct slice line, json_t *root)
{
	json_int_t interval = json_integer_value(json_object_get(root, "interval_ms"));
	double timestamp = json_number_value(json_object_get(root, "timestamp"));

	shot->text = blob_new(line.data, line.length);
	if (!shot->text)
		return -ENOMEM;
	replace_cr(shot->text);
	shot->seq = json_integer_value(json_object_get(root, "seq"));
	shot->interval_ms = interval > 0 && interval <= INTERVAL_MS_MAX ? (uint64_t)interval
									: INTERVAL_MS_DEFAULT;
	if (timestamp > 0 && timestamp < TIMESTAMP_MS_MAX)
		shot->timestamp_ms = (int64_t)timestamp;
	note_parts(shot);
	shot->timestamp = shot_part(shot, "timestamp");
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

/* As the aggregator spells what stands between snapshots: that is most lines, and not for us. */
static bool is_other(struct slice line)
{
	static const char head[] = "{\"type\":\"", snapshot[] = "snapshot\"";
	size_t length = sizeof(head) - 1;

	return line.length > length + sizeof(snapshot) && line.data[line.length - 1] == '}' &&
	       !memcmp(line.data, head, length) && line.data[length] >= 'a' &&
	       line.data[length] <= 'z' && memcmp(line.data + length, snapshot, sizeof(snapshot) - 1);
}

enum shot_result shot_parse(struct slice line, struct shot **ret_shot)
{
	enum shot_result result;
	json_t *root;

	if (is_other(line))
		return SHOT_OTHER;
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
	free(shot);
}

static bool is_in_stats(struct slice key)
{
	for (size_t i = 0; i < sizeof(not_in_stats) / sizeof(*not_in_stats); i++)
		if (slice_equals(key, not_in_stats[i]))
			return false;
	return true;
}

bool shot_is_in_stats(const char *key)
{
	return is_in_stats((struct slice){ key, strlen(key) });
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
