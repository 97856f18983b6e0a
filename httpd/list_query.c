/* SPDX-License-Identifier: MIT */
/* Which rows of a list a request wants, in which order: the parameters that lists take. */
#include "httpd/list_query.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/options.h"
#include "httpd/json_text.h"

#define PREFIX_MAX (INET6_ADDRSTRLEN + 4)
#define TEXT_MAX 256

static bool has_word(const char *const *words, struct slice word)
{
	for (; words && *words; words++)
		if (slice_equals(word, *words))
			return true;
	return false;
}

/* ---- reading parameters ---------------------------------------------------- */

int list_network_parse(const char *value, struct network *ret_network)
{
	struct network network = { .family = strchr(value, ':') ? AF_INET6 : AF_INET };
	const char *slash = strchr(value, '/');
	size_t length = slash ? (size_t)(slash - value) : strlen(value);
	uint64_t bits = network.family == AF_INET ? 32 : 128;
	char text[INET6_ADDRSTRLEN];

	if (length >= sizeof(text))
		return -EINVAL;
	memcpy(text, value, length);
	text[length] = '\0';
	if (inet_pton(network.family, text, network.ip) != 1)
		return -EINVAL;
	if (slash && options_number(slash + 1, 0, bits, false, &bits))
		return -EINVAL;
	network.bits = (unsigned int)bits;
	*ret_network = network;
	return 0;
}

/* Names of members: lower case, digits, underscores. */
static int check_fields(const char *value)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	size_t length;

	for (;; value += length + 1) {
		length = strspn(value, letters);
		if (!length)
			return -EINVAL;
		if (!value[length])
			return 0;
		if (value[length] != ',')
			return -EINVAL;
	}
}

/* One or more of the words, separated by commas. */
static bool has_words(const char *const *words, const char *value)
{
	for (;; value++) {
		size_t length = strcspn(value, ",");

		if (!has_word(words, (struct slice){ value, length }))
			return false;
		value += length;
		if (!*value)
			return true;
	}
}

static int parse_number(const struct filter *filter, double *ret_number)
{
	const struct parameter *parameter = filter->parameter;
	uint64_t number;

	if (options_number(filter->text, parameter->min, parameter->max, false, &number))
		return -EINVAL;
	*ret_number = (double)number;
	return 0;
}

/* Parameters that say how the answer looks; filters are kept for the rows. */
static int take_parameter(struct list_query *query, struct filter *filter)
{
	struct slice text = { filter->text, strlen(filter->text) };
	const struct parameter *parameter = filter->parameter;

	switch (parameter->kind) {
	case PARAMETER_LIMIT:
		if (parse_number(filter, &filter->number))
			return -EINVAL;
		query->limit = (size_t)filter->number;
		query->limit_given = true;
		return 0;
	case PARAMETER_SORT:
		query->sort = filter->text;
		return has_word(parameter->words, text) ? 0 : -EINVAL;
	case PARAMETER_FIELDS:
		query->fields = filter->text;
		return check_fields(filter->text);
	case PARAMETER_NUMBER:
	case PARAMETER_SINCE:
		if (parse_number(filter, &filter->number))
			return -EINVAL;
		break;
	case PARAMETER_TEXT:
	case PARAMETER_NAME:
		if (!text.length || text.length > parameter->max)
			return -EINVAL;
		break;
	case PARAMETER_WORD:
		if (!has_word(parameter->words, text))
			return -EINVAL;
		break;
	case PARAMETER_WORDS:
		if (!has_words(parameter->words, filter->text))
			return -EINVAL;
		break;
	case PARAMETER_NETWORK:
		if (slice_equals(text, "host"))
			break;
		/* fall through */
	case PARAMETER_IP:
		if (list_network_parse(filter->text, &filter->network))
			return -EINVAL;
		break;
	}
	query->filter[query->filter_count++] = *filter;
	return 0;
}

