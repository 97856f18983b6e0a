// SPDX-License-Identifier: MIT
/* Buckets of microseconds: no gap, no overlap, as narrow as promised, to the last one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/latency_buckets.h"
#include "common/records.h"

static void exact_below_32(void **state)
{
	(void)state;
	for (u32 us = 0; us < 32; us++) {
		assert_int_equal(latency_bucket(us), us);
		assert_int_equal(latency_bucket_lower_us(us), us);
		assert_int_equal(latency_bucket_upper_us(us), us);
	}
}

static void bounds_are_in_their_bucket(void **state)
{
	(void)state;
	for (u32 bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
		assert_int_equal(latency_bucket(latency_bucket_lower_us(bucket)), bucket);
		assert_int_equal(latency_bucket(latency_bucket_upper_us(bucket)), bucket);
	}
}

static void neither_gap_nor_overlap(void **state)
{
	(void)state;
	for (u32 bucket = 1; bucket < LATENCY_BUCKETS; bucket++)
		assert_int_equal(latency_bucket_lower_us(bucket),
				 latency_bucket_upper_us(bucket - 1) + 1);
	assert_int_equal(latency_bucket_upper_us(LATENCY_BUCKETS - 1), (1u << 27) - 1);
}

static void no_wider_than_a_thirtysecond(void **state)
{
	(void)state;
	for (u32 bucket = 32; bucket < LATENCY_BUCKETS; bucket++) {
		u32 lower = latency_bucket_lower_us(bucket), upper = latency_bucket_upper_us(bucket);

		assert_true((upper - lower + 1) * 32 <= lower);
	}
}

static void everything_has_a_bucket(void **state)
{
	static const u32 long_ones[] = { 1u << 27, (1u << 27) + 1, 1u << 31, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(long_ones) / sizeof(*long_ones); i++)
		assert_int_equal(latency_bucket(long_ones[i]), LATENCY_BUCKETS - 1);
	for (u32 us = 0; us < 1u << 27; us += 1 + us / 4096) {
		u32 bucket = latency_bucket(us);

		assert_true(bucket < LATENCY_BUCKETS);
		assert_true(latency_bucket_lower_us(bucket) <= us);
		assert_true(us <= latency_bucket_upper_us(bucket));
	}
}

static void the_record_has_room_for_all(void **state)
{
	(void)state;
	assert_int_equal(sizeof(((struct latency_value *)0)->counts) / sizeof(u32), LATENCY_BUCKETS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_below_32),
		cmocka_unit_test(bounds_are_in_their_bucket),
		cmocka_unit_test(neither_gap_nor_overlap),
		cmocka_unit_test(no_wider_than_a_thirtysecond),
		cmocka_unit_test(everything_has_a_bucket),
		cmocka_unit_test(the_record_has_room_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
