/* SPDX-License-Identifier: MIT */
/* Members of the objects that jansson reads, with their bounds. */
#include "common/fields.h"

#define NS_PER_MS 1000000ull
#define COUNT_MAX (1ll << 53)

enum line_status fields_load(const char *line, size_t length, json_t **ret_root)
{
	json_error_t error;

	*ret_root = json_loadb(line, length, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
	if (*ret_root)
		return LINE_OK;
	return json_error_code(&error) == json_error_duplicate_key ? LINE_WRONG_TYPE : LINE_NOT_JSON;
}

struct line_text field_text(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	size_t length = json_string_length(value);

	return (struct line_text){ length <= LINE_TEXT_MAX ? json_string_value(value) : NULL, length };
}

bool count_of(const json_t *value, u64 *ret)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > COUNT_MAX)
		return false;
	*ret = (u64)json_integer_value(value);
	return true;
}

bool field_count(const json_t *object, const char *key, u64 *ret)
{
	return count_of(json_object_get(object, key), ret);
}

bool field_time(const json_t *root, u64 *ret_ns)
{
	const json_t *value = json_object_get(root, "timestamp");
	double ms = json_number_value(value);

	if (!json_is_number(value) || !(ms >= 0 && ms < 1e13))
		return false;
	*ret_ns = (u64)(ms * (double)NS_PER_MS);
	return true;
}
