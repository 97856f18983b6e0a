// SPDX-License-Identifier: MIT
/* Connections: their lives, both sides of one, floods of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aggregator/connections.h"

#define S 1000000000ull
#define MS 1000000ull
#define T0 (1763704000 * S)
#define LIMIT 64

static struct connections c;
static struct processes p;

static int setup(void **state)
{
	(void)state;
	assert_int_equal(processes_init(&p, 16), 0);
	return connections_init(&c, LIMIT);
}

static int teardown(void **state)
{
	(void)state;
	connections_free(&c);
	processes_free(&p);
	return 0;
}

/* 10.0.0.1:port (opener) -> 10.0.0.2:443, as the side of the direction tells it. */
static struct connection_record record(u8 event, u16 port, u8 direction, u64 ns)
{
	return (struct connection_record){
		.time_ns = ns, .duration_ns = DURATION_NONE, .event = event,
		.owner = { .pid = direction == DIRECTION_EGRESS ? 100 : 200, .uid = 5, .netns = 1,
			   .command = "client" },
		.key = { .src_ip = { 10, 0, 0, 1 }, .dst_ip = { 10, 0, 0, 2 },
			 .src_port_be = __builtin_bswap16(port), .dst_port_be = __builtin_bswap16(443),
			 .protocol = 6, .ip_version = 4, .direction = direction, .flags = FLOW_PORTS },
	};
}

static void give(const struct connection_record *r, u32 interval)
{
	struct line_reader said = { .cgroup = { "/a.slice", 8 }, .service = { "https", 5 } };

	assert_true(connections_add(&c, 0, r, &said, interval));
}

static void give_event(u8 event, u16 port, u8 direction, u64 ns)
{
	struct connection_record r = record(event, port, direction, ns);

	give(&r, 1);
}

static struct connection *newest(u8 list)
{
	return lru_newest(&c.table, list);
}

static struct flow_id flow(u16 port)
{
	return (struct flow_id){ .ip = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 } }, .port = { port, 443 },
				 .protocol = 6, .ip_version = 4, .vlan = 7, .interface = 3,
				 .flags = FLOW_PORTS };
}

static const struct tuple *tuple(u16 port)
{
	struct flow_id id = flow(port);

	return connections_tuple(&c, 0, &id);
}

static void test_a_life(void **state)
{
	struct connection_record r;

	(void)state;
	give_event(CONNECTION_CONNECT, 1000, DIRECTION_EGRESS, T0);
	assert_int_equal(newest(LIST_OPEN)->state, CONNECTION_CONNECTING);
	r = record(CONNECTION_ESTABLISHED, 1000, DIRECTION_EGRESS, T0 + MS);
	r.rtt_us = 900;
	give(&r, 1);
	assert_int_equal(newest(LIST_OPEN)->state, CONNECTION_OPEN);
	r = record(CONNECTION_CLOSE, 1000, DIRECTION_EGRESS, T0 + 3 * MS);
	r.duration_ns = 2 * MS;
	r.reason = REASON_REMOTE;
	r.bytes_sent = 10;
	r.retransmits = 4;
	r.owner.pid = 0;
	give(&r, 1);
	assert_null(newest(LIST_OPEN));
	assert_int_equal(newest(LIST_ENDED)->state, CONNECTION_CLOSED);
	assert_int_equal(newest(LIST_ENDED)->reason, REASON_REMOTE);
	assert_int_equal(newest(LIST_ENDED)->owner.pid, 100);
	assert_int_equal(newest(LIST_ENDED)->begun_ns, T0);
	assert_int_equal(newest(LIST_ENDED)->established_ns, T0 + MS);
	assert_int_equal(newest(LIST_ENDED)->rtt_us, 900);
	assert_string_equal(newest(LIST_ENDED)->cgroup, "/a.slice");
	assert_string_equal(newest(LIST_ENDED)->service, "https");
	assert_int_equal(tuple(1000)->retransmits, 4);
	assert_int_equal(tuple(1000)->rtt_us, 900);
	assert_int_equal(tuple(1000)->pid, 100);
	/* The same addresses again are another one. */
	give_event(CONNECTION_CONNECT, 1000, DIRECTION_EGRESS, T0 + S);
	assert_int_equal(c.table.active, 2);
	assert_int_equal(newest(LIST_OPEN)->bytes_sent, 0);
	assert_int_equal(tuple(1000)->ended_ns, 0);
	assert_int_equal(tuple(1000)->rtt_us, 0);
	assert_int_equal(c.n_connects, 2);
	assert_int_equal(c.closed, 1);
}

