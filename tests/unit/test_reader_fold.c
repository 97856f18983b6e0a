// SPDX-License-Identifier: MIT
/* Packets summed by flow; and that who writes a capture cannot make its flows share a place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/fold.h"
#include "tests/unit/spread.h"

static struct flow_key key_of(u32 number)
{
	struct flow_key key = { .protocol = 6, .ip_version = 6, .vlan = VLAN_NONE, .flags = FLOW_PORTS };

	memcpy(key.src_ip, &number, sizeof(number));
	return key;
}

static void packets_are_summed_by_flow(void **state)
{
	struct fold *fold = fold_new(1);
	const struct fold_flow *flows;
	size_t n;

	(void)state;
	for (u32 i = 0; i < 30000; i++) {
		struct flow_key key = key_of(i % 10000);

		assert_int_equal(fold_add(fold, &key, i % 7, (u8)(1 << i % 3), 1000 + i), 0);
	}
	flows = fold_flows(fold, &n);
	assert_int_equal(n, 10000);
	for (u32 i = 0; i < n; i++) {
		assert_int_equal(flows[i].value.packets, 3);
		assert_int_equal(flows[i].value.bytes, i % 7 + (i + 10000) % 7 + (i + 20000) % 7);
		assert_int_equal(flows[i].value.first_ns, 1000 + i);
		assert_int_equal(flows[i].value.last_ns, 21000 + i);
		assert_int_equal(flows[i].value.tcp_flags, 7);
	}
	fold_clear(fold);
	fold_flows(fold, &n);
	assert_int_equal(n, 0);
	fold_free(fold);
}

/* The hash of one key, alone. */
static u32 hash_of(struct fold *fold, const struct flow_key *key)
{
	size_t n;

	fold_clear(fold);
	assert_int_equal(fold_add(fold, key, 1, 0, 1), 0);
	return fold_flows(fold, &n)[0].hash;
}

static void keys_that_collide_under_one_seed_spread_under_another(void **state)
{
	struct fold *known = fold_new(1), *secret = fold_new(2);
	u32 crowded[KEYS], spread[KEYS];
	unsigned int n = 0;

	(void)state;
	for (u32 i = 0; n < KEYS; i++) {
		struct flow_key key = key_of(i);

		if (hash_of(known, &key) % SLOTS >= CROWDED)
			continue;
		crowded[n] = hash_of(known, &key);
		spread[n++] = hash_of(secret, &key);
	}
	assert_true(slots_used(crowded) <= CROWDED);
	assert_true(slots_used(spread) >= SPREAD);
	fold_free(known);
	fold_free(secret);
}

/* Numbers that stand in the source must not be of use: one half of an address does not hide the other. */
static void no_word_of_a_key_hides_another(void **state)
{
	static const u64 factors[] = { 0, 0x9e3779b97f4a7c15ull, 0xe7037ed1a0b428dbull, 0x8ebc6af09c88c6e3ull,
				       0x589965cc75374cc3ull };
	struct fold *fold = fold_new(3);
	u32 hashes[KEYS];

	(void)state;
	for (size_t fixed = 0; fixed < 40; fixed += sizeof(u64))
		for (size_t f = 0; f < sizeof(factors) / sizeof(*factors); f++) {
			for (u32 i = 0; i < KEYS; i++) {
				struct flow_key key = key_of(0);

				memcpy((u8 *)&key + (fixed ^ 8) % 40, &i, sizeof(i));
				memcpy((u8 *)&key + fixed, &factors[f], sizeof(factors[f]));
				hashes[i] = hash_of(fold, &key);
			}
			assert_true(slots_used(hashes) >= SPREAD);
		}
	fold_free(fold);
}

/* What goes from an address to itself is no flow like all others. */
static void addresses_do_not_cancel_each_other(void **state)
{
	struct fold *fold = fold_new(4);
	u32 hashes[KEYS];

	(void)state;
	for (u32 i = 0; i < KEYS; i++) {
		struct flow_key key = key_of(i);

		memcpy(key.dst_ip, key.src_ip, sizeof(key.dst_ip));
		hashes[i] = hash_of(fold, &key);
	}
	assert_true(slots_used(hashes) >= SPREAD);
	fold_free(fold);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_summed_by_flow),
		cmocka_unit_test(keys_that_collide_under_one_seed_spread_under_another),
		cmocka_unit_test(no_word_of_a_key_hides_another),
		cmocka_unit_test(addresses_do_not_cancel_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
