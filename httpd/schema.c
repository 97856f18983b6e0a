/* SPDX-License-Identifier: MIT */
/* What answers hold, as tables; and as JSON Schema, with what common/events.def says of snapshots. */
#include "httpd/schema.h"

#include <stdio.h>
#include <string.h>

#include "common/kinds.h"
#include "common/questions.h"

#define WORDS_MAX 512
#define NAME_MAX_LENGTH 64

/* ---- what common/events.def says of snapshots ------------------------------ */

static const struct field {
	const char *line;	/* a row with .line begins a kind of line, the others belong to it */
	const char *key, *kind, *what;
} fields[] = {
#define LINE(name, record, producer, what) { .line = #name },
#define TEXT(name, producer, what) { .line = #name },
#define TEXT_FIELD(key_, kind_, what_) { .key = #key_, .kind = kind_, .what = what_ },
#include "common/events.def"
	{ .line = "" },
};

static const struct field *snapshot_fields(void)
{
	const struct field *field = fields;

	while (!field->line || strcmp(field->line, "snapshot"))
		field++;
	return field + 1;
}

static const struct field *find_field(const char *key)
{
	for (const struct field *field = snapshot_fields(); !field->line; field++)
		if (!strcmp(field->key, key))
			return field;
	return NULL;
}

/* ---- what numbers count, by the end of their name; the first that fits ------ */

static const struct {
	const char *end, *what;
} units[] = {
	{ "_bytes", "bytes" }, { "bytes_sent", "bytes" }, { "bytes_received", "bytes" },
	{ "bytes", "bytes, of frames as on the wire" },
	{ "bps", "bits a second, over the last interval" },
	{ "pps", "packets a second, over the last interval" },
	{ "packets", "packets" }, { "_ms", "milliseconds" }, { "_us", "microseconds" },
	{ "timestamp", "Unix time in milliseconds" },
	{ "first", "Unix time in milliseconds of the first one seen" },
	{ "last", "Unix time in milliseconds of the last one seen" },
	{ "started", "Unix time in milliseconds" },
	{ "ended", "Unix time in milliseconds; null while it goes on" },
	{ "p50", "in the unit of the row; null: no sample" },
	{ "p95", "in the unit of the row; null: no sample" },
	{ "p99", "in the unit of the row; null: no sample" },
	{ "max", "in the unit of the row; null: no sample" },
	{ "buckets", "pairs of an upper bound (inclusive, in the unit of the row) and a count" },
	{ "_calls", "system calls" }, { "limit", "null: none" },
	{ "pid", "process id; null: not known" }, { "command", "name of the process" },
	{ "vlan", "outermost VLAN id; null: untagged" },
	{ "length", "bytes" },
	{ NULL, NULL },
};

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && !strcmp(text + length - tail, end);
}

static const char *unit_of(const char *key)
{
	for (size_t i = 0; units[i].end; i++)
		if (ends_with(key, units[i].end))
			return units[i].what;
	return NULL;
}

/* ---- building -------------------------------------------------------------- */

/* Takes schema over. */
static json_t *describe(json_t *schema, const char *what)
{
	if (schema && what)
		json_object_set_new(schema, "description", json_string(what));
	return schema;
}

static json_t *reference(const char *name)
{
	char path[NAME_MAX_LENGTH + 32];

	snprintf(path, sizeof(path), "#/components/schemas/%s", name);
	return json_pack("{s:s}", "$ref", path);
}

static json_t *array_of(json_t *items)
{
	return items ? json_pack("{s:s, s:o}", "type", "array", "items", items) : NULL;
}

static json_t *new_object(json_t *properties, json_t *required)
{
	return json_pack("{s:s, s:b, s:o, s:o}", "type", "object", "additionalProperties", 0,
			 "properties", properties, "required", required);
}