static void test_an_end_whose_beginning_nobody_saw(void **state)
{
	struct connection_record r = record(CONNECTION_CLOSE, 1, DIRECTION_EGRESS, T0);

	(void)state;
	r.duration_ns = 5 * S;
	give(&r, 1);
	assert_int_equal(newest(LIST_ENDED)->established_ns, T0 - 5 * S);
	r = record(CONNECTION_FAILED, 2, DIRECTION_EGRESS, T0);
	r.duration_ns = 2 * T0;	/* cannot be */
	give(&r, 1);
	assert_int_equal(newest(LIST_ENDED)->state, CONNECTION_FAILURE);
	assert_int_equal(newest(LIST_ENDED)->begun_ns, 0);
	assert_int_equal(c.failed, 1);
}

static void test_both_sides_of_one_connection_are_two_and_the_flow_is_the_openers(void **state)
{
	(void)state;
	give_event(CONNECTION_CONNECT, 9, DIRECTION_EGRESS, T0);
	give_event(CONNECTION_ACCEPT, 9, DIRECTION_INGRESS, T0 + MS);
	give_event(CONNECTION_ESTABLISHED, 9, DIRECTION_EGRESS, T0 + MS);
	assert_int_equal(c.table.active, 2);
	assert_int_equal(c.tuples.active, 1);
	assert_int_equal(tuple(9)->pid, 100);
	assert_int_equal(tuple(9)->opener, 0);
	give_event(CONNECTION_CLOSE, 9, DIRECTION_INGRESS, T0 + S);
	assert_int_equal(tuple(9)->ended_ns, 0);
	give_event(CONNECTION_CLOSE, 9, DIRECTION_EGRESS, T0 + S);
	assert_int_equal(tuple(9)->ended_ns, T0 + S);
	assert_int_equal(tuple(9)->pid, 100);
	assert_int_equal(c.table.lists[LIST_ENDED].n, 2);
	/* Where only the accepting side is ours, it is the owner; the opener is still the other. */
	give_event(CONNECTION_ACCEPT, 10, DIRECTION_INGRESS, T0);
	assert_int_equal(tuple(10)->pid, 200);
	assert_int_equal(tuple(10)->opener, 0);
	/* Walked in the wrong order, the opener has the last word. */
	give_event(CONNECTION_ESTABLISHED, 10, DIRECTION_EGRESS, T0);
	assert_int_equal(tuple(10)->pid, 100);
}

static void test_what_was_open_before_is_no_event(void **state)
{
	struct connection_record r = record(CONNECTION_ESTABLISHED, 1, DIRECTION_EGRESS, T0);

	(void)state;
	r.existing = 1;
	r.duration_ns = 60 * S;
	give(&r, 1);
	give(&r, 1);
	assert_int_equal(c.table.active, 1);
	assert_int_equal(newest(LIST_OPEN)->established_ns, T0 - 60 * S);
	assert_int_equal(newest(LIST_OPEN)->existing, 1);
	assert_int_equal(c.connects.active, 0);
	/* One whose beginning we saw was not there before. */
	give_event(CONNECTION_CONNECT, 2, DIRECTION_EGRESS, T0);
	r = record(CONNECTION_ESTABLISHED, 2, DIRECTION_EGRESS, T0 + S);
	r.existing = 1;
	give(&r, 1);
	assert_int_equal(newest(LIST_OPEN)->existing, 0);
}

