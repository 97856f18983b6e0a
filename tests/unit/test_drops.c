// SPDX-License-Identifier: MIT
/* Drops: totals that are exact, also when the probe is attached anew, and drops of flows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aggregator/drops.h"

#define S 1000000000ull
#define T0 (1763704000 * S)

static struct drops d;

static int setup(void **state)
{
	(void)state;
	return drops_init(&d);
}

static int teardown(void **state)
{
	(void)state;
	drops_free(&d);
	return 0;
}

/* `packets` of 10.0.0.1:port -> 10.0.0.2:9, by UDP, for a reason. */
static void give(u32 reason, u16 port, u64 packets, u64 ns)
{
	struct drop_record r = {
		.time_ns = ns,
		.key = { .flow = { .src_ip = { 10, 0, 0, 1 }, .dst_ip = { 10, 0, 0, 2 }, .protocol = 17,
				   .src_port_be = __builtin_bswap16(port), .dst_port_be = __builtin_bswap16(9),
				   .ip_version = 4, .flags = FLOW_PORTS },
			 .reason = reason, .netns = 1, .ifname = "eth0" },
		.value = { packets, packets * 100 },
	};
	struct line_reader said = { .reason = { "NO_SOCKET", 9 }, .location = { "udp_rcv", 7 } };

	drops_add(&d, 0, &r, &said, 1, 10 * S);
}

static void count(u16 host, u32 reason, u64 packets, bool is_first)
{
	struct drop_count counts[] = { { { "NO_SOCKET", 9 }, reason, 17, { packets, packets * 100 } } };

	drops_set(&d, host, counts, 1, is_first);
}

static const struct drop_row *row(u16 host, u32 reason)
{
	struct drop_row_id id = { .reason = reason, .row = 17, .host = host };

	return lru_find(&d.rows, &id);
}

static u64 total(u32 reason)
{
	return drop_row_total(row(0, reason))->packets;
}

static u64 recent(u32 reason)
{
	return total(reason) - row(0, reason)->then.packets;
}

static void test_counters_are_the_totals_where_there_are_any(void **state)
{
	(void)state;
	give(3, 1, 5, T0);
	give(3, 2, 6, T0);
	assert_int_equal(total(3), 11);
	assert_int_equal(drop_row_total(row(0, 3))->bytes, 1100);
	assert_string_equal(row(0, 3)->reason, "NO_SOCKET");
	count(0, 3, 100, true);
	assert_int_equal(total(3), 100);
	assert_int_equal(recent(3), 11);
	give(3, 1, 5, T0);
	assert_int_equal(total(3), 100);
}

static void test_rates_begin_with_the_stream(void **state)
{
	(void)state;
	count(0, 3, 1000, true);
	assert_int_equal(recent(3), 0);
	drops_next_interval(&d);
	count(0, 3, 1010, false);
	count(0, 4, 7, false);
	assert_int_equal(recent(3), 10);
	assert_int_equal(recent(4), 7);
	drops_next_interval(&d);
	assert_int_equal(recent(3), 0);
}

static void test_attached_anew_totals_go_on(void **state)
{
	(void)state;
	count(0, 3, 100, true);
	count(0, 4, 5, true);
	count(1, 3, 50, true);
	drops_next_interval(&d);
	count(0, 3, 2, false);
	count(0, 4, 9, false);
	count(1, 3, 51, false);
	assert_int_equal(total(3), 102);
	assert_int_equal(total(4), 14);
	assert_int_equal(recent(4), 9);
	assert_int_equal(drop_row_total(row(1, 3))->packets, 51);
	count(0, 3, 3, false);
	assert_int_equal(total(3), 103);
}

static void test_totals_never_leave(void **state)
{
	(void)state;
	for (u32 reason = 0; reason < DROP_ROWS_MAX + 10; reason++)
		count(0, reason, 1, true);
	assert_int_equal(d.rows.active, DROP_ROWS_MAX);
	assert_int_equal(d.rows.evicted, 0);
	assert_int_equal(d.rows_over, 10);
	assert_non_null(row(0, 0));
}

static void test_flows_are_bounded_and_their_totals_stay(void **state)
{
	(void)state;
	for (u32 port = 0; port < DROP_FLOWS_MAX + 10; port++)
		give(3, (u16)port, 2, T0);
	assert_int_equal(d.flows.active, DROP_FLOWS_MAX);
	assert_int_equal(d.flows.evicted, 10);
	assert_int_equal(total(3), 2 * (DROP_FLOWS_MAX + 10));
}

static void test_drops_of_a_5_tuple_both_ways_and_until_it_is_idle(void **state)
{
	struct flow_id flow = { .ip = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 } }, .port = { 1, 9 },
				.protocol = 17, .ip_version = 4, .vlan = 5, .interface = 2 };
	u64 last_ns;

	(void)state;
	assert_int_equal(drops_of_flow(&d, 0, &flow, &last_ns), 0);
	give(3, 1, 5, T0);
	give(4, 1, 6, T0 + S);
	give(4, 2, 100, T0 + S);
	assert_int_equal(drops_of_flow(&d, 0, &flow, &last_ns), 11);
	assert_int_equal(last_ns, T0 + S);
	assert_int_equal(drops_of_flow(&d, 1, &flow, &last_ns), 0);
	give(4, 1, 1, T0 + 20 * S);
	assert_int_equal(drops_of_flow(&d, 0, &flow, &last_ns), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_counters_are_the_totals_where_there_are_any),
		TEST(test_rates_begin_with_the_stream),
		TEST(test_attached_anew_totals_go_on),
		TEST(test_totals_never_leave),
		TEST(test_flows_are_bounded_and_their_totals_stay),
		TEST(test_drops_of_a_5_tuple_both_ways_and_until_it_is_idle),
	};

	return cmocka_run_group_tests_name("drops", tests, NULL, NULL);
}
