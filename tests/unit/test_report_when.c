// SPDX-License-Identifier: MIT
/* Times as people write them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/when.h"

#define NOW 1763733605ll	/* Friday, 21 November 2025, 15:00:05 in Berlin */
#define HOUR 3600

static int set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
	return 0;
}

static int berlin(void **state)
{
	(void)state;
	return set_zone("Europe/Berlin");
}

static int64_t at(const char *text)
{
	const char *why = "";
	int64_t t = -1;

	if (when_parse(text, NOW, NOW, &t, &why))
		fail_msg("'%s': %s", text, why);
	return t;
}

/* As date(1) would print it. */
static void shows(const char *text, const char *want)
{
	time_t t = (time_t)at(text);
	char have[64];

	strftime(have, sizeof(have), "%Y-%m-%d %H:%M:%S %Z", localtime(&t));
	assert_string_equal(have, want);
}

static void test_so_long_ago(void **state)
{
	(void)state;
	assert_int_equal(at("now"), NOW);
	assert_int_equal(at("2h"), NOW - 2 * HOUR);
	assert_int_equal(at("2h ago"), NOW - 2 * HOUR);
	assert_int_equal(at("2 hours ago"), NOW - 2 * HOUR);
	assert_int_equal(at("90m"), NOW - 90 * 60);
	assert_int_equal(at("90 Min"), NOW - 90 * 60);
	assert_int_equal(at("30s"), NOW - 30);
	assert_int_equal(at("0s"), NOW);
	shows("1d", "2025-11-20 15:00:05 CET");
	shows("1 week ago", "2025-11-14 15:00:05 CET");
	shows("1mo", "2025-10-21 15:00:05 CEST");
	shows("2 years", "2023-11-21 15:00:05 CET");
	/* A month is not a number of hours. */
	assert_int_equal(NOW - at("1mo"), 31 * 24 * HOUR + HOUR);
}

static void test_counts_back_from_the_anchor(void **state)
{
	const char *why;
	int64_t t;

	(void)state;
	assert_int_equal(when_parse("2h", NOW, NOW - 100, &t, &why), 0);
	assert_int_equal(t, NOW - 100 - 2 * HOUR);
	assert_int_equal(when_parse("today", NOW, 0, &t, &why), 0);
	assert_int_equal(t, at("2025-11-21"));
}

static void test_days_by_name(void **state)
{
	(void)state;
	shows("today", "2025-11-21 00:00:00 CET");
	shows("Yesterday", "2025-11-20 00:00:00 CET");
	shows("yesterday 14:30", "2025-11-20 14:30:00 CET");
	shows("friday", "2025-11-21 00:00:00 CET");
	shows("monday", "2025-11-17 00:00:00 CET");
	shows("sat", "2025-11-15 00:00:00 CET");
	shows("mon 9:30", "2025-11-17 09:30:00 CET");
	shows("today 24:00", "2025-11-22 00:00:00 CET");
	shows("14:00", "2025-11-21 14:00:00 CET");
	shows("14:00:59", "2025-11-21 14:00:59 CET");
}

static void test_iso(void **state)
{
	(void)state;
	shows("2025-11-21", "2025-11-21 00:00:00 CET");
	shows("2025-07-01T14:00", "2025-07-01 14:00:00 CEST");
	shows("2025-07-01 14:00:05", "2025-07-01 14:00:05 CEST");
	shows("2024-02-29", "2024-02-29 00:00:00 CET");
	assert_int_equal(at("2025-11-21T14:00:05Z"), NOW);
	assert_int_equal(at("2025-11-21T15:00:05+01:00"), NOW);
	assert_int_equal(at("2025-11-21T15:00:05 +0100"), NOW);
	assert_int_equal(at("2025-11-21 19:30:05+05:30"), NOW);
	assert_int_equal(at("2025-11-21T09:00:05-05"), NOW);
}

static void test_unix(void **state)
{
	(void)state;
	assert_int_equal(at("1763733605"), NOW);
	assert_int_equal(at("1763733605123"), NOW);
	assert_int_equal(at("@1763733605"), NOW);
	assert_int_equal(at("@17"), 17);
	assert_int_equal(at("@0"), 0);
}

