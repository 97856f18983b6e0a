// SPDX-License-Identifier: MIT
/* Rows of folded maps to lines: summed over the CPUs, histograms cut to lines, nothing torn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "common/latency_buckets.h"
#include "reader/folded.h"

#define NOW_NS 1763704001000000000ull

static void flows_are_summed_over_the_cpus(void **state)
{
	const struct flow_key key = { .protocol = 6, .ip_version = 4, .vlan = VLAN_NONE };
	const struct flow_value values[4] = {
		{ 2 << 8 | 0x02, 200, 5, 9 },
		{ 0, 0, 0, 0 },			/* this CPU saw nothing */
		{ 1 << 8 | 0x10, 60, 0xfffffff0, 3 },	/* ticks have wrapped since */
		{ 3 << 8 | 0x01, 300, 8, 8 },
	};
	const u64 tick = 1 << 20, wraps = 1ull << 32, offset_ns = 1763704000000000000ull;
	const struct folded_row row = { &key, values, 4, offset_ns + (wraps + 10) * tick };
	struct flow_record r;

	(void)state;
	folded_sum_flow(&row, offset_ns, &r);
	assert_int_equal(r.packets, 6);
	assert_int_equal(r.bytes, 560);
	assert_int_equal(r.tcp_flags, 0x13);
	assert_int_equal(r.first_ns, offset_ns + (wraps - 16) * tick);
	assert_int_equal(r.last_ns, offset_ns + (wraps + 9) * tick);
	assert_int_equal(r.time_ns, row.now_ns);
	assert_int_equal(r.key.protocol, 6);
}

/* The one line of a row, without names. */
static void write_row(int kind, const void *key, const void *values, unsigned int n, char *line)
{
	const struct folded_row row = { key, values, n, NOW_NS };
	struct line_writer *writer = calloc(1, sizeof(*writer));
	struct drain drain = { .writer = writer };
	u32 cursor = 0;

	line_writer_init(writer);
	*folded_kinds[kind].write(line, &drain, &row, &cursor) = '\0';
	assert_int_equal(cursor, 0);
	free(writer);
}

static void processes_are_summed_over_the_cpus(void **state)
{
	static const char expected[] =
		"{\"type\":\"process\",\"timestamp\":1763704001000.000,\"pid\":42,\"command\":\"curl\",\"uid\":7,"
		"\"ip_version\":4,\"proto\":\"TCP\",\"remote_ip\":\"10.0.0.2\",\"remote_port\":443,"
		"\"tx_bytes\":11,\"rx_bytes\":22,\"tx_calls\":3,\"rx_calls\":4}\n";
	const struct process_key key = {
		.remote_ip = { 10, 0, 0, 2 }, .command = "curl", .pid = 42, .uid = 7,
		.remote_port_be = 0xbb01, .protocol = 6, .ip_version = 4,
		.flags = PROCESS_REMOTE | PROCESS_PORT,
	};
	const struct process_value values[3] = { { 10, 0, 2, 0 }, { 0, 0, 0, 0 }, { 1, 22, 1, 4 } };
	char line[LINE_MAX_BYTES];

	(void)state;
	write_row(FOLD_PROCESS, &key, values, 3, line);
	assert_string_equal(line, expected);
}

static void drops_are_summed_over_the_cpus(void **state)
{
	static const char expected[] =
		"{\"type\":\"drop\",\"timestamp\":1763704001000.000,\"ifname\":\"eth0\",\"netns\":9,\"ip_version\":4,"
		"\"proto\":\"UDP\",\"src_ip\":\"10.0.0.1\",\"dst_ip\":\"10.0.0.2\",\"src_port\":1,\"dst_port\":2,"
		"\"reason\":\"0x3\",\"reason_code\":3,\"location\":null,\"count\":5,\"bytes\":350}\n";
	const struct drop_key key = {
		.flow = { .src_ip = { 10, 0, 0, 1 }, .dst_ip = { 10, 0, 0, 2 }, .src_port_be = 0x0100,
			  .dst_port_be = 0x0200, .protocol = 17, .ip_version = 4, .flags = FLOW_PORTS },
		.reason = 3, .netns = 9, .location = 4, .ifname = "eth0",
	};
	const struct drop_value values[2] = { { 1, 70 }, { 4, 280 } };
	char line[LINE_MAX_BYTES];

	(void)state;
	write_row(FOLD_DROP, &key, values, 2, line);
	assert_string_equal(line, expected);
}

