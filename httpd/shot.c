/* SPDX-License-Identifier: MIT */
/* The latest snapshot in the forms that requests ask for; made once, read many times. */
#include "httpd/shot.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "httpd/json_text.h"

#define INTERVAL_MS_DEFAULT 1000
#define INTERVAL_MS_MAX (24 * 3600 * 1000)
#define LEFT_OUT_MAX 9007199254740992.0	/* 2^53: beyond it is no count */
#define TIMESTAMP_MS_MAX 1e15	/* beyond the year 30000 */

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

static bool find_part(const struct shot *shot, const char *key, struct slice *ret_value)
{
	for (size_t i = 0; i < shot->part_count; i++) {
		if (!slice_equals(shot->part[i].key, key))
			continue;
		*ret_value = shot->part[i].value;
		return true;
	}
	return false;
}

struct slice shot_part(const struct shot *shot, const char *key)
{
	struct slice value;

	return find_part(shot, key, &value) ? value : (struct slice){ "null", 4 };
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

static size_t count_elements(struct slice array)
{
	struct json_walk walk;
	struct slice element;
	size_t count = 0;

	if (array.data[0] == '[' && json_walk_enter(&walk, array))
		while (json_walk_element(&walk, &element))
			count++;
	return count;
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
	shot->bytes = shot->text->length;
	shot->packets = shot->packets_shown = count_elements(shot_part(shot, "packets"));
	shot->timestamp = shot_part(shot, "timestamp");
	return 0;
}

/* Readers do not agree on which of them counts. */
static bool has_part_twice(const struct shot *shot)
{
	for (size_t i = 1; i < shot->part_count; i++)
		for (size_t j = 0; j < i; j++)
			if (shot->part[i].key.length == shot->part[j].key.length &&
			    !memcmp(shot->part[i].key.data, shot->part[j].key.data, shot->part[i].key.length))
				return true;
	return false;
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
	if (shot)
		shot->refs = 1;
	if (!shot || fill(shot, line, root)) {
		shot_unref(shot);
		return SHOT_NO_MEMORY;
	}
	if (has_part_twice(shot)) {
		shot_unref(shot);
		return SHOT_BAD;
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
	/* Jansson passes over a zero byte behind a number; nobody else would. */
	if (memchr(line.data, '\0', line.length))
		return SHOT_NOT_JSON;
	/* Zeroes inside strings are a matter of those who show them. */
	root = json_loadb(line.data, line.length, JSON_ALLOW_NUL, NULL);
	if (!root)
		return SHOT_NOT_JSON;
	result = make(line, root, ret_shot);
	json_decref(root);
	return result;
}

struct shot *shot_ref(struct shot *shot)
{
	shot->refs++;
	return shot;
}

void shot_unref(struct shot *shot)
{
	if (!shot || --shot->refs)
		return;
	for (int topic = 0; topic < TOPIC_COUNT; topic++)
		for (int form = 0; form < SHOT_FORMS; form++)
			blob_unref(shot->message[topic][form]);
	blob_unref(shot->text);
	free(shot);
}

void shot_limit_packets(struct shot *shot, size_t most)
{
	shot->packets_shown = most < shot->packets ? most : shot->packets;
}

/* ---- messages -------------------------------------------------------------- */

static bool has_packets(enum topic topic)
{
	return topic == TOPIC_SNAPSHOT || topic == TOPIC_PACKETS;
}

size_t shot_message_packets(const struct shot *shot, enum topic topic, enum shot_form form)
{
	return has_packets(topic) && form == SHOT_LIMITED ? shot->packets_shown : 0;
}

static void write_member(struct body *body, struct slice key, struct slice value)
{
	body_add(body, body->length ? ",\"" : "{\"", 2);
	body_add(body, key.data, key.length);
	body_add(body, "\":", 2);
	body_add(body, value.data, value.length);
}

/* So many of the elements, as far from each other as they can be. */
static void write_evenly(struct body *body, struct slice array, size_t count, size_t wanted)
{
	const char *before = "";
	struct json_walk walk;
	struct slice element;

	body_add(body, "[", 1);
	json_walk_enter(&walk, array);
	for (size_t i = 0; json_walk_element(&walk, &element); i++) {
		if ((i + 1) * wanted / count == i * wanted / count)
			continue;
		body_add(body, before, strlen(before));
		body_add(body, element.data, element.length);
		before = ",";
	}
	body_add(body, "]", 1);
}

/* The packets that are shown, and how many are not. */
static void write_packets(const struct shot *shot, size_t shown, struct body *body)
{
	double number = json_text_number(shot_part(shot, "packets_left_out"));
	uint64_t left_out = number > 0 && number < LEFT_OUT_MAX ? (uint64_t)number : 0;

	body_add(body, body->length ? ",\"packets\":" : "{\"packets\":", 11);
	write_evenly(body, shot_part(shot, "packets"), shot->packets, shown);
	body_printf(body, ",\"packets_left_out\":%" PRIu64,
		    left_out + (shot->packets - shown));
}

/* The members of a topic (of TOPIC_SNAPSHOT: all), with so many packets. */
static void write_members(const struct shot *shot, enum topic topic, size_t shown,
			  struct body *body)
{
	bool cut = has_packets(topic) && shown < shot->packets, packets_written = false;
	struct slice key, value;
	struct json_walk walk;

	json_walk_enter(&walk, text_of(shot));
	while (json_walk_member(&walk, &key, &value)) {
		enum topic of = topic_of(key);

		if (topic != TOPIC_SNAPSHOT && of != topic)
			continue;
		if (!cut || of != TOPIC_PACKETS)
			write_member(body, key, value);
		else if (!packets_written)
			write_packets(shot, shown, body);
		packets_written |= of == TOPIC_PACKETS;
	}
	body_add(body, "}", 1);
}

static void write_head(const struct shot *shot, enum topic topic, struct body *body)
{
	struct slice key, value;

	body_printf(body, "{\"type\":\"%s\"", topic_name(topic));
	for (const char *const *name = topic_head; *name; name++) {
		key = (struct slice){ *name, strlen(*name) };
		if (find_part(shot, *name, &value))
			write_member(body, key, value);
	}
}

static struct blob *make_message(const struct shot *shot, enum topic topic, size_t shown)
{
	struct blob *message = NULL;
	struct body body = { 0 };

	if (topic == TOPIC_SNAPSHOT && shown == shot->packets)
		return blob_ref(shot->text);
	if (topic != TOPIC_SNAPSHOT)
		write_head(shot, topic, &body);
	write_members(shot, topic, shown, &body);
	if (!body.failed)
		message = blob_new(body.data, body.length);
	free(body.data);
	return message;
}

struct blob *shot_message(struct shot *shot, enum topic topic, enum shot_form form)
{
	struct blob **message = &shot->message[topic][has_packets(topic) ? form : SHOT_LIMITED];

	if (!*message) {
		*message = make_message(shot, topic, shot_message_packets(shot, topic, form));
		if (*message && *message != shot->text)
			shot->bytes += (*message)->length;
	}
	return *message;
}
