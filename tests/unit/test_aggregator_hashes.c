// SPDX-License-Identifier: MIT
/*
 * Whoever chooses the keys of a table chooses no place in it: each table has a seed of its own, and keys that share a
 * few slots under one seed are all over the place under another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aggregator/flow_table.h"
#include "aggregator/lru_table.h"
#include "aggregator/ports.h"
#include "common/records.h"
#include "tests/unit/spread.h"

/* What a kind of table says of a key, by its number. */
typedef u32 (*hash_function)(const void *table, u32 key);

/* Keys that go to few slots of one table; where they go in another. */
static void keys_spread(hash_function hash, const void *known, const void *secret)
{
	u32 crowded[KEYS], spread[KEYS];
	unsigned int n = 0;

	for (u32 key = 0; n < KEYS; key++) {
		if (hash(known, key) % SLOTS >= CROWDED)
			continue;
		crowded[n] = hash(known, key);
		spread[n++] = hash(secret, key);
	}
	assert_true(slots_used(crowded) <= CROWDED);
	assert_true(slots_used(spread) >= SPREAD);
}

/* ---- flows ---------------------------------------------------------------------------- */

static struct flow_id flow_of(u32 key)
{
	struct flow_id id = { .port = { 80, (u16)key }, .protocol = 6, .vlan = VLAN_NONE, .ip_version = 6,
			      .flags = FLOW_PORTS };

	memcpy(id.ip[0], &key, sizeof(key));
	return id;
}

static u32 hash_of_flow(const void *table, u32 key)
{
	const struct flow_id id = flow_of(key);

	return flow_table_hash(table, &id);
}

static void test_flows(void **state)
{
	struct flow_table known, secret;

	(void)state;
	assert_int_equal(flow_table_init(&known, 100) | flow_table_init(&secret, 100), 0);
	assert_memory_not_equal(known.seed, secret.seed, sizeof(known.seed));
	keys_spread(hash_of_flow, &known, &secret);
	flow_table_free(&known);
	flow_table_free(&secret);
}

/* A word that is made to cancel what it is mixed with must not take others with it. */
static void test_no_word_of_a_flow_hides_another(void **state)
{
	static const u64 factors[] = { 0, 0x9e3779b97f4a7c15ull, 0xe7037ed1a0b428dbull, 0x8ebc6af09c88c6e3ull,
				       0x589965cc75374cc3ull, 0xa0761d6478bd642full };
	struct flow_table table;
	u32 hashes[KEYS];

	(void)state;
	assert_int_equal(flow_table_init(&table, 100), 0);
	for (size_t fixed = 0; fixed + sizeof(u64) <= sizeof(struct flow_id); fixed += sizeof(u64))
		for (size_t f = 0; f < sizeof(factors) / sizeof(*factors); f++) {
			for (u32 key = 0; key < KEYS; key++) {
				struct flow_id id = flow_of(0);

				memcpy((u8 *)&id + (fixed + 8) % 40, &key, sizeof(key));
				memcpy((u8 *)&id + fixed, &factors[f], sizeof(factors[f]));
				hashes[key] = flow_table_hash(&table, &id);
			}
			assert_true(slots_used(hashes) >= SPREAD);
		}
	flow_table_free(&table);
}

/* ---- rows of processes, connections, drops, networks, series ------------------------------- */

struct item {
	struct lru_row row;
	u64 key;
};

static u32 hash_of_row(const void *table, u32 key)
{
	u64 wanted = key;
	bool is_new;
	struct item *item = lru_get((struct lru_table *)table, &wanted, &is_new);

	assert_non_null(item);
	return item->row.hash;
}

static void test_rows(void **state)
{
	struct lru_table known, secret;

	(void)state;
	assert_int_equal(lru_init(&known, sizeof(struct item), sizeof(u64), 1000), 0);
	assert_int_equal(lru_init(&secret, sizeof(struct item), sizeof(u64), 1000), 0);
	assert_memory_not_equal(known.seed, secret.seed, sizeof(known.seed));
	keys_spread(hash_of_row, &known, &secret);
	lru_free(&known);
	lru_free(&secret);
}

/* ---- ports ----------------------------------------------------------------------------- */

/* The one row that there is. */
static u32 hash_of_port(const void *table, u32 key)
{
	struct ports *ports = (struct ports *)table;
	struct flow flow = { .id = { .port = { (u16)key, (u16)key }, .protocol = key >> 16 & 1 ? 17 : 6,
				     .ip_version = 4, .flags = FLOW_PORTS } };

	ports_clear(ports);
	assert_int_equal(ports_add(ports, &flow, 0), 0);
	for (u32 slot = 0;; slot++)
		if (ports->slots.at[slot].index != SLOT_NONE)
			return ports->slots.at[slot].hash;
}

static void test_ports(void **state)
{
	struct ports known, secret;

	(void)state;
	assert_int_equal(ports_init(&known) | ports_init(&secret), 0);
	assert_memory_not_equal(known.seed, secret.seed, sizeof(known.seed));
	keys_spread(hash_of_port, &known, &secret);
	ports_free(&known);
	ports_free(&secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flows),
		cmocka_unit_test(test_no_word_of_a_flow_hides_another),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
