// SPDX-License-Identifier: MIT
/* `reader --pcap`: folding, the budget of packet lines, and sums that always agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/packet_config.h"
#include "reader/account.h"
#include "reader/fold.h"

#define NS_PER_S 1000000000ull

static struct flow_key key_of(u32 n)
{
	struct flow_key key = { .protocol = 17, .ip_version = 4, .vlan = VLAN_NONE };

	memcpy(key.src_ip, &n, sizeof(n));
	return key;
}

static void flows_are_summed(void **state)
{
	struct fold *fold = fold_new(1);
	const struct fold_flow *flows;
	struct flow_key a = key_of(1), b = key_of(2);
	size_t n;

	(void)state;
	assert_int_equal(fold_add(fold, &a, 100, 0x02, 5000), 0);
	assert_int_equal(fold_add(fold, &b, 60, 0, 6000), 0);
	assert_int_equal(fold_add(fold, &a, 50, 0x10, 4000), 0);
	flows = fold_flows(fold, &n);
	assert_int_equal(n, 2);
	assert_memory_equal(&flows[0].key, &a, sizeof(a));
	assert_int_equal(flows[0].value.packets, 2);
	assert_int_equal(flows[0].value.bytes, 150);
	assert_int_equal(flows[0].value.tcp_flags, 0x12);
	assert_int_equal(flows[0].value.first_ns, 4000);
	assert_int_equal(flows[0].value.last_ns, 5000);
	fold_clear(fold);
	fold_flows(fold, &n);
	assert_int_equal(n, 0);
	fold_free(fold);
}

/* Keys that differ in one byte each are different flows. */
static void every_byte_of_the_key_counts(void **state)
{
	struct fold *fold = fold_new(2);
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(struct flow_key); i++) {
		struct flow_key key = key_of(0);

		((u8 *)&key)[i] ^= 1;
		assert_int_equal(fold_add(fold, &key, 1, 0, 1), 0);
	}
	fold_flows(fold, &n);
	assert_int_equal(n, sizeof(struct flow_key));
	fold_free(fold);
}

static void grows_and_clears(void **state)
{
	struct fold *fold = fold_new(3);
	const struct fold_flow *flows;
	size_t n;

	(void)state;
	for (unsigned int round = 0; round < 4; round++) {
		u32 many = round % 2 ? 7 : 50000;	/* both ways of clearing */

		for (u32 pass = 0; pass < 2; pass++)
			for (u32 i = 0; i < many; i++) {
				struct flow_key key = key_of(i * 2654435761u);

				assert_int_equal(fold_add(fold, &key, 10, 0, i + 1), 0);
			}
		flows = fold_flows(fold, &n);
		assert_int_equal(n, many);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(flows[i].value.packets, 2);
		fold_clear(fold);
	}
	fold_free(fold);
	fold_free(NULL);
}

static struct packet_info packet(u32 n)
{
	struct packet_info info = { .key = key_of(n), .ttl = 64, .malformed = n == 13 };

	return info;
}

/* Every packet is a line, folded, or both sums would differ. */
static void check_sums(const struct account *account, u64 lines, u64 packets)
{
	const struct tally *tally = account->tallies[0];
	const struct fold_flow *flows;
	u64 folded = 0;
	size_t n;

	flows = fold_flows(account->fold, &n);
	for (size_t i = 0; i < n; i++)
		folded += flows[i].value.packets;
	assert_int_equal(tally->losses[0].packet_lines, lines);
	assert_int_equal(tally->rows[17].packets, packets);
	assert_int_equal(lines + folded, packets);
	assert_int_equal(tally->cpus[0].packets, packets);
}

/* So many packets, step_ns apart from start_ns on; how many became lines. */
static u64 run(struct account *account, u32 packets, u64 start_ns, u64 step_ns)
{
	u64 lines = 0;

	for (u32 i = 0; i < packets; i++) {
		struct packet_info info = packet(i % 100);
		struct packet_record r;
		int what = account_packet(account, &info, 100, start_ns + i * step_ns, &r);

		assert_in_range(what, 0, 1);
		lines += (u64)what;
		if (what)
			assert_int_equal(r.length, 100);
	}
	return lines;
}

static void the_budget_is_a_second_of_the_capture(void **state)
{
	static const struct {
		u32 packet_lines, packets;
		u64 step_ns;
		u64 lines;
	} rows[] = {
		{ 0, 1000, 1000, 0 },
		{ PACKET_LINES_ALL, 1000, 1000, 1000 },
		{ 10, 1000, 0, 10 },			/* all at once: one bucket full */
		{ 10, 100, NS_PER_S, 100 },		/* slower than the budget */
		{ 10, 40, NS_PER_S / 20, 29 },		/* 2 s at 20 a second: 10 + 19.5 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct account account;
		u64 lines;

		assert_int_equal(account_init(&account, rows[i].packet_lines, 9), 0);
		lines = run(&account, rows[i].packets, 1763704000 * NS_PER_S, rows[i].step_ns);
		assert_int_equal(lines, rows[i].lines);
		check_sums(&account, lines, rows[i].packets);
		account_free(&account);
	}
}

static void time_that_goes_back_brings_no_lines(void **state)
{
	struct account account;
	u64 lines;

	(void)state;
	assert_int_equal(account_init(&account, 5, 9), 0);
	lines = run(&account, 100, 1763704000 * NS_PER_S, 0);
	lines += run(&account, 100, 1000 * NS_PER_S, NS_PER_S);
	assert_int_equal(lines, 5);
	check_sums(&account, 5, 200);
	assert_int_equal(account.tallies[0]->losses[0].malformed, 2);
	account_free(&account);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_are_summed),
		cmocka_unit_test(every_byte_of_the_key_counts),
		cmocka_unit_test(grows_and_clears),
		cmocka_unit_test(the_budget_is_a_second_of_the_capture),
		cmocka_unit_test(time_that_goes_back_brings_no_lines),
	};

	return cmocka_run_group_tests_name("reader_account", tests, NULL, NULL);
}
