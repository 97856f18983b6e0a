/* SPDX-License-Identifier: MIT */
/* What a row says in a column: as text, as a number. */
#include "top/value.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "top/text.h"
#include "top/units.h"

#define TIME_MOST_MS 253402300800000.0	/* the year 10000 */

double value_number(const json_t *row, const char *member)
{
	const json_t *value = member ? json_object_get(row, member) : NULL;

	return json_is_number(value) ? json_number_value(value) : -1;
}

bool value_time(double ms, bool with_day, char *ret_text, size_t size)
{
	time_t seconds = ms > 0 && ms < TIME_MOST_MS ? (time_t)(ms / 1000) : -1;
	struct tm tm;

	if (seconds < 0 || !localtime_r(&seconds, &tm))
		return false;
	return strftime(ret_text, size, with_day ? "%Y-%m-%d %H:%M:%S %Z" : "%H:%M:%S", &tm) > 0;
}

void value_text(const json_t *value, char *ret_text, size_t size)
{
	if (json_is_string(value))
		text_clean(json_string_value(value), json_string_length(value), ret_text, size);
	else if (json_is_integer(value))
		snprintf(ret_text, size, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(ret_text, size, "%.3f", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(ret_text, size, "%s", json_is_true(value) ? "yes" : "no");
	else
		snprintf(ret_text, size, "-");
}

static void endpoint(const json_t *row, const struct column *column, char *ret_text, size_t size)
{
	const json_t *port = json_object_get(row, column->second);
	char ip[VALUE_TEXT], number[32];

	value_text(json_object_get(row, column->member), ip, sizeof(ip));
	if (!json_is_integer(port)) {
		snprintf(ret_text, size, "%s", ip);
		return;
	}
	value_text(port, number, sizeof(number));
	snprintf(ret_text, size, strchr(ip, ':') ? "[%s]:%s" : "%s:%s", ip, number);
}

void value_cell(const json_t *row, const struct column *column, bool as_bytes, char *ret_text,
		size_t size)
{
	static void (*const formats[])(double number, char *ret_text, size_t size) = {
		[COLUMN_COUNT] = units_count,
		[COLUMN_SIZE] = units_size,
		[COLUMN_DURATION] = units_duration,
		[COLUMN_MICROSECONDS] = units_microseconds,
		[COLUMN_BARS] = NULL,	/* the last one */
	};
	const json_t *value = json_object_get(row, column->member);
	double number = value_number(row, column->member);

	ret_text[0] = '\0';
	if (column->kind == COLUMN_ENDPOINT)
		endpoint(row, column, ret_text, size);
	else if (column->kind == COLUMN_RATE && number >= 0)
		units_rate(number, as_bytes, ret_text, size);
	else if (formats[column->kind] && number >= 0)
		formats[column->kind](number, ret_text, size);
	else if (column->kind != COLUMN_BARS)
		value_text(value, ret_text, size);
}

static int compare_members(const json_t *a, const json_t *b, const char *member)
{
	const json_t *x = member ? json_object_get(a, member) : NULL;
	const json_t *y = member ? json_object_get(b, member) : NULL;
	double p, q;

	if (json_is_string(x) && json_is_string(y))
		return strcmp(json_string_value(x), json_string_value(y));
	p = value_number(a, member);
	q = value_number(b, member);
	if (p == q)
		return json_is_string(x) - json_is_string(y);
	return p < q ? -1 : 1;
}

int value_compare(const json_t *a, const json_t *b, const struct column *column)
{
	int order = compare_members(a, b, column->member);

	if (!order && (column->kind == COLUMN_ENDPOINT || column->kind == COLUMN_BARS))
		order = compare_members(a, b, column->second);
	return order;
}