static void test_a_flood_leaves_the_open_ones(void **state)
{
	(void)state;
	for (u16 port = 1; port <= 10; port++)
		give_event(CONNECTION_CONNECT, port, DIRECTION_EGRESS, T0);
	for (u32 i = 0; i < 10000; i++) {
		give_event(CONNECTION_CONNECT, (u16)(1000 + i), DIRECTION_EGRESS, T0 + i);
		give_event(CONNECTION_FAILED, (u16)(1000 + i), DIRECTION_EGRESS, T0 + i);
	}
	assert_int_equal(c.table.active, LIMIT);
	assert_int_equal(c.table.lists[LIST_OPEN].n, 10);
	assert_int_equal(c.tuples.active, LIMIT);
	for (u16 port = 1; port <= 10; port++)
		assert_non_null(tuple(port));
	assert_int_equal(c.table.evicted, 10010 - LIMIT);
	assert_int_equal(c.n_connects, 10010);
	assert_int_equal(c.failed, 10000);
	/* All to one place: one row. */
	assert_int_equal(c.connects.active, 1);
	assert_int_equal(((struct connect *)lru_newest(&c.connects, 0))->opened, 10010);
	assert_int_equal(((struct connect *)lru_newest(&c.connects, 0))->failed, 10000);
}

static void test_connects_beyond_the_limit_are_counted(void **state)
{
	(void)state;
	for (u32 i = 0; i < CONNECTS_MAX + 77; i++) {
		struct connection_record r = record(CONNECTION_CONNECT, 1, DIRECTION_EGRESS, T0);

		r.owner.pid = 1 + i;
		give(&r, 1);
	}
	assert_int_equal(c.connects.active, CONNECTS_MAX);
	assert_int_equal(c.connects_left_out, 77);
	connections_next_interval(&c);
	assert_int_equal(c.connects.active, 0);
	assert_int_equal(c.connects_left_out, 0);
}

static void test_ended_and_unused_ones_leave(void **state)
{
	struct connection_record udp = record(CONNECTION_CONNECT, 5, DIRECTION_EGRESS, T0);
	struct process_record used = { .time_ns = T0 + 50 * S,
				       .key = { .remote_ip = { 10, 0, 0, 2 }, .protocol = 17, .ip_version = 4,
						.remote_port_be = __builtin_bswap16(443),
						.flags = PROCESS_REMOTE | PROCESS_PORT } };

	(void)state;
	udp.key.protocol = 17;
	give(&udp, 1);
	assert_int_equal(newest(LIST_OPEN_DATAGRAM)->state, CONNECTION_OPEN);
	give_event(CONNECTION_CONNECT, 1, DIRECTION_EGRESS, T0);
	give_event(CONNECTION_CONNECT, 2, DIRECTION_EGRESS, T0);
	give_event(CONNECTION_CLOSE, 2, DIRECTION_EGRESS, T0);
	processes_add(&p, 0, &used, 1, 0);
	connections_expire(&c, &p, T0 + 10 * S, 1000);
	/* TCP that is open stays, UDP that a process still uses, too. */
	assert_int_equal(c.table.lists[LIST_OPEN].n, 1);
	assert_int_equal(c.table.lists[LIST_OPEN_DATAGRAM].n, 1);
	assert_int_equal(c.table.lists[LIST_ENDED].n, 0);
	connections_expire(&c, &p, T0 + 60 * S, 1000);
	assert_int_equal(c.table.active, 1);
	assert_int_equal(c.table.evicted, 0);
}

static void test_hosts_and_namespaces_are_apart(void **state)
{
	struct connection_record r = record(CONNECTION_CONNECT, 1, DIRECTION_EGRESS, T0);
	struct line_reader said = { .cgroup = { NULL, 0 } };
	struct flow_id id = flow(1);

	(void)state;
	give(&r, 1);
	r.owner.netns = 2;
	give(&r, 1);
	assert_true(connections_add(&c, 1, &r, &said, 1));
	assert_int_equal(c.table.active, 3);
	assert_int_equal(c.tuples.active, 2);
	assert_non_null(connections_tuple(&c, 1, &id));
	assert_null(connections_tuple(&c, 2, &id));
	r.key.flags |= FLOW_NO_ADDRESS;
	assert_false(connections_add(&c, 0, &r, &said, 1));
	assert_int_equal(c.table.active, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_a_life),
		TEST(test_an_end_whose_beginning_nobody_saw),
		TEST(test_both_sides_of_one_connection_are_two_and_the_flow_is_the_openers),
		TEST(test_what_was_open_before_is_no_event),
		TEST(test_a_flood_leaves_the_open_ones),
		TEST(test_connects_beyond_the_limit_are_counted),
		TEST(test_ended_and_unused_ones_leave),
		TEST(test_hosts_and_namespaces_are_apart),
	};

	return cmocka_run_group_tests_name("connections", tests, NULL, NULL);
}
