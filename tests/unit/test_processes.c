// SPDX-License-Identifier: MIT
/* Bytes of processes: every one in a protocol, in a process or among the evicted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aggregator/processes.h"

#define S 1000000000ull
#define T0 (1763704000 * S)
#define LIMIT 16

static struct processes p;

static int setup(void **state)
{
	(void)state;
	return processes_init(&p, LIMIT);
}

static int teardown(void **state)
{
	(void)state;
	processes_free(&p);
	return 0;
}

/* tx, and twice as much rx, between a process and 10.0.0.remote:port. */
static void give(u32 pid, u8 protocol, u8 remote, u16 port, u64 tx, u32 interval, u64 ns)
{
	struct process_record r = { .time_ns = ns,
				    .key = { .remote_ip = { 10, 0, 0, remote }, .pid = pid, .uid = 7,
					     .remote_port_be = __builtin_bswap16(port),
					     .protocol = protocol, .ip_version = 4,
					     .flags = PROCESS_REMOTE | (port ? PROCESS_PORT : 0) },
				    .value = { tx, 2 * tx, 1, 2 } };

	snprintf((char *)r.key.command, sizeof(r.key.command), "p%u", pid);
	processes_add(&p, 0, &r, interval, 10 * S);
}

static struct endpoint endpoint(u8 protocol, u8 remote, u16 port)
{
	return (struct endpoint){ .ip = { 10, 0, 0, remote }, .port = port, .protocol = protocol,
				  .ip_version = 4,
				  .flags = PROCESS_REMOTE | (port ? PROCESS_PORT : 0) };
}

static const struct process *find(u32 pid)
{
	struct process_id id = { .pid = pid };

	snprintf((char *)id.command, sizeof(id.command), "p%u", pid);
	return lru_find(&p.table, &id);
}

static void test_evicted_processes_stay_in_the_sums(void **state)
{
	u64 given = 0, kept = 0, remotes = 0, protocols = 0;

	(void)state;
	for (u32 i = 0; i < 5000; i++) {
		give(i % 100, i % 3 ? 6 : 17, (u8)(i % 251), (u16)(i % 7), i, i / 100 + 1, T0);
		given += i;
	}
	for (const struct process *at = lru_newest(&p.table, 0); at; at = lru_older(&p.table, at))
		kept += at->moved.tx_bytes;
	for (const struct remote *at = lru_newest(&p.remotes, 0); at; at = lru_older(&p.remotes, at))
		remotes += at->moved.tx_bytes;
	for (u32 row = 0; row < PROTOCOL_ROWS; row++)
		protocols += p.protocols[row].moved.tx_bytes;
	assert_int_equal(p.table.active, LIMIT);
	assert_int_equal(p.table.evicted, 5000 - LIMIT);
	assert_int_equal(kept + p.evicted.tx_bytes, given);
	assert_int_equal(p.evicted.rx_bytes, 2 * p.evicted.tx_bytes);
	assert_int_equal(remotes + p.remotes_evicted.tx_bytes, given);
	assert_int_equal(protocols, given);
	assert_int_equal(p.total.tx_bytes, given);
}

static void test_a_name_of_its_own_is_a_process_of_its_own(void **state)
{
	struct process_record r = { .time_ns = T0, .key = { .pid = 1, .command = "p1" }, .value = { 1, 2, 3, 4 } };

	(void)state;
	give(1, 6, 1, 80, 10, 1, T0);
	processes_add(&p, 1, &r, 1, 0);
	memcpy(r.key.command, "other", 6);
	processes_add(&p, 0, &r, 1, 0);
	assert_int_equal(p.table.active, 3);
	assert_int_equal(find(1)->moved.tx_bytes, 10);
	assert_int_equal(find(1)->calls.rx, 2);
	assert_int_equal(find(1)->uid, 7);
	/* Below IP: no remote, but a protocol. */
	assert_int_equal(p.protocols[PROTOCOL_PACKET].moved.rx_bytes, 4);
	assert_int_equal(p.remotes.active, 1);
}

