// SPDX-License-Identifier: MIT
/* The flow table: exact sums whatever comes, goes, and collides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aggregator/flow_table.h"
#include "aggregator/tcp_state.h"
#include "common/records.h"

static struct flow_id id_of(u32 n)
{
	struct flow_id id = { .port = { 80, 1000 }, .protocol = 6, .vlan = VLAN_NONE, .ip_version = 4,
			      .flags = FLOW_PORTS };

	memcpy(id.ip[0], &n, sizeof(n));
	id.ip[1][0] = 10;
	return id;
}

static struct flow *add(struct flow_table *t, u32 n, u8 from, u8 flags, u64 packets, u64 ns)
{
	struct flow_id id = id_of(n);
	struct flow_addition a = { .packets = packets, .bytes = packets * 100, .first_ns = ns,
				   .last_ns = ns, .from = from, .tcp_flags = flags, .interval = 1,
				   .used_s = (u32)ns };
	struct flow *f = flow_table_get(t, &id, flow_table_hash(t, &id));

	assert_non_null(f);
	flow_add(f, &a);
	return f;
}

struct left {
	u64 flows, packets;
};

static void leave(const struct flow *f, void *data)
{
	struct left *left = data;

	left->flows++;
	left->packets += flow_packets(f);
}

/* Sums over the list; also that list and count agree. */
static u64 packets_in(const struct flow_table *t)
{
	u64 sum = 0;
	u32 n = 0;

	for (u32 list = 0; list < FLOW_LISTS; list++)
		for (u32 at = t->lists[list].newest; at != FLOW_NONE; at = flow_older(t, at), n++)
			sum += flow_packets(flow_at(t, at));
	assert_int_equal(n, t->active);
	return sum;
}

static void test_grows_without_limit(void **state)
{
	struct flow_table t;

	(void)state;
	assert_int_equal(flow_table_init(&t, 0), 0);
	for (u32 round = 0; round < 3; round++)
		for (u32 n = 0; n < 100000; n++)
			add(&t, n, n & 1, TCP_ACK, 2, 1);
	assert_int_equal(t.active, 100000);
	assert_int_equal(t.created, 100000);
	assert_int_equal(packets_in(&t), 600000);
	flow_table_free(&t);
}

/* Memory of every kind: chunks, links and slots beyond what malloc() is asked for. */
static void test_a_million_flows_stay_where_they_are(void **state)
{
	const u32 n = 1100000;
	const struct flow *first;
	struct flow_table t;

	(void)state;
	assert_int_equal(flow_table_init(&t, 0), 0);
	first = add(&t, 0, 0, TCP_ACK, 1, 1);
	for (u32 i = 1; i < n; i++)
		add(&t, i, 0, TCP_ACK, 1, 1);
	for (u32 i = 0; i < n; i++) {
		const struct flow *f = add(&t, i, 1, TCP_ACK, 2, 2);

		if (flow_packets(f) != 3 || memcmp(f->id.ip[0], &i, sizeof(i)))
			fail_msg("flow %u is another one", i);
	}
	assert_ptr_equal(flow_at(&t, 0), first);
	assert_int_equal(t.created, n);
	assert_int_equal(packets_in(&t), 3ul * n);
	flow_table_expire(&t, 3, n);
	assert_int_equal(t.active, 0);
	add(&t, 7, 0, TCP_ACK, 1, 3);
	assert_int_equal(t.used, n);	/* in the place of one that left */
	flow_table_free(&t);
}

