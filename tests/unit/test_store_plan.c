// SPDX-License-Identifier: MIT
/* Ranges of time to slots of tiers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/store_plan.h"

#define HOUR 3600
#define DAY (24 * HOUR)
#define T0 1763000000ll			/* 13 November 2025, 03:13:20 in Berlin */
#define MIDNIGHT (T0 - 3 * HOUR - 800)	/* of that day */

static sqlite3 *db;

static int exec(const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static void add_slot(sqlite3_stmt *add, enum store_tier tier, int64_t begin, int64_t end)
{
	sqlite3_bind_int(add, 1, tier);
	sqlite3_bind_int64(add, 2, begin);
	sqlite3_bind_int64(add, 3, end);
	assert_int_equal(sqlite3_step(add), SQLITE_DONE);
	sqlite3_reset(add);
}

/* All tiers watched [begin, end), as recorder has them. */
static void watch(int64_t begin, int64_t end)
{
	sqlite3_stmt *add;

	exec("BEGIN");
	sqlite3_prepare_v2(db, "INSERT OR IGNORE INTO slot VALUES(?1,?2,?3)", -1, &add, NULL);
	for (int64_t t = begin; t < end; t += STORE_RAW_SECONDS)
		for (int tier = 0; tier < STORE_TIERS; tier++) {
			int64_t from, to;

			store_slot(tier, t, &from, &to);
			add_slot(add, tier, from, to);
		}
	sqlite3_finalize(add);
	exec("COMMIT");
}

static int open_db(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	return exec("CREATE TABLE slot(tier INTEGER NOT NULL, begin INTEGER NOT NULL, end INTEGER NOT NULL,"
		    " PRIMARY KEY(tier, begin)) STRICT, WITHOUT ROWID");
}

static int close_db(void **state)
{
	(void)state;
	return sqlite3_close(db);
}

/* "D:0+1 h:24+3 ...": tier, hours from MIDNIGHT of the first, number of slots; then what is covered. */
static const char *planned(const int64_t *cuts, size_t n)
{
	static const char letters[] = "rmhD";
	static char text[512];
	struct store_plan plan;
	const char *why;
	size_t at = 0;

	assert_int_equal(store_plan(db, cuts, n, &plan, &why), STORE_OK);
	for (size_t i = 0; i < plan.n; i++) {
		const struct store_segment *s = &plan.segments[i];
		sqlite3_stmt *count;

		sqlite3_prepare_v2(db, "SELECT count(*) FROM slot WHERE tier=?1 AND begin BETWEEN ?2 AND ?3", -1,
				   &count, NULL);
		sqlite3_bind_int(count, 1, s->tier);
		sqlite3_bind_int64(count, 2, s->first);
		sqlite3_bind_int64(count, 3, s->last);
		assert_int_equal(sqlite3_step(count), SQLITE_ROW);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%c:%g+%d ", letters[s->tier],
				       (double)(s->first - MIDNIGHT) / HOUR, sqlite3_column_int(count, 0));
		sqlite3_finalize(count);
	}
	if (plan.n)
		snprintf(text + at, sizeof(text) - at, "[%g,%g)%s", (double)(plan.begin - MIDNIGHT) / HOUR,
			 (double)(plan.end - MIDNIGHT) / HOUR, plan.crosses ? " crosses" : "");
	else
		strcpy(text, "nothing");
	store_plan_free(&plan);
	return text;
}

static const char *range(double from, double to)
{
	int64_t cuts[] = { MIDNIGHT + (int64_t)(from * HOUR), MIDNIGHT + (int64_t)(to * HOUR) };

	return planned(cuts, 2);
}

static void test_coarsest_that_fits(void **state)
{
	(void)state;
	watch(MIDNIGHT, MIDNIGHT + 3 * DAY);
	assert_string_equal(range(0, 72), "D:0+3 [0,72)");
	assert_string_equal(range(0, 48), "D:0+2 [0,48)");
	assert_string_equal(range(23, 49), "h:23+1 D:24+1 h:48+1 [23,49)");
	assert_string_equal(range(22.75, 25.5), "m:22.75+3 h:23+2 m:25+6 [22.75,25.5)");
	/* 36 s: four slots of 10 s hold them. */
	assert_string_equal(range(1, 1.01), "r:1+4 [1,1.01111)");
	assert_string_equal(range(-100, -50), "nothing");
	assert_string_equal(range(100, 200), "nothing");
}

static void test_nothing_behind_the_end(void **state)
{
	(void)state;
	watch(MIDNIGHT, MIDNIGHT + DAY + 10 * HOUR + 1230);
	/* The second day has ended as far as anybody knows: its slot is all there is. */
	assert_string_equal(range(0, 36), "D:0+2 [0,34.3417)");
	assert_string_equal(range(0, 34), "D:0+1 h:24+10 [0,34)");
	/* Also when the newest slot is still open. */
	assert_string_equal(range(0, 34 + 1225.0 / 3600), "D:0+2 [0,34.3417)");
}

static void test_what_is_forgotten(void **state)
{
	(void)state;
	watch(MIDNIGHT, MIDNIGHT + 3 * DAY);
	exec("DELETE FROM slot WHERE tier=0");
	assert_string_equal(range(1.01, 1.5), "m:1+6 [1,1.5)");
	exec("DELETE FROM slot WHERE tier=1");
	assert_string_equal(range(1.01, 1.5), "h:1+1 [1,2)");
	exec("DELETE FROM slot WHERE tier=2 AND begin < (SELECT min(begin) + 129600 FROM slot WHERE tier=2)");
	assert_string_equal(range(1.01, 1.5), "D:0+1 [0,24)");
	/* Hours are there from noon of the second day: what was before is in its day only. */
	assert_string_equal(range(10, 30), "D:0+2 [0,48)");
	assert_string_equal(range(37, 50), "h:37+13 [37,50)");
	assert_string_equal(range(37, 72), "h:37+11 D:48+1 [37,72)");
}