/* 26 October 2025: 02:00 to 03:00 comes twice; 30 March: not at all. */
static void test_clocks_that_change(void **state)
{
	(void)state;
	assert_int_equal(at("2025-10-26T02:30"), 1761438600);
	assert_int_equal(at("2025-10-26T02:30+01:00"), 1761438600 + HOUR);
	shows("2025-10-26 03:00", "2025-10-26 03:00:00 CET");
	shows("2025-03-30 02:30", "2025-03-30 03:30:00 CEST");
	assert_int_equal(at("2025-03-31") - at("2025-03-30"), 23 * HOUR);
	assert_int_equal(at("2025-10-27") - at("2025-10-26"), 25 * HOUR);
	assert_int_equal(when_midnight(1761438600, 1, 0) - when_midnight(1761438600, 0, 0), 25 * HOUR);
	assert_int_equal(when_midnight(at("2025-01-31"), -30, 1), at("2025-02-01"));
	set_zone("America/Sao_Paulo");
	/* There midnight itself was left out. */
	shows("2018-11-04", "2018-11-04 01:00:00 -02");
	set_zone("UTC");
	shows("2025-03-30 02:30", "2025-03-30 02:30:00 UTC");
	set_zone("Europe/Dublin");
	shows("2025-07-01 12:00", "2025-07-01 12:00:00 IST");
	shows("2025-12-01 12:00", "2025-12-01 12:00:00 GMT");
}

static void is_at(const char *text, int64_t now, int64_t want)
{
	const char *why;
	int64_t t = -1;

	assert_int_equal(when_parse(text, now, now, &t, &why), 0);
	assert_int_equal(t, want);
}

/* Where clocks change at 02:00: 9 March and 2 November 2025. By date(1). */
static void test_yesterday_across_a_change(void **state)
{
	(void)state;
	set_zone("America/New_York");
	assert_int_equal(at("2025-03-10") - at("2025-03-09"), 23 * HOUR);
	assert_int_equal(at("2025-11-03") - at("2025-11-02"), 25 * HOUR);
	shows("2025-11-02 01:30", "2025-11-02 01:30:00 EDT");
	shows("2025-11-02 02:00", "2025-11-02 02:00:00 EST");
	shows("2025-03-09 02:30", "2025-03-09 03:30:00 EDT");
	/* Noon of the day after: midnight was 35 and 37 hours before. */
	is_at("yesterday", 1741622400, 1741496400);
	is_at("yesterday", 1762189200, 1762056000);
	is_at("1d", 1741622400, 1741622400 - 24 * HOUR);
	is_at("2d", 1741622400, 1741622400 - 47 * HOUR);
	is_at("2d ago", 1762189200, 1762189200 - 49 * HOUR);
	is_at("48h ago", 1762189200, 1762189200 - 48 * HOUR);
	is_at("yesterday 01:30", 1762189200, 1762061400);
}

static void test_what_is_no_time(void **state)
{
	static const char *const texts[] = {
		"", " ", "soon", "2", "2x", "h", "-2h", "2h later", "2h ago ago", "20251121", "2025-13-01", "2025-02-30",
		"2025-11-21T", "2025-11-21T25:00", "2025-11-21T14", "2025-11-21T14:60", "2025-11-21T14:00X",
		"2025-11-21T14:00+1", "2025-11-21T14:00+24:00", "2025-11-21T14:00Zx", "1969-12-31", "yesterday 25:00",
		"yesterday x", "mond", "24:01", "@", "@x", "1763733605x", "99999999999999999999", "99999999999h",
		"999999999d", "nowhere", "2h\n", "14:00 ",
	};
	const char *why;
	int64_t t = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		why = NULL;
		if (when_parse(texts[i], NOW, NOW, &t, &why) != -EINVAL)
			fail_msg("'%s' is taken", texts[i]);
		assert_non_null(why);
		assert_int_equal(t, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_so_long_ago, berlin),
		cmocka_unit_test_setup(test_counts_back_from_the_anchor, berlin),
		cmocka_unit_test_setup(test_days_by_name, berlin),
		cmocka_unit_test_setup(test_iso, berlin),
		cmocka_unit_test_setup(test_unix, berlin),
		cmocka_unit_test_setup(test_clocks_that_change, berlin),
		cmocka_unit_test_setup(test_yesterday_across_a_change, berlin),
		cmocka_unit_test_setup(test_what_is_no_time, berlin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