static void test_evicts_the_least_recently_used(void **state)
{
	struct left left = { 0, 0 };
	struct flow_table t;

	(void)state;
	assert_int_equal(flow_table_init(&t, 1000), 0);
	t.leave = leave;
	t.leave_data = &left;
	for (u32 n = 0; n < 1000; n++)
		add(&t, n, 0, 0, 1, 1);
	add(&t, 0, 0, 0, 1, 1);		/* used again: 1 is the oldest now */
	add(&t, 5000, 0, 0, 1, 1);
	assert_int_equal(t.active, 1000);
	assert_int_equal(t.evicted, 1);
	assert_int_equal(left.flows, 1);
	add(&t, 0, 0, 0, 1, 1);
	assert_int_equal(t.created, 1001);	/* 0 was still there */
	add(&t, 1, 0, 0, 1, 1);
	assert_int_equal(t.created, 1002);	/* 1 was not */
	flow_table_free(&t);
}

static void test_random_use_loses_nothing(void **state)
{
	struct left left = { 0, 0 };
	struct flow_table t;
	u64 sent = 0;

	(void)state;
	srand(5);
	assert_int_equal(flow_table_init(&t, 777), 0);
	t.leave = leave;
	t.leave_data = &left;
	for (u64 i = 1; i < 300000; i++) {
		u64 packets = (u64)rand() % 9 + 1;

		add(&t, (u32)rand() % 3000, (u8)(rand() & 1), (u8)rand(), packets, i);
		sent += packets;
		if (i % 5000 == 0)
			flow_table_expire(&t, i - 400, 1000);
	}
	assert_int_equal(packets_in(&t) + left.packets, sent);
	assert_int_equal(t.created, t.active + t.evicted + t.expired);
	assert_true(t.evicted && t.expired);
	flow_table_free(&t);
}

static void test_expires_only_idle_ones_and_in_steps(void **state)
{
	struct flow_table t;

	(void)state;
	assert_int_equal(flow_table_init(&t, 0), 0);
	for (u32 n = 0; n < 100; n++)
		add(&t, n, 0, 0, 1, n + 1);
	flow_table_expire(&t, 51, 1000);
	assert_int_equal(t.active, 50);
	flow_table_expire(&t, 1000, 10);
	assert_int_equal(t.active, 40);
	flow_table_free(&t);
}

static void test_who_opened_it(void **state)
{
	struct flow_table t;
	struct flow *f;

	(void)state;
	assert_int_equal(flow_table_init(&t, 0), 0);
	assert_int_equal(add(&t, 1, 1, TCP_SYN, 1, 10)->src, 1);
	assert_int_equal(add(&t, 1, 0, TCP_SYN | TCP_ACK, 1, 11)->src, 1);
	/* A SYN with ACK seen first comes from the other side. */
	assert_int_equal(add(&t, 2, 0, TCP_SYN | TCP_ACK, 1, 10)->src, 1);
	/* No SYN: who was first, also if it is read later, as folded flows are. */
	assert_int_equal(add(&t, 3, 0, TCP_ACK, 1, 20)->src, 0);
	assert_int_equal(add(&t, 3, 1, TCP_ACK, 1, 10)->src, 1);
	/* In the same step the larger port is the client's. */
	add(&t, 4, 0, TCP_SYN | TCP_ACK | TCP_FIN, 5, 20);
	f = add(&t, 4, 1, TCP_SYN | TCP_ACK | TCP_FIN, 5, 20);
	assert_int_equal(f->id.port[f->src], 1000);
	flow_table_free(&t);
}

static const char *state_of(const struct flow *f)
{
	return tcp_state_name(f->open_flags[f->src], f->open_flags[!f->src]);
}