static void test_rates_are_of_the_interval(void **state)
{
	(void)state;
	give(1, 6, 1, 80, 10, 1, T0);
	give(1, 6, 1, 80, 20, 1, T0);
	assert_int_equal(moved_recently(&find(1)->moved, 1), 90);
	assert_int_equal(moved_recently(&find(1)->moved, 2), 0);
	give(1, 6, 1, 80, 5, 2, T0);
	assert_int_equal(moved_recently(&find(1)->moved, 2), 15);
	assert_int_equal(find(1)->moved.tx_bytes, 35);
}

static void test_the_large_remotes_of_a_process_stay(void **state)
{
	const struct process *process;
	u32 large = 0;

	(void)state;
	for (u8 i = 1; i <= 5; i++)
		give(1, 6, i, 80, 1000000, 1, T0);
	for (u32 i = 0; i < 1000; i++)
		give(1, 6, (u8)(100 + i % 150), (u16)(1 + i), 1, 2 + i / 10, T0);
	process = find(1);
	assert_int_equal(process->n_remotes, PROCESS_REMOTES);
	for (u32 i = 0; i < PROCESS_REMOTES; i++)
		large += process->remotes[i].moved.tx_bytes == 1000000;
	assert_int_equal(large, 5);
	assert_int_equal(process->moved.tx_bytes, 5001000);
}

static void test_protocols_beyond_the_last_are_others(void **state)
{
	const struct process *process;

	(void)state;
	for (u32 round = 0; round < 2; round++)
		for (u8 protocol = 1; protocol <= 50; protocol++)
			give(1, protocol, 1, 0, protocol, 1, T0);
	process = find(1);
	assert_int_equal(process->n_protocols, PROCESS_PROTOCOLS);
	for (u32 i = 0; i < PROCESS_PROTOCOLS - 1; i++) {
		assert_int_equal(process->protocols[i].row, i + 1);
		assert_int_equal(process->protocols[i].tx_bytes, 2 * (i + 1));
	}
	assert_int_equal(process->protocols[PROCESS_PROTOCOLS - 1].row, PROTOCOL_OTHERS);
	assert_int_equal(process->protocols[PROCESS_PROTOCOLS - 1].tx_bytes, 2 * (50 * 51 / 2 - 7 * 8 / 2));
}

static void test_an_endpoint_is_one_processs_or_nobodys(void **state)
{
	struct endpoint dns = endpoint(17, 53, 53), ping = endpoint(1, 1, 0);

	(void)state;
	assert_null(processes_talker(&p, &dns));
	give(1, 17, 53, 53, 1, 1, T0);
	give(9, 1, 1, 0, 1, 1, T0);
	assert_int_equal(processes_talker(&p, &dns)->pid, 1);
	assert_int_equal(processes_talker(&p, &ping)->pid, 9);
	give(2, 17, 53, 53, 1, 1, T0 + S);
	assert_null(processes_talker(&p, &dns));
	assert_int_equal(processes_last(&p, &dns), T0 + S);
	/* The one that stays has it for itself after a while; so has one that comes after a gap. */
	give(2, 17, 53, 53, 1, 2, T0 + 5 * S);
	assert_null(processes_talker(&p, &dns));
	give(2, 17, 53, 53, 1, 2, T0 + 12 * S);
	assert_int_equal(processes_talker(&p, &dns)->pid, 2);
	give(3, 17, 53, 53, 1, 2, T0 + 30 * S);
	assert_int_equal(processes_talker(&p, &dns)->pid, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_evicted_processes_stay_in_the_sums),
		TEST(test_a_name_of_its_own_is_a_process_of_its_own),
		TEST(test_rates_are_of_the_interval),
		TEST(test_the_large_remotes_of_a_process_stay),
		TEST(test_protocols_beyond_the_last_are_others),
		TEST(test_an_endpoint_is_one_processs_or_nobodys),
	};

	return cmocka_run_group_tests_name("processes", tests, NULL, NULL);
}
