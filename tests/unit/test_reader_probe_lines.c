// SPDX-License-Identifier: MIT
/* Lines of the probes' counters: every counter once, every row once, no line too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "common/total_rows.h"
#include "reader/probe_lines.h"

#define NOW_NS 1763704001000000000ull

static void a_probe_says_its_counters(void **state)
{
	static const char expected[] =
		"{\"type\":\"probe\",\"timestamp\":1763704001000.000,\"probe\":\"latency\","
		"\"counters\":{\"samples\":7,\"unattributed\":18446744073709551615}}\n";
	u64 counters[PROBE_COUNTERS] = { 0 };
	char line[LINE_MAX_BYTES];

	(void)state;
	counters[COUNTER_latency_samples] = 7;
	counters[COUNTER_latency_unattributed] = UINT64_MAX;
	*probe_line_write(line, HOST_PROBE_LATENCY, counters, NOW_NS) = '\0';
	assert_string_equal(line, expected);
}

static void all_counters_are_in_one_line_each(void **state)
{
	u64 counters[PROBE_COUNTERS];
	size_t n = 0;

	(void)state;
	for (unsigned int i = 0; i < PROBE_COUNTERS; i++)
		counters[i] = i;
	for (unsigned int probe = 0; probe < HOST_PROBES; probe++) {
		char line[LINE_MAX_BYTES], *end = probe_line_write(line, probe, counters, NOW_NS);
		json_t *root = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
		json_t *value;
		const char *name;

		assert_non_null(root);
		json_object_foreach(json_object_get(root, "counters"), name, value)
			assert_int_equal(json_integer_value(value), n++);
		json_decref(root);
	}
	assert_int_equal(n, PROBE_COUNTERS);
}

static void drops_have_names_where_there_are_any(void **state)
{
	static const char expected[] =
		"{\"type\":\"drop_counters\",\"timestamp\":1763704001000.000,\"drops\":["
		"{\"reason\":\"NO_SOCKET\",\"reason_code\":3,\"proto\":\"UDP\",\"packets\":1,\"bytes\":70},"
		"{\"reason\":\"0x30001\",\"reason_code\":196609,\"proto\":\"ARP\",\"packets\":2,\"bytes\":28},"
		"{\"reason\":\"NOT_SPECIFIED\",\"reason_code\":2,\"proto\":null,\"packets\":3,\"bytes\":0}],"
		"\"more\":false}\n";
	const struct drop_total rows[] = {
		{ { 3, 17, { 0 } }, { 1, 70 }, "NO_SOCKET" },
		{ { 0x30001, TOTAL_ARP, { 0 } }, { 2, 28 }, NULL },
		{ { 2, DROP_ROW_UNKNOWN, { 0 } }, { 3, 0 }, "NOT_SPECIFIED" },
	};
	char line[LINE_MAX_BYTES];
	unsigned int cursor = 0;

	(void)state;
	*drop_counters_line_write(line, rows, 3, NOW_NS, &cursor) = '\0';
	assert_string_equal(line, expected);
	assert_int_equal(cursor, 3);
}

static void no_drops_are_a_line_too(void **state)
{
	char line[LINE_MAX_BYTES];
	unsigned int cursor = 0;

	(void)state;
	*drop_counters_line_write(line, NULL, 0, NOW_NS, &cursor) = '\0';
	assert_non_null(strstr(line, "\"drops\":[],\"more\":false}\n"));
}

/* The most rows there are, with the longest numbers and a name that is all escaped. */
static void rows_that_do_not_fit_follow(void **state)
{
	struct drop_total *rows = calloc(DROP_TOTALS_MAX, sizeof(*rows));
	unsigned int cursor = 0, seen = 0;
	char name[256];

	(void)state;
	memset(name, 1, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (unsigned int i = 0; i < DROP_TOTALS_MAX; i++)
		rows[i] = (struct drop_total){ { UINT32_MAX, TOTAL_OTHER - 1, { 0 } },
					       { INT64_MAX, INT64_MAX }, name };
	while (cursor < DROP_TOTALS_MAX) {
		char line[LINE_MAX_BYTES];
		char *end = drop_counters_line_write(line, rows, DROP_TOTALS_MAX, NOW_NS, &cursor);
		json_t *root;

		assert_true(end <= line + sizeof(line));
		root = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(root);
		seen += (unsigned int)json_array_size(json_object_get(root, "drops"));
		assert_int_equal(seen, cursor);
		assert_int_equal(json_is_true(json_object_get(root, "more")), cursor < DROP_TOTALS_MAX);
		json_decref(root);
	}
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_probe_says_its_counters),
		cmocka_unit_test(all_counters_are_in_one_line_each),
		cmocka_unit_test(drops_have_names_where_there_are_any),
		cmocka_unit_test(no_drops_are_a_line_too),
		cmocka_unit_test(rows_that_do_not_fit_follow),
	};

	line_write_init();
	return cmocka_run_group_tests_name("reader_probe_lines", tests, NULL, NULL);
}
