// SPDX-License-Identifier: MIT
/* Round-trip times: percentiles of known samples, and the minute that they are of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aggregator/latency.h"

#define S 1000000000ull
#define T0 (1763704000 * S)

static struct latencies l;

static int setup(void **state)
{
	(void)state;
	return latencies_init(&l);
}

static int teardown(void **state)
{
	(void)state;
	latencies_free(&l);
	return 0;
}

static struct latency *get(const char *network)
{
	struct latency_line line = { .name = { "tcp_rtt", 7 }, .unit = { "us", 2 },
				     .network = { network, network ? strlen(network) : 0 } };
	struct latency *row = latencies_get(&l, 0, &line);

	assert_non_null(row);
	return row;
}

/* One sample, as a probe files it. */
static void sample(struct latency *row, u32 us, u64 ns)
{
	latency_add(row, latency_bucket_upper_us(latency_bucket(us)), 1, ns, 1);
}

static struct latency_summary summary(const struct latency *row, u64 now_ns)
{
	struct latency_summary s;

	latency_summarize(row, now_ns, &s);
	return s;
}

static int by_value(const void *one, const void *other)
{
	u32 a = *(const u32 *)one, b = *(const u32 *)other;

	return a < b ? -1 : a > b;
}

/* The nearest-rank percentile of sorted samples, as the bound of its bucket. */
static u32 expected(const u32 *sorted, u32 n, u32 percent)
{
	u32 rank = (n * percent + 99) / 100;

	return latency_bucket_upper_us(latency_bucket(sorted[rank - 1]));
}

static void test_percentiles_are_those_of_the_sorted_samples(void **state)
{
	static u32 samples[5000];
	const u32 sizes[] = { 1, 2, 3, 10, 19, 20, 21, 99, 100, 101, 5000 };

	(void)state;
	srand(3);
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		char network[16];
		struct latency *row;
		struct latency_summary s;
		u32 n = sizes[k];

		snprintf(network, sizeof(network), "10.0.%zu.0/24", k);
		row = get(network);
		for (u32 i = 0; i < n; i++) {
			samples[i] = (u32)rand() >> (rand() % 27 + 4);
			sample(row, samples[i], T0);
		}
		qsort(samples, n, sizeof(samples[0]), by_value);
		s = summary(row, T0);
		assert_int_equal(s.count, n);
		assert_int_equal(s.p50, expected(samples, n, 50));
		assert_int_equal(s.p95, expected(samples, n, 95));
		assert_int_equal(s.p99, expected(samples, n, 99));
		assert_int_equal(s.max, expected(samples, n, 100));
	}
}

static void test_only_the_last_minute_counts(void **state)
{
	struct latency *row = get(NULL);

	(void)state;
	sample(row, 1000, T0);
	assert_int_equal(summary(row, T0 + 49 * S).count, 1);
	assert_int_equal(summary(row, T0 + 60 * S).count, 0);
	for (u32 i = 0; i < 600; i++)
		sample(row, i < 540 ? 100 : 10, T0 + i * S);
	assert_in_range(summary(row, T0 + 599 * S).count, 50, 60);
	assert_int_equal(summary(row, T0 + 599 * S).max, 10);
	assert_int_equal(row->total, 601);
	/* What comes late is in no minute any more, but in the total. */
	sample(row, 9000, T0);
	assert_int_equal(summary(row, T0 + 599 * S).max, 10);
	assert_int_equal(row->total, 602);
	assert_int_equal(summary(row, T0 + 3600 * S).p50, 0);
}

static void test_any_bound_finds_its_bucket(void **state)
{
	struct latency *row = get(NULL);

	(void)state;
	latency_add(row, 1000, 3, T0, 1);	/* 992..1007 */
	assert_int_equal(summary(row, T0).max, 1007);
	latency_add(row, 0, 1, T0, 1);
	assert_int_equal(summary(row, T0).count, 4);
	latency_add(row, 1ull << 53, 1ull << 53, T0, 1);
	assert_int_equal(summary(row, T0).max, (1u << 27) - 1);
	latency_add(row, 1ull << 53, 1ull << 53, T0, 1);
	assert_int_equal(row->recent.counts[LATENCY_BUCKETS - 1], UINT32_MAX);
	assert_int_equal(summary(row, T0).p50, (1u << 27) - 1);
}

static void test_intervals_are_apart_and_lines_of_one_add_up(void **state)
{
	struct latency *row = get(NULL);

	(void)state;
	latency_add(row, 10, 1, T0, 1);
	latency_add(row, 10, 2, T0, 1);
	assert_int_equal(row->recent.counts[10], 3);
	latency_add(row, 20, 5, T0, 2);
	assert_int_equal(row->recent.counts[10], 0);
	assert_int_equal(row->recent.counts[20], 5);
	assert_int_equal(summary(row, T0).count, 8);
}

static void test_networks_are_bounded_and_the_host_stays(void **state)
{
	(void)state;
	for (u32 i = 0; i < LATENCY_ROWS_MAX * 3; i++) {
		char network[32];

		snprintf(network, sizeof(network), "10.%u.%u.0/24", i / 256, i % 256);
		sample(get(NULL), 100, T0);
		sample(get(network), 100, T0);
	}
	assert_int_equal(l.table.active, LATENCY_ROWS_MAX);
	assert_int_equal(l.table.evicted, LATENCY_ROWS_MAX * 2 + 1);
	assert_int_equal(get(NULL)->total, LATENCY_ROWS_MAX * 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_percentiles_are_those_of_the_sorted_samples),
		TEST(test_only_the_last_minute_counts),
		TEST(test_any_bound_finds_its_bucket),
		TEST(test_intervals_are_apart_and_lines_of_one_add_up),
		TEST(test_networks_are_bounded_and_the_host_stays),
	};

	return cmocka_run_group_tests_name("latency", tests, NULL, NULL);
}