static void test_gaps(void **state)
{
	(void)state;
	watch(MIDNIGHT + 9 * HOUR, MIDNIGHT + 10 * HOUR);
	watch(MIDNIGHT + 30 * HOUR, MIDNIGHT + 31 * HOUR);
	watch(MIDNIGHT + 71 * HOUR, MIDNIGHT + 72 * HOUR);
	assert_string_equal(range(0, 72), "D:0+3 [9,72)");
	assert_string_equal(range(1, 71), "h:9+1 D:24+1 [9,48)");
	assert_string_equal(range(11, 12), "nothing");
}

static void test_cuts(void **state)
{
	int64_t cuts[] = { MIDNIGHT, MIDNIGHT + 12 * HOUR, MIDNIGHT + 36 * HOUR, MIDNIGHT + 3 * DAY };

	(void)state;
	watch(MIDNIGHT, MIDNIGHT + 3 * DAY + HOUR);
	assert_string_equal(planned(cuts, 4), "h:0+48 D:48+1 [0,72)");
	exec("DELETE FROM slot WHERE tier<3");
	assert_string_equal(planned(cuts, 4), "D:0+3 [0,72) crosses");
	assert_int_equal(store_plan_part(cuts, 4, MIDNIGHT - 1), 0);
	assert_int_equal(store_plan_part(cuts, 4, MIDNIGHT), 0);
	assert_int_equal(store_plan_part(cuts, 4, MIDNIGHT + 12 * HOUR), 1);
	assert_int_equal(store_plan_part(cuts, 4, MIDNIGHT + 36 * HOUR - 1), 1);
	assert_int_equal(store_plan_part(cuts, 4, MIDNIGHT + 9 * DAY), 2);
}

/* A recorder that moved to another time zone: its day there began while the old one was under way. */
static void test_overlapping_days(void **state)
{
	(void)state;
	watch(MIDNIGHT, MIDNIGHT + 12 * HOUR);
	setenv("TZ", "America/New_York", 1);
	tzset();
	watch(MIDNIGHT + 12 * HOUR, MIDNIGHT + 2 * DAY);
	assert_string_equal(range(0, 48), "h:0+30 D:30+1 [0,48)");
	exec("DELETE FROM slot WHERE tier<3");
	assert_string_equal(range(0, 48), "D:0+3 [0,54)");
}

/* 30 March 2025 has 23 hours, 26 October 25. */
static void test_days_of_23_and_25_hours(void **state)
{
	int64_t spring[] = { 1743289200, 1743289200 + 23 * HOUR }, autumn[] = { 1761429600, 1761429600 + 25 * HOUR };

	(void)state;
	watch(spring[0] - DAY, spring[1] + DAY);
	watch(autumn[0] - DAY, autumn[1] + DAY);
	assert_non_null(strstr(planned(spring, 2), "D:"));
	assert_null(strstr(planned(spring, 2), "h:"));
	assert_null(strstr(planned(autumn, 2), "h:"));
	spring[1] += HOUR;
	assert_non_null(strstr(planned(spring, 2), "+1 h:"));
}

static int times_held(const struct store_plan *plan, int64_t at)
{
	int held = 0;

	for (size_t i = 0; i < plan->n; i++) {
		int64_t begin, end;

		store_slot(plan->segments[i].tier, at, &begin, &end);
		held += begin >= plan->segments[i].first && begin <= plan->segments[i].last;
	}
	return held;
}

/* Any range of any history: each raw slot within it is in exactly one slot of the plan, and no other. */
static void test_everything_once(void **state)
{
	sqlite3_stmt *all;

	(void)state;
	srand(1);
	sqlite3_prepare_v2(db, "SELECT begin FROM slot WHERE tier=0", -1, &all, NULL);
	for (int round = 0; round < 25; round++) {
		int64_t cuts[2];
		struct store_plan plan;
		const char *why;

		exec("DELETE FROM slot");
		for (int i = 0; i < 5; i++) {
			int64_t begin = MIDNIGHT + rand() % (4 * DAY) / 10 * 10;

			watch(begin, begin + rand() % 6000);
		}
		cuts[0] = MIDNIGHT - DAY + rand() % (5 * DAY);
		cuts[1] = cuts[0] + 1 + rand() % (MIDNIGHT + 5 * DAY - cuts[0]);
		assert_int_equal(store_plan(db, cuts, 2, &plan, &why), STORE_OK);
		while (sqlite3_step(all) == SQLITE_ROW) {
			int64_t at = sqlite3_column_int64(all, 0);

			assert_int_equal(times_held(&plan, at), at + 10 > cuts[0] && at < cuts[1]);
		}
		sqlite3_reset(all);
		assert_true(!plan.n || (plan.begin < plan.end && plan.end < cuts[1] + 10));
		store_plan_free(&plan);
	}
	sqlite3_finalize(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_coarsest_that_fits, open_db, close_db),
		cmocka_unit_test_setup_teardown(test_nothing_behind_the_end, open_db, close_db),
		cmocka_unit_test_setup_teardown(test_what_is_forgotten, open_db, close_db),
		cmocka_unit_test_setup_teardown(test_gaps, open_db, close_db),
		cmocka_unit_test_setup_teardown(test_cuts, open_db, close_db),
		cmocka_unit_test_setup_teardown(test_overlapping_days, open_db, close_db),
		cmocka_unit_test_setup_teardown(test_days_of_23_and_25_hours, open_db, close_db),
		cmocka_unit_test_setup_teardown(test_everything_once, open_db, close_db),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
