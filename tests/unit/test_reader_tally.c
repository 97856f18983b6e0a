// SPDX-License-Identifier: MIT
/* Counters lines: every row once, sums that agree, no line beyond its limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "reader/tally.h"

#define IFNAME "\"eth0\""
#define LINES_MAX 64

static json_int_t number(const json_t *line, const char *key)
{
	const json_t *value = json_object_get(line, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

/* All lines of a tally, parsed; the number of them. */
static unsigned int write_all(const struct tally *t, const char *ifname, json_t **lines)
{
	struct tally_cursor cursor = { 0 };
	unsigned int n = 0;

	while (!cursor.done) {
		char line[LINE_MAX_BYTES];
		char *end = tally_line_write(line, t, ifname, strlen(ifname),
					     1763704000123456000ull, &cursor);

		assert_true(end <= line + sizeof(line));
		assert_int_equal(end[-1], '\n');
		assert_true(n < LINES_MAX);
		lines[n] = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(lines[n]);
		n++;
	}
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(json_is_true(json_object_get(lines[i], "more")), i + 1 < n);
	return n;
}

static void one_line_says_it_all(void **state)
{
	static const char expected[] =
		"{\"type\":\"counters\",\"timestamp\":1763704000123.456,\"ifname\":\"eth0\","
		"\"packets\":5,\"bytes\":500,\"ingress_packets\":3,\"ingress_bytes\":300,"
		"\"egress_packets\":2,\"egress_bytes\":200,\"packet_lines\":1,\"folded\":3,"
		"\"unattributed\":1,\"unattributed_bytes\":100,\"malformed\":2,\"ring_full\":4,"
		"\"protocols\":[{\"direction\":\"ingress\",\"proto\":\"TCP\",\"packets\":3,"
		"\"bytes\":300,\"unattributed\":1,\"unattributed_bytes\":100},"
		"{\"direction\":\"egress\",\"proto\":\"ARP\",\"packets\":2,\"bytes\":200,"
		"\"unattributed\":0,\"unattributed_bytes\":0}],"
		"\"cpus\":[{\"cpu\":1,\"packets\":5,\"bytes\":500}],\"more\":false}\n";
	const struct total_value tcp = { 3, 300, 1, 100 }, arp = { 2, 200, 0, 0 };
	struct tally *t = tally_new(2);
	struct tally_cursor cursor = { 0 };
	char line[LINE_MAX_BYTES];
	char *end;

	(void)state;
	tally_add(t, 6, 1, &tcp);
	tally_add(t, TOTAL_ROWS + TOTAL_ARP, 1, &arp);
	t->losses[DIRECTION_INGRESS] = (struct loss_value){ 1, 4, 2 };
	end = tally_line_write(line, t, IFNAME, strlen(IFNAME), 1763704000123456789ull, &cursor);
	assert_int_equal(end - line, strlen(expected));
	assert_memory_equal(line, expected, strlen(expected));
	assert_true(cursor.done);
	free(t);
}

static void nothing_counted_is_a_line_too(void **state)
{
	json_t *lines[LINES_MAX];
	struct tally *t = tally_new(4);

	(void)state;
	assert_int_equal(write_all(t, IFNAME, lines), 1);
	assert_int_equal(number(lines[0], "packets"), 0);
	assert_int_equal(json_array_size(json_object_get(lines[0], "protocols")), 0);
	json_decref(lines[0]);
	free(t);
}

/* Every row, with the longest numbers and the longest name. */
static void rows_that_do_not_fit_follow(void **state)
{
	const u64 huge = 10000000000000000ull;	/* of 1144 rows: the sums stay below 2^63 */
	const struct total_value most = { huge / 2, huge / 4, huge / 8, huge / 8 };
	size_t rows = 0, cpus = 0;
	json_t *lines[LINES_MAX];
	struct tally *t = tally_new(256);
	char name[LINE_IFNAME_BYTES];
	unsigned int n;

	(void)state;
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = i == 0 || i == sizeof(name) - 2 ? '"' : 'n';
	name[sizeof(name) - 1] = '\0';
	for (unsigned int entry = 0; entry < TOTAL_ENTRIES; entry++)
		tally_add(t, entry, entry % 256, &most);
	n = write_all(t, name, lines);
	assert_true(n > 20);
	for (unsigned int i = 0; i < n; i++) {
		rows += json_array_size(json_object_get(lines[i], "protocols"));
		cpus += json_array_size(json_object_get(lines[i], "cpus"));
		assert_int_equal(number(lines[i], "packets"), (json_int_t)(huge / 2 * TOTAL_ENTRIES));
		json_decref(lines[i]);
	}
	assert_int_equal(rows, TOTAL_ENTRIES);
	assert_int_equal(cpus, 256);
	free(t);
}

/* The lines of one interface while it counts: parts may be ahead of their sum. */
static void folded_is_never_negative(void **state)
{
	const struct total_value one = { 1, 60, 0, 0 };
	json_t *lines[LINES_MAX];
	struct tally *t = tally_new(1);

	(void)state;
	tally_add(t, 17, 0, &one);
	t->losses[0].packet_lines = 2;
	assert_int_equal(write_all(t, IFNAME, lines), 1);
	assert_int_equal(number(lines[0], "folded"), 0);
	json_decref(lines[0]);
	tally_clear(t);
	assert_int_equal(t->n_cpus, 1);
	assert_int_equal(t->rows[17].packets, 0);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_says_it_all),
		cmocka_unit_test(nothing_counted_is_a_line_too),
		cmocka_unit_test(rows_that_do_not_fit_follow),
		cmocka_unit_test(folded_is_never_negative),
	};

	line_write_init();
	return cmocka_run_group_tests_name("reader_tally", tests, NULL, NULL);
}
