// SPDX-License-Identifier: MIT
/* How the database is asked: by its keys, without sorting; and what rows add up to. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "common/ask_tally.h"
#include "common/questions.h"

#define PLAN_MAX 2048

static sqlite3 *db;

static int open_db(void **state)
{
	const char *why;

	(void)state;
	setenv("TZ", "UTC", 1);
	return store_open_writer(":memory:", &db, &why) != STORE_OK;
}

static int close_db(void **state)
{
	(void)state;
	return sqlite3_close(db);
}

/* What SQLite would do, its lines joined by "; ". */
static void explain(sqlite3_stmt *statement, char plan[PLAN_MAX])
{
	char sql[4096];
	sqlite3_stmt *steps;
	size_t at = 0;

	snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", sqlite3_sql(statement));
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &steps, NULL), SQLITE_OK);
	while (sqlite3_step(steps) == SQLITE_ROW)
		at += (size_t)snprintf(plan + at, PLAN_MAX - at, "%s; ", sqlite3_column_text(steps, 3));
	sqlite3_finalize(steps);
}

/* 10.0.0.1 and on. */
static void add_remotes(int n)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%d) "
		 "INSERT INTO remote SELECT i,'10.0.'||(i/256)||'.'||(i%%256) FROM n", n);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void test_every_fact_by_its_keys(void **state)
{
	struct ask_request request = { .process = "curl", .proto = "TCP", .host = "web1",
				   .network = { .family = AF_INET, .bits = 8, .address = { 10 } } };
	struct ask a = { .request = &request, .db = db };

	(void)state;
	add_remotes(1);
	for (int fact = 0; fact < STORE_FACTS; fact++)
		for (int tier = 0; tier < STORE_TIERS; tier++) {
			struct store_segment segment = { tier, 0, 86400 };
			sqlite3_stmt *statement;
			char plan[PLAN_MAX];

			if (!store_has(fact, tier))
				continue;
			statement = ask_segment(&a, fact, 7, &segment, "t.*");
			assert_non_null(statement);
			explain(statement, plan);
			assert_ptr_equal(strstr(plan, "SEARCH s USING PRIMARY KEY (tier=? AND begin>? AND begin<?)"),
					 plan);
			assert_non_null(strstr(plan, "SEARCH t USING PRIMARY KEY (slot=? AND "));
			assert_null(strstr(plan, "SCAN t"));
			assert_null(strstr(plan, "TEMP B-TREE"));
			sqlite3_finalize(statement);
		}
	ask_free(&a);
}

static void test_one_process_is_sought(void **state)
{
	struct ask_request request = { .process = "curl" };
	struct ask a = { .request = &request, .db = db };
	struct store_segment segment = { TIER_DAYS, 0, 86400 };
	sqlite3_stmt *statement = ask_segment(&a, FACT_TRAFFIC, 2, &segment, "t.remote");
	char plan[PLAN_MAX];

	(void)state;
	explain(statement, plan);
	assert_non_null(strstr(plan, "SEARCH t USING PRIMARY KEY (slot=? AND process=?)"));
	sqlite3_finalize(statement);
}

static void test_few_remotes_are_sought_and_many_are_not(void **state)
{
	struct ask_request request = { .network = { .family = AF_INET, .bits = 31, .address = { 10, 0, 0, 8 } } };
	struct ask a = { .request = &request, .db = db };
	struct store_segment segment = { TIER_DAYS, 0, 86400 };
	sqlite3_stmt *statement;
	char plan[PLAN_MAX];

	(void)state;
	add_remotes(1000);
	statement = ask_segment(&a, FACT_TRAFFIC, 1, &segment, "t.tx_bytes");
	explain(statement, plan);
	assert_non_null(strstr(plan, "SEARCH t USING INDEX traffic_days_remote (slot=? AND remote=?)"));
	sqlite3_finalize(statement);
	ask_free(&a);
	request.network.bits = 8;
	statement = ask_segment(&a, FACT_TRAFFIC, 1, &segment, "t.tx_bytes");
	explain(statement, plan);
	assert_non_null(strstr(plan, "SEARCH t USING PRIMARY KEY (slot=?)"));
	sqlite3_finalize(statement);
	ask_free(&a);
}