static void test_tcp_states_in_order(void **state)
{
	static const struct {
		u8 from, flags;
		const char *state;
	} steps[] = {
		{ 1, TCP_SYN, "new" },
		{ 0, TCP_SYN | TCP_ACK, "new" },
		{ 1, TCP_ACK, "established" },
		{ 0, TCP_ACK, "established" },
		{ 1, TCP_FIN | TCP_ACK, "closing" },
		{ 0, TCP_FIN | TCP_ACK, "closed" },
		{ 1, TCP_ACK, "closed" },
		{ 1, TCP_SYN, "new" },
		{ 0, TCP_RST | TCP_ACK, "reset" },
		{ 1, TCP_SYN, "new" },
	};
	struct flow_table t;

	(void)state;
	assert_int_equal(flow_table_init(&t, 0), 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		assert_string_equal(state_of(add(&t, 9, steps[i].from, steps[i].flags, 1, i + 1)),
				    steps[i].state);
	flow_table_free(&t);
}

static void test_tcp_state_of_folded_and_half_seen(void **state)
{
	const u8 all = TCP_SYN | TCP_ACK | TCP_FIN;

	(void)state;
	assert_string_equal(tcp_state_name(all, all), "closed");
	assert_string_equal(tcp_state_name(TCP_ACK, 0), "established");
	assert_string_equal(tcp_state_name(TCP_SYN, 0), "new");
	assert_string_equal(tcp_state_name(0, TCP_SYN | TCP_ACK), "new");
	assert_string_equal(tcp_state_name(TCP_SYN, TCP_RST | TCP_ACK), "reset");
}

/* Adds one packet in an interval. */
static void use(struct flow_table *t, u32 n)
{
	struct flow_id id = id_of(n);
	struct flow_addition a = { .packets = 1, .bytes = 60, .first_ns = 1, .last_ns = 1, .interval = t->interval };

	flow_add(flow_table_get(t, &id, flow_table_hash(t, &id)), &a);
}

#define BUSY 10u
#define MADE_UP 3000u

/* Who makes up flows drives out those, not the ones that were there. */
static void test_a_flood_leaves_busy_flows_alone(void **state)
{
	struct left left = { 0, 0 };
	struct flow_table t;

	(void)state;
	assert_int_equal(flow_table_init(&t, 1000), 0);
	t.leave = leave;
	t.leave_data = &left;
	for (t.interval = 1; t.interval <= 20; t.interval++) {
		for (u32 n = 0; n < BUSY; n++)
			use(&t, n);
		for (u32 n = 0; t.interval > 2 && n < MADE_UP; n++)
			use(&t, BUSY + t.interval * MADE_UP + n);
	}
	for (u32 n = 0; n < BUSY; n++) {
		struct flow_id id = id_of(n);

		assert_int_equal(flow_packets(flow_table_get(&t, &id, flow_table_hash(&t, &id))), 20);
	}
	assert_int_equal(t.active, 1000);
	assert_int_equal(left.packets, left.flows);	/* none of those that left had more than one */
	assert_int_equal(packets_in(&t) + left.packets, 20 * BUSY + 18 * MADE_UP);
	flow_table_free(&t);
}

/* And who fills the table with what is used again and again does not keep others out. */
static void test_kept_flows_leave_a_quarter(void **state)
{
	struct flow_table t;

	(void)state;
	assert_int_equal(flow_table_init(&t, 1000), 0);
	for (t.interval = 1; t.interval <= 5; t.interval++)
		for (u32 n = 0; n < 1000; n++)
			use(&t, n);
	assert_int_equal(t.lists[FLOWS_KEPT].n, 1000);
	for (u32 n = 1000; n < 5000; n++)
		use(&t, n);
	assert_int_equal(t.lists[FLOWS_KEPT].n, 750);
	assert_int_equal(t.lists[FLOWS_NEW].n, 250);
	packets_in(&t);
	flow_table_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_without_limit),
		cmocka_unit_test(test_a_million_flows_stay_where_they_are),
		cmocka_unit_test(test_evicts_the_least_recently_used),
		cmocka_unit_test(test_random_use_loses_nothing),
		cmocka_unit_test(test_expires_only_idle_ones_and_in_steps),
		cmocka_unit_test(test_who_opened_it),
		cmocka_unit_test(test_tcp_states_in_order),
		cmocka_unit_test(test_tcp_state_of_folded_and_half_seen),
		cmocka_unit_test(test_a_flood_leaves_busy_flows_alone),
		cmocka_unit_test(test_kept_flows_leave_a_quarter),
	};

	return cmocka_run_group_tests_name("flow_table", tests, NULL, NULL);
}