/* "a b c=kind": an object with those keys. */
static json_t *object_of_words(const char *list)
{
	json_t *properties = json_object(), *required = json_array();
	char words[WORDS_MAX], *save = NULL, *word;

	snprintf(words, sizeof(words), "%s", list);
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *equals = strchr(word, '=');
		const struct kind *kind = kinds_find(equals ? equals + 1 : word);

		if (equals)
			*equals = '\0';
		json_object_set_new(properties, word,
				    describe(json_loads(kind ? kind->schema : KINDS_COUNT, 0, NULL),
					     unit_of(word)));
		json_array_append_new(required, json_string(word));
	}
	return new_object(properties, required);
}

static json_t *word_of(const char *list)
{
	char words[WORDS_MAX], *save = NULL, *word;
	json_t *values = json_array();

	snprintf(words, sizeof(words), "%s", list);
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		json_array_append_new(values, json_string(word));
	return json_pack("{s:s, s:o}", "type", "string", "enum", values);
}

static const char *behind(const char *kind, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(kind, prefix, length) ? NULL : kind + length;
}

/*
 * Makes row (taken over) the component KEY_row, of which any members may be there, and
 * returns what refers to it: with all its members, or any.
 */
static json_t *row_component(json_t *components, const char *key, json_t *row, bool all)
{
	json_t *required = json_incref(json_object_get(row, "required")), *result;
	char name[NAME_MAX_LENGTH];

	if (!row)
		return NULL;
	snprintf(name, sizeof(name), "%s_row", key);
	json_object_del(row, "required");
	if (!json_object_get(components, name))
		json_object_set(components, name, row);
	json_decref(row);
	if (all)
		result = json_pack("{s:[o], s:O}", "allOf", reference(name), "required", required);
	else
		result = reference(name);
	json_decref(required);
	return result;
}

static json_t *row_of(json_t *components, const struct field *field, bool all)
{
	return row_component(components, field->key, object_of_words(behind(field->kind, "rows:")),
			     all);
}

static json_t *member_of_snapshot(json_t *components, const char *key, bool all)
{
	const struct field *field = find_field(key);
	json_t *schema;

	if (!field)
		return NULL;
	if (behind(field->kind, "rows:"))
		schema = array_of(row_of(components, field, all));
	else
		schema = schema_value(components, field->kind, NULL, NULL);
	return describe(schema, field->what);
}

static json_t *whole_row(json_t *components, const char *key)
{
	const struct field *field = find_field(key);

	return field && behind(field->kind, "rows:") ? row_of(components, field, true) : NULL;
}

/* ---- what common/questions.h says of answers of report ----------------------- */

static json_t *cell_schema(const struct column *column)
{
	static const char *const what[] = {
		[CELL_BYTES] = "bytes", [CELL_US] = "microseconds", [CELL_TIME] = "Unix time in seconds",
		[CELL_TIME_MS] = "Unix time in milliseconds", [CELL_BAR] = NULL,
	};

	return describe(json_pack("{s:[s, s]}", "type", column->kind == CELL_TEXT ? "string" : "integer",
				  "null"), what[column->kind]);
}

static json_t *shape_schema(const struct answer_shape *shape)
{
	json_t *properties = json_object(), *required = json_array();

	for (size_t i = 0; i < shape->n; i++) {
		if (shape->columns[i].kind == CELL_BAR)
			continue;
		json_object_set_new(properties, shape->columns[i].name, cell_schema(&shape->columns[i]));
		json_array_append_new(required, json_string(shape->columns[i].name));
	}
	return new_object(properties, required);
}

/* Rows are all of one shape, which depends on what they are told apart by. */
static json_t *report_rows(const char *name)
{
	const struct question *question = questions;
	json_t *shapes = json_array();

	while (strcmp(question->name, name))
		question++;
	for (const struct answer_shape *shape = question->shapes; shape->columns; shape++)
		json_array_append_new(shapes, array_of(shape_schema(shape)));
	return json_pack("{s:o}", "anyOf", shapes);
}

static json_t *or_null(json_t *schema)
{
	return schema ? json_pack("{s:[o, {s:s}]}", "anyOf", schema, "type", "null") : NULL;
}