static void a_histogram_is_one_line(void **state)
{
	static const char host[] =
		"{\"type\":\"latency\",\"timestamp\":1763704001000.000,\"name\":\"tcp_rtt\",\"unit\":\"us\","
		"\"network\":null,\"count\":9,\"buckets\":[[31,1],[32,8]]}\n";
	static const char network[] =
		"{\"type\":\"latency\",\"timestamp\":1763704001000.000,\"name\":\"tcp_rtt\",\"unit\":\"us\","
		"\"network\":\"2001:db8:7::/48\",\"count\":9,\"buckets\":[[31,1],[32,8]]}\n";
	const struct latency_key all = { .ip_version = 0 };
	const struct latency_key one = { .network = { 0x20, 1, 0xd, 0xb8, 0, 7 }, .ip_version = 6,
					 .prefix_length = 48 };
	struct latency_value value = { .counts = { 0 } };
	char line[LINE_MAX_BYTES];

	(void)state;
	value.counts[latency_bucket(31)] = 1;
	value.counts[latency_bucket(32)] = 8;
	write_row(FOLD_LATENCY, &all, &value, 1, line);
	assert_string_equal(line, host);
	write_row(FOLD_LATENCY, &one, &value, 1, line);
	assert_string_equal(line, network);
}

static void an_empty_histogram_is_a_line_too(void **state)
{
	const struct latency_key key = { .network = { 10 }, .ip_version = 4, .prefix_length = 24 };
	struct latency_value value = { .counts = { 0 } };
	char line[LINE_MAX_BYTES];

	(void)state;
	write_row(FOLD_LATENCY, &key, &value, 1, line);
	assert_non_null(strstr(line, "\"network\":\"10.0.0.0/24\",\"count\":0,\"buckets\":[]}\n"));
}

/* Adds up what a line says by bucket; returns the samples. */
static u64 add_line(const char *line, size_t length, u64 *sums)
{
	json_t *root = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL), *pair;
	u64 count = (u64)json_integer_value(json_object_get(root, "count")), sum = 0;
	size_t i;

	assert_non_null(root);
	json_array_foreach(json_object_get(root, "buckets"), i, pair) {
		u32 upper = (u32)json_integer_value(json_array_get(pair, 0));
		u64 n = (u64)json_integer_value(json_array_get(pair, 1));

		assert_int_equal(latency_bucket_upper_us(latency_bucket(upper)), upper);
		sums[latency_bucket(upper)] += n;
		sum += n;
	}
	assert_int_equal(sum, count);
	json_decref(root);
	return count;
}

/* Every n-th bucket with the longest count: all lines together say it all, none is too long. */
static void large_histograms_follow_in_lines_that_add_up(void **state)
{
	const struct latency_key key = {
		.network = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, .ip_version = 6, .prefix_length = 48,
	};

	(void)state;
	for (u32 step = 1; step < 9; step++) {
		struct latency_value value = { .counts = { 0 } };
		u64 sums[LATENCY_BUCKETS] = { 0 }, count = 0;
		u32 cursor = 0, lines = 0;

		for (u32 i = 0; i < LATENCY_BUCKETS; i += step)
			value.counts[i] = UINT32_MAX;
		do {
			char line[LINE_MAX_BYTES];
			char *end = folded_latency_line(line, &key, &value, NOW_NS, &cursor);

			assert_true(end <= line + sizeof(line));
			assert_int_equal(end[-1], '\n');
			count += add_line(line, (size_t)(end - line), sums);
			lines++;
		} while (cursor && lines < 100);
		assert_true(lines == 1 || step < 5);
		for (u32 i = 0; i < LATENCY_BUCKETS; i++)
			assert_int_equal(sums[i], value.counts[i]);
		assert_int_equal(count, (u64)UINT32_MAX * ((LATENCY_BUCKETS + step - 1) / step));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_are_summed_over_the_cpus),
		cmocka_unit_test(processes_are_summed_over_the_cpus),
		cmocka_unit_test(drops_are_summed_over_the_cpus),
		cmocka_unit_test(a_histogram_is_one_line),
		cmocka_unit_test(an_empty_histogram_is_a_line_too),
		cmocka_unit_test(large_histograms_follow_in_lines_that_add_up),
	};

	line_write_init();
	return cmocka_run_group_tests_name("reader_folded", tests, NULL, NULL);
}
