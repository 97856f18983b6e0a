// SPDX-License-Identifier: MIT
/* Bounded tables: what is found, what leaves first, and that nothing is lost on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aggregator/lru_table.h"
#include "aggregator/top.h"

#define LIMIT 100

struct item {
	struct lru_row row;
	u32 key;
	u32 value;
};

static struct lru_table table;
static u64 left_sum, evicted_sum;

static void note_leaving(void *row, bool evicted, void *data)
{
	const struct item *item = row;

	assert_ptr_equal(data, &table);
	left_sum += item->value;
	if (evicted)
		evicted_sum += item->value;
}

static int setup(void **state)
{
	(void)state;
	left_sum = evicted_sum = 0;
	assert_int_equal(lru_init(&table, sizeof(struct item), sizeof(u32), LIMIT), 0);
	table.leave = note_leaving;
	table.leave_data = &table;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lru_free(&table);
	return 0;
}

static struct item *get(u32 key)
{
	bool is_new;
	struct item *item = lru_get(&table, &key, &is_new);

	assert_non_null(item);
	assert_int_equal(item->key, key);
	assert_int_equal(is_new, item->value == 0);
	item->value++;
	return item;
}

static bool has(u32 key)
{
	const struct item *item = lru_find(&table, &key);

	assert_true(!item || item->key == key);
	return item != NULL;
}

static void test_the_least_recently_used_leaves(void **state)
{
	(void)state;
	for (u32 key = 1; key <= LIMIT; key++)
		get(key);
	get(1);
	get(LIMIT + 1);
	assert_true(has(1));
	assert_false(has(2));
	assert_true(has(3));
	assert_int_equal(table.active, LIMIT);
	assert_int_equal(table.evicted, 1);
	assert_int_equal(evicted_sum, 1);
}

static void test_the_last_list_leaves_first(void **state)
{
	(void)state;
	for (u32 key = 1; key <= LIMIT; key++)
		lru_move(&table, get(key), key == 50 ? 2 : key > 90 ? 1 : 0);
	get(1000);
	assert_false(has(50));
	get(1001);
	assert_false(has(91));
	assert_true(has(1) && has(92));
	for (u32 i = 0; i < 9; i++)
		get(2000 + i);
	assert_false(has(100));
	get(3000);
	assert_false(has(1));
}

static void test_what_is_unhashed_stays_until_it_leaves(void **state)
{
	struct item *old;
	u32 n = 0;

	(void)state;
	old = get(7);
	lru_unhash(&table, old);
	lru_move(&table, old, 2);
	assert_false(has(7));
	assert_int_equal(get(7)->value, 1);
	assert_int_equal(table.active, 2);
	for (const struct item *i = lru_newest(&table, 2); i; i = lru_older(&table, i), n++)
		assert_int_equal(i->key, 7);
	assert_int_equal(n, 1);
	lru_remove(&table, lru_oldest(&table, 2));
	assert_true(has(7));
	assert_int_equal(table.active, 1);
	assert_int_equal(evicted_sum, 0);
	assert_int_equal(left_sum, 1);
}

/* Each list leads from newest to oldest through as many rows as it says. */
static void check_lists(void)
{
	u32 all = 0;

	for (u8 list = 0; list < LRU_LISTS; list++) {
		u32 n = 0;
		const struct item *last = NULL;

		for (const struct item *i = lru_newest(&table, list); i; i = lru_older(&table, i), n++) {
			assert_int_equal(i->row.list, list);
			last = i;
		}
		assert_ptr_equal(last, lru_oldest(&table, list));
		assert_int_equal(n, table.lists[list].n);
		all += n;
	}
	assert_int_equal(all, table.active);
}

static void test_random_use_loses_nothing(void **state)
{
	u64 given = 0, kept = 0;

	(void)state;
	srand(1);
	for (u32 i = 0; i < 100000; i++) {
		u32 key = (u32)rand() % 300;
		struct item *item = lru_find(&table, &key);

		if (rand() % 8 == 0 && item)
			lru_remove(&table, item);
		else if (rand() % 16 == 0 && item)
			lru_unhash(&table, item);
		else if (rand() % 8 == 0 && item)
			lru_move(&table, item, (u8)(rand() % LRU_LISTS));
		else if (get(key))
			given++;
		if (i % 1000 == 0)
			check_lists();
	}
	for (u32 i = 0; i < table.used; i++)
		kept += lru_at(&table, i) ? ((struct item *)lru_at(&table, i))->value : 0;
	assert_int_equal(given, kept + left_sum);
	lru_clear(&table);
	assert_int_equal(given, left_sum);
	assert_int_equal(table.active, 0);
	get(1);
	check_lists();
}

static bool is_less(const void *one, const void *other, const void *data)
{
	(void)data;
	return *(const u32 *)one < *(const u32 *)other;
}

static void test_top_is_the_largest_in_order(void **state)
{
	u32 values[500];
	struct top top;

	(void)state;
	for (u32 i = 0; i < 500; i++)
		values[i] = i * 7919 % 500;
	for (u32 most = 0; most < 520; most += 13) {
		assert_int_equal(top_init(&top, most, is_less, NULL), 0);
		for (u32 i = 0; i < 500; i++)
			top_offer(&top, &values[i]);
		top_sort(&top);
		assert_int_equal(top.n, most < 500 ? most : 500);
		for (u32 i = 0; i < top.n; i++)
			assert_int_equal(*(const u32 *)top.rows[i], 499 - i);
		top_free(&top);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_the_least_recently_used_leaves),
		TEST(test_the_last_list_leaves_first),
		TEST(test_what_is_unhashed_stays_until_it_leaves),
		TEST(test_random_use_loses_nothing),
		TEST(test_top_is_the_largest_in_order),
	};

	return cmocka_run_group_tests_name("lru_table", tests, NULL, NULL);
}