static const struct parameter *find_parameter(const struct parameter *table, const char *name)
{
	for (; table && table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

static bool is_repeated(const struct query *query, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (!strcmp(query->pair[i].name, query->pair[index].name))
			return true;
	return false;
}

int list_query_parse(const struct query *query, const struct parameter *table,
		     struct list_query *ret_query, const char **ret_name, const char **ret_why)
{
	struct list_query result = { .limit = LIST_LIMIT_DEFAULT };

	for (size_t i = 0; i < query->count; i++) {
		struct filter filter = { .text = query->pair[i].value };

		filter.parameter = find_parameter(table, query->pair[i].name);
		*ret_name = query->pair[i].name;
		*ret_why = "there is no such parameter";
		if (!filter.parameter)
			return -EINVAL;
		*ret_why = "given more than once";
		if (is_repeated(query, i))
			return -EINVAL;
		*ret_why = filter.parameter->help;
		if (take_parameter(&result, &filter))
			return -EINVAL;
	}
	*ret_query = result;
	return 0;
}

/* ---- looking at rows ------------------------------------------------------- */

/* Whether both have the same first bits. */
static bool is_same_prefix(const struct network *a, const struct network *b, unsigned int bits)
{
	unsigned int bytes = bits / 8, rest = bits % 8;

	if (a->family != b->family || memcmp(a->ip, b->ip, bytes))
		return false;
	return !rest || !((a->ip[bytes] ^ b->ip[bytes]) >> (8 - rest));
}

static bool is_in_network(const struct network *network, struct slice value, bool overlap)
{
	struct network other;
	char text[PREFIX_MAX];
	unsigned int bits = network->bits;

	/* An address that was cut off is none. */
	if (value.length >= sizeof(text) || !json_text_copy(value, text, sizeof(text)))
		return false;
	if (list_network_parse(text, &other))
		return false;
	if (overlap && other.bits < bits)
		bits = other.bits;
	return bits <= other.bits && is_same_prefix(network, &other, bits);
}

static bool is_name(struct slice value, const char *text)
{
	char name[TEXT_MAX];

	return value.length < sizeof(name) && json_text_copy(value, name, sizeof(name)) &&
	       !strcasecmp(name, text);
}

static bool takes(const struct filter *filter, struct slice value)
{
	double number = json_text_number(value);

	switch (filter->parameter->kind) {
	case PARAMETER_NUMBER:
		return number >= filter->number && number <= filter->number;
	case PARAMETER_SINCE:
		return number >= filter->number;
	case PARAMETER_TEXT:
	case PARAMETER_WORD:
		return json_text_is(value, filter->text);
	case PARAMETER_NAME:
		return is_name(value, filter->text);
	case PARAMETER_IP:
		return is_in_network(&filter->network, value, false);
	case PARAMETER_NETWORK:
		return filter->network.family ? is_in_network(&filter->network, value, true)
					      : slice_equals(value, "null");
	case PARAMETER_LIMIT:
	case PARAMETER_SORT:
	case PARAMETER_FIELDS:
	case PARAMETER_WORDS:
		break;
	}
	return true;
}

/* One walk over the members, whatever the number of filters. */
static bool look_at(const struct list_query *query, struct slice text, double *ret_number)
{
	unsigned int passed = 0, wanted = (1U << query->filter_count) - 1;
	struct slice key, value;
	struct json_walk walk;

	*ret_number = (double)NAN;
	if (!query->sort && !wanted)
		return true;
	if (!json_walk_enter(&walk, text))
		return !wanted;
	while (json_walk_member(&walk, &key, &value)) {
		if (query->sort && slice_equals(key, query->sort))
			*ret_number = json_text_number(value);
		for (size_t i = 0; i < query->filter_count; i++)
			if (has_word(query->filter[i].parameter->keys, key) &&
			    takes(&query->filter[i], value))
				passed |= 1U << i;
	}
	return passed == wanted;
}

bool list_row_matches(const struct list_query *query, struct slice text)
{
	double number;

	return look_at(query, text, &number);
}

/* Rows are in one text, so that their addresses tell which came first. */
static int compare_rows(const void *left, const void *right)
{
	const struct list_row *a = left, *b = right;

	if (isnan(a->number) != isnan(b->number))
		return isnan(a->number) ? 1 : -1;
	if (a->number > b->number || a->number < b->number)
		return a->number > b->number ? -1 : 1;
	return a->text.data < b->text.data ? -1 : a->text.data > b->text.data;
}

static bool make_room(struct list *list, size_t *room)
{
	struct list_row *rows;

	if (list->matched < *room)
		return true;
	*room = *room ? *room * 2 : LIST_LIMIT_DEFAULT;
	rows = reallocarray(list->rows, *room, sizeof(*rows));
	if (!rows)
		return false;
	list->rows = rows;
	return true;
}

int list_select(const struct list_query *query, struct slice array, struct list *ret_list)
{
	struct list list = { 0 };
	struct json_walk walk;
	struct slice text;
	double number;
	size_t room = 0;

	if (array.length && array.data[0] == '[' && json_walk_enter(&walk, array)) {
		while (json_walk_element(&walk, &text)) {
			list.total++;
			if (!look_at(query, text, &number))
				continue;
			if (!make_room(&list, &room)) {
				free(list.rows);
				return -ENOMEM;
			}
			list.rows[list.matched++] = (struct list_row){ text, number };
		}
	}
	if (query->sort && list.matched)
		qsort(list.rows, list.matched, sizeof(*list.rows), compare_rows);
	*ret_list = list;
	return 0;
}

static bool is_listed(const char *fields, struct slice key)
{
	for (size_t length; *fields; fields += length + (fields[length] == ',')) {
		length = strcspn(fields, ",");
		if (length == key.length && !memcmp(fields, key.data, length))
			return true;
	}
	return false;
}

void list_write_row(const struct list_query *query, struct slice row, struct body *body)
{
	struct slice key, value;
	struct json_walk walk;
	bool first = true;

	if (!query->fields || row.data[0] != '{') {
		body_add(body, row.data, row.length);
		return;
	}
	json_walk_enter(&walk, row);
	body_add(body, "{", 1);
	while (json_walk_member(&walk, &key, &value)) {
		if (!is_listed(query->fields, key))
			continue;
		body_add(body, ",", !first);
		body_add(body, "\"", 1);
		body_add(body, key.data, key.length);
		body_add(body, "\":", 2);
		body_add(body, value.data, value.length);
		first = false;
	}
	body_add(body, "}", 1);
}
