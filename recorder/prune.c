/* SPDX-License-Identifier: MIT */
/* What is too old, or too much, leaves the database. */
#include "recorder/prune.h"

#include <stdio.h>

#define SQL_MAX 256
#define ROUNDS_MAX 256	/* of making room, a transaction: each takes an eighth of a tier */

static int exec(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int64_t ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;
	int64_t number = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		return 0;
	if (sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

/* Slots that ended at `before` or earlier. */
static int forget_slots(sqlite3 *db, int tier, int64_t before)
{
	char sql[SQL_MAX];
	int code = SQLITE_OK;

	for (int fact = 0; fact < STORE_FACTS && code == SQLITE_OK; fact++) {
		if (!store_has(fact, tier))
			continue;
		snprintf(sql, sizeof(sql), "DELETE FROM %s_%s WHERE slot IN (SELECT begin FROM slot "
			 "WHERE tier=%d AND end<=%lld)", store_facts[fact].name,
			 store_tiers[tier].name, tier, (long long)before);
		code = exec(db, sql);
	}
	snprintf(sql, sizeof(sql), "DELETE FROM slot WHERE tier=%d AND end<=%lld", tier, (long long)before);
	return code == SQLITE_OK ? exec(db, sql) : code;
}

static int forget_flows(sqlite3 *db, int64_t before)
{
	char sql[SQL_MAX];

	snprintf(sql, sizeof(sql), "DELETE FROM flow WHERE last_ms<%lld", (long long)before * 1000);
	return exec(db, sql);
}

static int64_t bytes_of(sqlite3 *db)
{
	return (ask(db, "PRAGMA page_count") - ask(db, "PRAGMA freelist_count")) *
	       ask(db, "PRAGMA page_size");
}

/* Where to cut so that the oldest eighth of a tier's slots leaves; 0: it has none to spare. */
static int64_t cut_of(sqlite3 *db, int tier, int64_t *ret_slots)
{
	char sql[SQL_MAX];
	int64_t all;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM slot WHERE tier=%d", tier);
	all = ask(db, sql);
	if (all < 2)
		return 0;
	*ret_slots = (all + 7) / 8;
	snprintf(sql, sizeof(sql), "SELECT end FROM slot WHERE tier=%d ORDER BY begin LIMIT 1 OFFSET %lld",
		 tier, (long long)*ret_slots - 1);
	return ask(db, sql);
}

/* Flows first, then what is finest: a coarser tier has the same sums for longer. */
static int make_room(sqlite3 *db, u64 *early)
{
	int64_t cut, slots = 0;
	int code;

	if (ask(db, "SELECT EXISTS(SELECT 1 FROM flow)"))
		return exec(db, "DELETE FROM flow WHERE id IN (SELECT id FROM flow ORDER BY last_ms "
			    "LIMIT max(1000, (SELECT count(*)/16 FROM flow)))");
	for (int tier = 0; tier < STORE_TIERS; tier++) {
		cut = cut_of(db, tier, &slots);
		if (!cut)
			continue;
		code = forget_slots(db, tier, cut);
		*early += (u64)slots;
		return code;
	}
	return SQLITE_DONE;	/* nothing left that could go */
}

int prune_names(sqlite3 *db, bool *ret_left)
{
	static const char *const statements[] = {
		"DELETE FROM remote WHERE id NOT IN (SELECT remote FROM traffic_raw"
		" UNION SELECT remote FROM traffic_minutes UNION SELECT remote FROM traffic_hours"
		" UNION SELECT remote FROM traffic_by_remote_days)",
		"DELETE FROM process WHERE id NOT IN (SELECT process FROM traffic_raw"
		" UNION SELECT process FROM traffic_minutes"
		" UNION SELECT process FROM traffic_by_process_hours"
		" UNION SELECT process FROM traffic_by_process_days)",
	};
	int code = SQLITE_OK;

	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]) && code == SQLITE_OK; i++) {
		code = exec(db, statements[i]);
		*ret_left |= code == SQLITE_OK && sqlite3_changes(db);
	}
	return code;
}

int prune(sqlite3 *db, const struct retention *retention, int64_t now, u64 *early)
{
	int code = SQLITE_OK;

	for (int tier = 0; tier < STORE_TIERS && code == SQLITE_OK; tier++) {
		int64_t keep = (int64_t)retention->tier_seconds[tier];

		code = forget_slots(db, tier, keep ? now - keep : INT64_MAX);
	}
	if (code == SQLITE_OK)
		code = forget_flows(db, now - (int64_t)retention->flow_seconds);
	for (int round = 0; round < ROUNDS_MAX && code == SQLITE_OK && retention->max_bytes &&
	     bytes_of(db) > (int64_t)retention->max_bytes; round++)
		code = make_room(db, early);
	if (code == SQLITE_DONE)
		code = SQLITE_OK;
	return code == SQLITE_OK ? exec(db, "PRAGMA incremental_vacuum") : code;
}
