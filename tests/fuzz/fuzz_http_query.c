// SPDX-License-Identifier: MIT
/*
 * What is asked of a list: a target, or (first byte odd) the JSON object of a POST, up to the first newline; behind it
 * the rows. Whatever both say, what is taken is what the table of parameters lets pass, and of rows that are JSON, as
 * jansson says it, JSON comes back: no more of it than was asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "common/log.c"
#include "common/options.c"
#include "common/utf8.c"
#include "httpd/body.c"
#include "httpd/json_query.c"
#include "httpd/json_text.c"
#include "httpd/query.c"
#include "httpd/websocket.c"

/* Names that several of the files have for themselves. */
#define make_room make_room_for_row
#include "httpd/list_query.c"

#define LIMIT_MAX 3

static const char *const words[] = { "bytes", "packets", "proto", NULL };
static const struct parameter table[] = {
	{ "limit", PARAMETER_LIMIT, "h", .min = 1, .max = LIMIT_MAX },
	{ "sort", PARAMETER_SORT, "h", .words = words },
	{ "fields", PARAMETER_FIELDS, "h" },
	{ "pid", PARAMETER_NUMBER, "h", .keys = (const char *const[]){ "pid", NULL }, .max = 4194304,
	  .empty_is_none = true },
	{ "since", PARAMETER_SINCE, "h", .keys = (const char *const[]){ "last", NULL }, .max = 1ull << 53 },
	{ "state", PARAMETER_TEXT, "h", .keys = (const char *const[]){ "state", NULL }, .max = 64 },
	{ "name", PARAMETER_NAME, "h", .keys = (const char *const[]){ "command", NULL }, .max = 64,
	  .empty_is_none = true },
	{ "proto", PARAMETER_WORD, "h", .keys = words, .words = words },
	{ "parts", PARAMETER_WORDS, "h", .keys = words, .words = words },
	{ "ip", PARAMETER_IP, "h", .keys = (const char *const[]){ "src_ip", "dst_ip", NULL } },
	{ "network", PARAMETER_NETWORK, "h", .keys = (const char *const[]){ "network", NULL } },
	{ NULL },
};

#define CHECK(condition) do { if (!(condition)) __builtin_trap(); } while (0)

static void check_query(const struct list_query *query, const struct query *asked)
{
	CHECK(asked->count <= QUERY_PAIRS_MAX && query->filter_count <= asked->count);
	CHECK(query->limit == LIST_LIMIT_DEFAULT || query->limit <= LIMIT_MAX);
	CHECK(!query->limit_given || query->limit);
	CHECK(!query->sort || has_word(words, (struct slice){ query->sort, strlen(query->sort) }));
	for (size_t i = 0; i < query->filter_count; i++) {
		const struct filter *filter = &query->filter[i];

		CHECK(websocket_is_utf8((const uint8_t *)filter->text, strlen(filter->text)));
		CHECK(filter->network.bits <= (filter->network.family == AF_INET ? 32 : 128));
		CHECK(!filter->parameter->max || filter->number <= (double)filter->parameter->max);
	}
}

/* Rows that are an array for jansson are so many, and what is written of each is JSON again. */
static void check_rows(const struct list_query *query, struct slice text)
{
	/* Of zero bytes jansson takes some that are no JSON; shot_parse() takes none. */
	json_t *all = text.length && memchr(text.data, '\0', text.length) ? NULL :
		json_loadb(text.data, text.length, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	struct list list;

	CHECK(!list_select(query, text, &list) && list.matched <= list.total);
	CHECK(!json_is_array(all) || text.data[0] != '[' || list.total == json_array_size(all));
	for (size_t i = 0; i < list.matched && json_is_array(all); i++) {
		struct body body = { 0 };
		json_t *row;

		list_write_row(query, list.rows[i].text, &body);
		row = json_loadb(body.data, body.length, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY,
				 NULL);
		CHECK(row && (!query->fields || !json_is_object(row) || body.length <= list.rows[i].text.length + 2));
		json_decref(row);
		free(body.data);
	}
	free(list.rows);
	json_decref(all);
}

static void answer(const struct query *asked, struct slice rows)
{
	const char *name, *why;
	struct list_query query;

	if (list_query_parse(asked, table, &query, &name, &why)) {
		CHECK(name && why);
		return;
	}
	check_query(&query, asked);
	check_rows(&query, rows);
}

static void ask_by_post(const char *text, size_t length, struct slice rows)
{
	const char *name = NULL, *why = NULL;
	struct json_query query;

	if (json_query_parse((struct slice){ text, length }, table, &query, &name, &why))
		CHECK(name && why);
	else
		answer(&query.query, rows);
	json_query_free(&query);
}

static void ask_by_get(char *text, struct slice rows)
{
	struct target target;

	if (!target_parse(text, &target))
		answer(&target.query, rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = memchr(data, '\n', size);
	size_t asked = newline ? (size_t)(newline - data) : size;
	struct slice rows = { newline ? (const char *)newline + 1 : NULL, newline ? size - asked - 1 : 0 };
	char *text;

	if (!asked)
		return 0;
	text = strndup((const char *)data + 1, asked - 1);
	if (data[0] & 1)
		ask_by_post(text, strlen(text), rows);
	else
		ask_by_get(text, rows);
	free(text);
	return 0;
}