static json_t *plain_value(json_t *components, const char *kind, const struct member *of)
{
	const struct kind *known = kinds_find(kind);
	const char *rest;

	if (*kind == '{')
		return json_loads(kind, 0, NULL);
	if (!strcmp(kind, "object") && of)
		return schema_object(components, of);
	if (!strcmp(kind, "rows") && of)
		return array_of(schema_object(components, of));
	if ((rest = behind(kind, "object:")))
		return object_of_words(rest);
	if ((rest = behind(kind, "rows:")))
		return array_of(object_of_words(rest));
	if ((rest = behind(kind, "word:")))
		return word_of(rest);
	if ((rest = behind(kind, "const:")))
		return json_pack("{s:s}", "const", rest);
	return known ? json_loads(known->schema, 0, NULL) : NULL;
}

json_t *schema_value(json_t *components, const char *kind, const struct member *of,
		     const char *what)
{
	const char *rest;
	json_t *schema;

	if ((rest = behind(kind, "null:")))
		schema = or_null(schema_value(components, rest, of, NULL));
	else if ((rest = behind(kind, "array:")))
		schema = array_of(schema_value(components, rest, of, NULL));
	else if ((rest = behind(kind, "map:")))
		schema = json_pack("{s:s, s:o}", "type", "object", "additionalProperties",
				   schema_value(components, rest, of, NULL));
	else if ((rest = behind(kind, "snapshot:")))
		schema = member_of_snapshot(components, rest, true);
	else if ((rest = behind(kind, "report:")))
		schema = report_rows(rest);
	else if ((rest = behind(kind, "row:")))
		schema = whole_row(components, rest);
	else if ((rest = behind(kind, "list:")))
		schema = member_of_snapshot(components, rest, false);
	else
		schema = plain_value(components, kind, of);
	return describe(schema, what);
}

/* Members of the row that properties has not; 0, or -1 if there is no such list. */
static int add_row(json_t *properties, json_t *required, const char *kind)
{
	const char *key = behind(kind, "row:"), *name;
	const struct field *field = key ? find_field(key) : NULL;
	json_t *row, *value;

	if (!field || !behind(field->kind, "rows:"))
		return -1;
	row = object_of_words(behind(field->kind, "rows:"));
	json_object_foreach(json_object_get(row, "properties"), name, value) {
		if (json_object_get(properties, name))
			continue;
		json_object_set(properties, name, value);
		json_array_append_new(required, json_string(name));
	}
	json_decref(row);
	return 0;
}

/* 0, or -1. */
static int add_member(json_t *components, json_t *properties, json_t *required,
		      const struct member *member)
{
	char name[NAME_MAX_LENGTH];
	json_t *schema;

	if (!strcmp(member->key, "*"))
		return add_row(properties, required, member->kind);
	/* Another name than that of the snapshot's list of the same key. */
	snprintf(name, sizeof(name), "listed_%s", member->key);
	if (!strcmp(member->kind, "list") && member->of)
		schema = array_of(row_component(components, name,
						schema_object(components, member->of), false));
	else
		schema = schema_value(components, member->kind, member->of, NULL);
	if (!describe(schema, member->what ? member->what : unit_of(member->key)))
		return -1;
	json_object_set_new(properties, member->key, schema);
	if (!member->optional)
		json_array_append_new(required, json_string(member->key));
	return 0;
}

json_t *schema_object(json_t *components, const struct member *members)
{
	json_t *properties = json_object(), *required = json_array();

	for (; members->key; members++) {
		if (add_member(components, properties, required, members)) {
			json_decref(properties);
			json_decref(required);
			return NULL;
		}
	}
	return new_object(properties, required);
}

json_t *schema_snapshot(json_t *components, bool (*takes)(const char *key))
{
	json_t *properties = json_object(), *required = json_array();

	for (const struct field *field = snapshot_fields(); !field->line; field++) {
		if (!takes(field->key))
			continue;
		json_object_set_new(properties, field->key,
				    member_of_snapshot(components, field->key, true));
		json_array_append_new(required, json_string(field->key));
	}
	return new_object(properties, required);
}
