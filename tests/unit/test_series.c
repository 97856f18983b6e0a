// SPDX-License-Identifier: MIT
/* Sums by name: exact whoever comes and goes, never less, the largest have a place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aggregator/series.h"

#define HOSTS 3

static struct series_set set;

static int setup(void **state)
{
	(void)state;
	return series_init(&set);
}

static int teardown(void **state)
{
	(void)state;
	series_free(&set);
	return 0;
}

static struct series_id name_of(u16 host, u32 number)
{
	char name[17] = "";

	snprintf(name, sizeof(name), "n%u", number);
	return series_id_of(host, (const u8 *)name);
}

static void give(u16 host, u32 number, u64 tx, u64 rx)
{
	struct series_id id = name_of(host, number);

	series_add(&set, &id, (struct moved_bytes){ tx, rx });
}

static const struct series *find(u16 host, u32 number)
{
	struct series_id id = name_of(host, number);
	const struct series *s = series_next(&set, NULL);

	while (s && memcmp(&s->id, &id, sizeof(id)))
		s = series_next(&set, s);
	return s;
}

static u32 count(void)
{
	u32 n = 0;

	for (const struct series *s = series_next(&set, NULL); s; s = series_next(&set, s))
		n++;
	return n;
}

static void first_ones_have_a_place(void **state)
{
	struct moved_bytes rest;

	(void)state;
	for (u32 i = 0; i < SERIES_MAX + 10; i++)
		give(0, i, 10 + i, 1);
	assert_int_equal(count(), SERIES_MAX);
	assert_int_equal(find(0, 5)->sum.tx, 15);
	assert_null(find(0, SERIES_MAX));
	series_rest(&set, 1, &rest);
	assert_int_equal(rest.rx, 10);
}

static void a_larger_one_takes_the_place_of_the_smallest(void **state)
{
	struct moved_bytes rest, before;

	(void)state;
	for (u32 i = 0; i < SERIES_MAX; i++)
		give(0, i, 1000 + i, 7);
	give(0, 100, 1500, 0);
	series_rank(&set, 1000);
	assert_null(find(0, 100));	/* larger, but not clearly */
	give(0, 100, 5000, 0);
	series_rest(&set, 1, &before);
	series_rank(&set, 1000);
	assert_non_null(find(0, 100));
	assert_int_equal(find(0, 100)->sum.tx, 0);	/* what was before stays in the rest */
	assert_null(find(0, 0));
	assert_int_equal(set.left[0].tx, 1000);
	assert_int_equal(set.left[0].rx, 7);
	series_rest(&set, 1, &rest);
	assert_int_equal(rest.tx, before.tx);
	give(0, 100, 3, 4);
	assert_int_equal(find(0, 100)->sum.tx, 3);
	assert_int_equal(set.changes, 1);
}

static void the_rest_has_a_name_that_nobody_can_take(void **state)
{
	struct series_id other = series_id_of(0, (const u8 *)"other\0\0\0\0\0\0\0\0\0\0");
	struct series_id nobody = { .host = 0 };
	struct moved_bytes rest;

	(void)state;
	series_add(&set, &other, (struct moved_bytes){ 5, 6 });
	series_add(&set, &nobody, (struct moved_bytes){ 1, 1 });
	assert_int_equal(count(), 0);
	series_rest(&set, 1, &rest);
	assert_int_equal(rest.tx, 6);
	assert_int_equal(rest.rx, 7);
}

/* Two names that are not UTF-8 must not look alike to the one and different to the other. */
static void bytes_that_are_no_text_make_one_name(void **state)
{
	struct series_id a = series_id_of(0, (const u8 *)"ab\xff\xc3\xa9z\0\0\0\0\0\0\0\0\0");
	struct series_id b = series_id_of(0, (const u8 *)"ab\xfe\xc3\xa9z\0\0\0\0\0\0\0\0\0");
	struct series_id cut = series_id_of(0, (const u8 *)"0123456789abcde\xc3");

	(void)state;
	assert_memory_equal(a.name, "ab?\xc3\xa9z\0", 7);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_equal(cut.name, "0123456789abcde?", 16);
}

/* Any names, sizes and hosts: sums are exact, and what was said is never taken back. */
static void churn(void **state)
{
	struct moved_bytes rest[HOSTS], before[HOSTS] = { { 0, 0 } };
	u64 given[HOSTS] = { 0 }, shown[HOSTS];
	unsigned int seed = 1;

	(void)state;
	for (u32 round = 0; round < 300; round++) {
		for (u32 i = 0; i < 400; i++) {
			u16 host = (u16)(rand_r(&seed) % HOSTS);
			u32 name = (u32)rand_r(&seed) % 8000, bytes = (u32)rand_r(&seed) % 1000;

			if (name % 8 == round % 8)
				bytes *= 50;
			give(host, name / 16, bytes, 1);
			given[host] += bytes;
		}
		series_rank(&set, 1000);
		series_rest(&set, HOSTS, rest);
		memset(shown, 0, sizeof(shown));
		for (const struct series *s = series_next(&set, NULL); s; s = series_next(&set, s))
			shown[s->id.host] += s->sum.tx;
		for (u32 host = 0; host < HOSTS; host++) {
			assert_true(rest[host].tx >= before[host].tx);
			assert_int_equal(shown[host] + rest[host].tx + set.left[host].tx, given[host]);
			assert_int_equal(set.total[host].tx, given[host]);
		}
		memcpy(before, rest, sizeof(before));
		assert_int_equal(count(), SERIES_MAX);
	}
	assert_true(set.changes > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(first_ones_have_a_place, setup, teardown),
		cmocka_unit_test_setup_teardown(a_larger_one_takes_the_place_of_the_smallest, setup, teardown),
		cmocka_unit_test_setup_teardown(the_rest_has_a_name_that_nobody_can_take, setup, teardown),
		cmocka_unit_test_setup_teardown(bytes_that_are_no_text_make_one_name, setup, teardown),
		cmocka_unit_test_setup_teardown(churn, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
