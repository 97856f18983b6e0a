/* SPDX-License-Identifier: MIT */
/* Parameters that came as a JSON object, made what they would be in a target. */
#include "httpd/json_query.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_number(const struct parameter *parameter)
{
	return parameter->kind == PARAMETER_NUMBER || parameter->kind == PARAMETER_LIMIT ||
	       parameter->kind == PARAMETER_SINCE;
}

/* Clients that know no optional members send 0 and "" for none. */
static bool is_none(const struct parameter *parameter, const json_t *value)
{
	if (!value || json_is_null(value))
		return true;
	if (!parameter->empty_is_none)
		return false;
	return json_is_integer(value) ? !json_integer_value(value)
				      : json_is_string(value) && !json_string_length(value);
}

static int take(struct json_query *query, const struct parameter *parameter, const json_t *value,
		const char **ret_why)
{
	size_t at = query->query.count;
	struct query_pair *pair = &query->query.pair[at];

	if (at == QUERY_PAIRS_MAX) {
		*ret_why = "too many parameters";
		return -EINVAL;
	}
	if (is_number(parameter) ? !json_is_integer(value) : !json_is_string(value)) {
		*ret_why = is_number(parameter) ? "must be a whole number" : "must be a string";
		return -EINVAL;
	}
	pair->name = parameter->name;
	pair->value = json_string_value(value);
	if (is_number(parameter)) {
		snprintf(query->number[at], JSON_NUMBER_SIZE, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
		pair->value = query->number[at];
	}
	query->query.count++;
	return 0;
}

int json_query_parse(struct slice text, const struct parameter *table,
		     struct json_query *ret_query, const char **ret_name, const char **ret_why)
{
	ret_query->query.count = 0;
	ret_query->root = json_loadb(text.length ? text.data : "", text.length,
				     JSON_REJECT_DUPLICATES, NULL);
	*ret_name = "the body";
	*ret_why = "must be one JSON object, such as {\"pid\":1,\"duration\":60}";
	if (!json_is_object(ret_query->root))
		return -EINVAL;
	for (; table && table->name; table++) {
		const json_t *value = json_object_get(ret_query->root, table->name);

		*ret_name = table->name;
		if (!is_none(table, value) && take(ret_query, table, value, ret_why))
			return -EINVAL;
	}
	return 0;
}

void json_query_free(struct json_query *query)
{
	json_decref(query->root);
	query->root = NULL;
}