/* What is read: the shortest table that has the keys that are asked for or filtered by. */
static void test_summaries_are_read(void **state)
{
	static const struct {
		struct ask_request request;
		unsigned int keys;
		enum store_tier tier;
		const char *table;
	} rows[] = {
		{ { .limit = 0 }, TALLY_KEY(0), TIER_DAYS, " traffic_by_process_days t " },
		{ { .limit = 0 }, TALLY_KEY(0), TIER_HOURS, " traffic_by_process_hours t " },
		{ { .limit = 0 }, TALLY_KEY(0), TIER_MINUTES, " traffic_minutes t " },
		{ { .limit = 0 }, TALLY_KEY(1), TIER_DAYS, " traffic_by_remote_days t " },
		{ { .limit = 0 }, TALLY_KEY(1), TIER_HOURS, " traffic_hours t " },
		{ { .proto = "UDP" }, TALLY_KEY(1), TIER_DAYS, " traffic_by_remote_days t " },
		{ { .process = "curl" }, TALLY_KEY(1), TIER_DAYS, " traffic_days t " },
		{ { .process = "curl" }, 0, TIER_DAYS, " traffic_by_process_days t " },
		{ { .host = "web1" }, TALLY_KEY(2), TIER_DAYS, " traffic_by_process_days t " },
		{ { .network = { .family = AF_INET } }, TALLY_KEY(0), TIER_DAYS, " traffic_days t " },
		{ { .network = { .family = AF_INET } }, 0, TIER_DAYS, " traffic_by_remote_days t " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ask a = { .request = &rows[i].request, .db = db };
		struct store_segment segment = { rows[i].tier, 0, 86400 };
		sqlite3_stmt *statement = ask_segment(&a, FACT_TRAFFIC, rows[i].keys, &segment, "t.slot");

		assert_non_null(strstr(sqlite3_sql(statement), rows[i].table));
		sqlite3_finalize(statement);
		ask_free(&a);
	}
}

/* 3 days, 50 processes, 40 remotes: each row 1 sent, 2 received. */
static void test_sums_and_parts(void **state)
{
	int64_t *cuts = malloc(3 * sizeof(*cuts));
	struct ask_request request = { .from = 0, .to = 3 * 86400 };
	struct ask a = { .request = &request, .db = db };
	struct tally tally;

	(void)state;
	assert_int_equal(sqlite3_exec(db,
		"INSERT INTO slot VALUES(3,0,86400),(3,86400,172800),(3,172800,259200);"
		"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<5999) "
		"INSERT INTO traffic_days SELECT i/2000*86400,i%2000/40+1,i%40+1,1,1,2,0,0,0,0 FROM n;"
		"INSERT INTO traffic_by_process_days SELECT slot,process,1,40,80,0,0,0,0 FROM traffic_days "
		"GROUP BY slot,process",
		NULL, NULL, NULL), SQLITE_OK);
	assert_true(ask_plan(&a));
	assert_true(tally_fact(&tally, &a, FACT_TRAFFIC, TALLY_KEY(0)));
	assert_int_equal(tally.n, 50);
	for (size_t i = 0; i < tally.n; i++)
		assert_true(tally.rows[i].sum[0] == 120 && tally.rows[i].sum[1] == 240);
	tally_free(&tally);
	/* More rows than the table begins with. */
	assert_true(tally_fact(&tally, &a, FACT_TRAFFIC, TALLY_KEY(0) | TALLY_KEY(1)));
	assert_int_equal(tally.n, 2000);
	for (size_t i = 0; i < tally.n; i++)
		assert_int_equal(tally.rows[i].sum[0], 3);
	tally_free(&tally);
	cuts[0] = 0;
	cuts[1] = 86400;
	cuts[2] = 3 * 86400;
	assert_true(ask_plan_parts(&a, cuts, 3));
	assert_true(tally_fact(&tally, &a, FACT_TRAFFIC, TALLY_PARTS));
	tally_sort_keys(&tally);
	assert_int_equal(tally.n, 2);
	assert_int_equal(tally.rows[0].sum[0], 2000);
	assert_int_equal(tally.rows[1].sum[0], 4000);
	tally_sort(&tally, 0, 1);
	assert_int_equal(tally.rows[0].sum[1], 8000);
	tally_free(&tally);
	ask_free(&a);
}

/* The first thing that goes wrong is what is told. */
static void test_what_goes_wrong(void **state)
{
	struct ask_request request = { .from = 0, .to = 10 };
	struct ask a = { .request = &request, .db = db };
	struct tally tally;

	(void)state;
	assert_null(ask_prepare(&a, "SELECT nothing FROM nowhere"));
	assert_int_equal(a.status, STORE_FAILED);
	assert_false(ask_check(&a, SQLITE_CORRUPT));
	assert_int_equal(a.status, STORE_FAILED);
	assert_false(ask_plan(&a));
	assert_false(tally_fact(&tally, &a, FACT_PORT, TALLY_KEY(0)));
	tally_free(&tally);
	ask_free(&a);
	a = (struct ask){ .request = &request, .db = db };
	assert_false(ask_check(&a, SQLITE_CORRUPT));
	assert_int_equal(a.status, STORE_DAMAGED);
}

#define NOW 1763733605ll

static void asks(struct question_range range, int64_t from, int64_t to)
{
	struct ask_request request = { 0 };
	const char *name, *why;

	assert_int_equal(question_range(&range, NOW, &request, &name, &why), 0);
	assert_int_equal(request.now, NOW);
	assert_int_equal(request.from, from);
	assert_int_equal(request.to, to);
}

static void is_refused(struct question_range range, const char *at_fault)
{
	struct ask_request request = { 0 };
	const char *name, *why;

	assert_int_equal(question_range(&range, NOW, &request, &name, &why), -EINVAL);
	assert_string_equal(name, at_fault);
}

/* A slot may begin in the very second of the question. */
static void test_an_end_of_now_holds_the_second_that_has_begun(void **state)
{
	(void)state;
	asks((struct question_range){ .last = "1h" }, NOW - 3600, NOW + 1);
	asks((struct question_range){ .from = "1h ago" }, NOW - 3600, NOW + 1);
	asks((struct question_range){ .last = "1h", .to = "Now" }, NOW - 3600, NOW + 1);
	asks((struct question_range){ 0 }, NOW - 86400, NOW + 1);
	/* Other ends are where they are said to be. */
	asks((struct question_range){ .last = "1h", .to = "1763733605" }, NOW - 3600, NOW);
	asks((struct question_range){ .from = "2h ago", .to = "1h ago" }, NOW - 7200, NOW - 3600);
	is_refused((struct question_range){ .from = "now" }, "from");
	is_refused((struct question_range){ .last = "0s" }, "last");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_fact_by_its_keys, open_db, close_db),
		cmocka_unit_test_setup_teardown(test_one_process_is_sought, open_db, close_db),
		cmocka_unit_test_setup_teardown(test_few_remotes_are_sought_and_many_are_not, open_db, close_db),
		cmocka_unit_test_setup_teardown(test_summaries_are_read, open_db, close_db),
		cmocka_unit_test_setup_teardown(test_sums_and_parts, open_db, close_db),
		cmocka_unit_test_setup_teardown(test_what_goes_wrong, open_db, close_db),
		cmocka_unit_test_setup_teardown(test_an_end_of_now_holds_the_second_that_has_begun, open_db, close_db),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
