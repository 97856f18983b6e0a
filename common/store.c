/* SPDX-License-Identifier: MIT */
/* The recorder's database: its tables, its tiers, and the ways to open it. */
#include "common/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BUSY_MS 2000		/* a reader never blocks the writer; another tool may */
#define HOUR 3600
#define DAY (24 * HOUR)
#define STATEMENT_MAX 1024
#define URI_MAX 4096

#define MOVED { "tx_bytes", "rx_bytes", "tx_calls", "rx_calls", "connections", "failed" }
#define BOTH_WAYS { "ingress_packets", "ingress_bytes", "egress_packets", "egress_bytes" }

const struct store_fact_row store_facts[STORE_FACTS] = {
	[FACT_INTERFACE] = { "interface_totals", 1, 4, { "interface" }, { NAME_INTERFACE }, BOTH_WAYS },
	[FACT_PROTOCOL] = { "protocol_totals", 2, 4, { "host", "protocol" },
			    { NAME_HOST, NAME_PROTOCOL }, BOTH_WAYS },
	[FACT_TRAFFIC] = { "traffic", 3, 6, { "process", "remote", "protocol" },
			   { NAME_PROCESS, NAME_REMOTE, NAME_PROTOCOL }, MOVED },
	[FACT_PORT] = { "ports", 3, 2, { "host", "protocol", "port" },
			{ NAME_HOST, NAME_PROTOCOL, STORE_NUMBER }, { "packets", "bytes" } },
	[FACT_DROP] = { "drops", 3, 2, { "host", "reason", "protocol" },
			{ NAME_HOST, NAME_REASON, NAME_PROTOCOL }, { "packets", "bytes" } },
	[FACT_LATENCY] = { "latency", 2, 1, { "series", "upper" }, { NAME_SERIES, STORE_NUMBER },
			   { "count" } },
	[FACT_PROCESS] = { "traffic_by_process", 2, 6, { "process", "protocol" },
			   { NAME_PROCESS, NAME_PROTOCOL }, MOVED },
	[FACT_REMOTE] = { "traffic_by_remote", 2, 6, { "remote", "protocol" },
			  { NAME_REMOTE, NAME_PROTOCOL }, MOVED },
};

/* Within an hour few remotes talk to several processes: that would be as long as it is. */
const struct store_summary_row store_summaries[STORE_SUMMARIES] = {
	{ FACT_PROCESS, FACT_TRAFFIC, TIER_HOURS },
	{ FACT_REMOTE, FACT_TRAFFIC, TIER_DAYS },
};

/* As vnstat has them; a month has at most 31 days. */
const struct store_tier_row store_tiers[STORE_TIERS] = {
	[TIER_RAW] = { "raw", STORE_RAW_SECONDS, HOUR },
	[TIER_MINUTES] = { "minutes", 300, 48 * HOUR },
	[TIER_HOURS] = { "hours", HOUR, 35 * DAY },
	[TIER_DAYS] = { "days", DAY, 25 * 31 * DAY },
};

static const char names_sql[] =
	"CREATE TABLE host(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE interface(id INTEGER PRIMARY KEY, host INTEGER NOT NULL REFERENCES host,"
	" name TEXT NOT NULL, UNIQUE(host, name)) STRICT;"
	"CREATE TABLE process(id INTEGER PRIMARY KEY, host INTEGER NOT NULL REFERENCES host,"
	" command TEXT NOT NULL, uid INTEGER NOT NULL, UNIQUE(host, command, uid)) STRICT;"
	"CREATE TABLE remote(id INTEGER PRIMARY KEY, ip TEXT NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE protocol(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE reason(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE series(id INTEGER PRIMARY KEY, host INTEGER NOT NULL REFERENCES host,"
	" name TEXT NOT NULL, unit TEXT NOT NULL, UNIQUE(host, name, unit)) STRICT;";

/*
 * baseline: the cumulative counts as they were taken last, so that a recorder that starts
 * again knows what came in between.
 */
static const char others_sql[] =
	"CREATE TABLE slot(tier INTEGER NOT NULL, begin INTEGER NOT NULL, end INTEGER NOT NULL,"
	" PRIMARY KEY(tier, begin)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE baseline(fact INTEGER NOT NULL, key1 INTEGER NOT NULL, key2 INTEGER NOT NULL,"
	" key3 INTEGER NOT NULL, packets INTEGER NOT NULL, bytes INTEGER NOT NULL,"
	" PRIMARY KEY(fact, key1, key2, key3)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE flow(id INTEGER PRIMARY KEY, host INTEGER NOT NULL REFERENCES host,"
	" interface INTEGER NOT NULL REFERENCES interface, command TEXT,"
	" pid INTEGER, protocol INTEGER NOT NULL REFERENCES protocol, src_ip TEXT NOT NULL,"
	" src_port INTEGER, dst_ip TEXT NOT NULL, dst_port INTEGER, vlan INTEGER,"
	" src_packets INTEGER NOT NULL, src_bytes INTEGER NOT NULL, dst_packets INTEGER NOT NULL,"
	" dst_bytes INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
	" state TEXT, rtt_us INTEGER, retransmits INTEGER, drops INTEGER) STRICT;"
	"CREATE INDEX flow_by_time ON flow(last_ms);";

/* ---- summaries ------------------------------------------------------------- */

static const struct store_summary_row *summary_of(enum store_fact fact)
{
	for (size_t i = 0; i < STORE_SUMMARIES; i++)
		if (store_summaries[i].fact == fact)
			return &store_summaries[i];
	return NULL;
}

bool store_has(enum store_fact fact, enum store_tier tier)
{
	const struct store_summary_row *summary = summary_of(fact);

	return !summary || tier >= summary->finest;
}

static bool has_key(const struct store_fact_row *fact, const char *name)
{
	for (size_t i = 0; i < fact->key_count; i++)
		if (!strcmp(fact->keys[i], name))
			return true;
	return false;
}

static bool has_keys(const struct store_fact_row *summary, const struct store_fact_row *of, unsigned int keys)
{
	for (size_t i = 0; i < of->key_count; i++)
		if (keys & 1u << i && !has_key(summary, of->keys[i]))
			return false;
	return true;
}

enum store_fact store_shortest(enum store_fact fact, enum store_tier tier, unsigned int keys)
{
	for (size_t i = 0; i < STORE_SUMMARIES; i++) {
		const struct store_summary_row *row = &store_summaries[i];

		if (row->of == fact && tier >= row->finest &&
		    has_keys(&store_facts[row->fact], &store_facts[fact], keys))
			return row->fact;
	}
	return fact;
}

/* ---- slots ----------------------------------------------------------------- */

static int64_t midnight(int64_t unix_seconds, int days_on)
{
	time_t t = (time_t)unix_seconds;
	struct tm day;

	localtime_r(&t, &day);
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	day.tm_mday += days_on;
	day.tm_isdst = -1;
	return (int64_t)mktime(&day);
}

void store_slot(enum store_tier tier, int64_t unix_seconds, int64_t *ret_begin, int64_t *ret_end)
{
	int64_t seconds = (int64_t)store_tiers[tier].seconds;
	time_t t = (time_t)unix_seconds;
	int64_t offset;
	struct tm local;

	/* Where clocks are half an hour off, so are hours: a day is made of whole ones. */
	offset = localtime_r(&t, &local) ? local.tm_gmtoff : 0;
	if (tier == TIER_DAYS) {
		*ret_begin = midnight(unix_seconds, 0);
		*ret_end = midnight(unix_seconds, 1);
		return;
	}
	*ret_begin = unix_seconds - (unix_seconds + offset) % seconds;
	*ret_end = *ret_begin + seconds;
}

/* ---- tables ---------------------------------------------------------------- */

/* "CREATE TABLE traffic_raw(slot ..., PRIMARY KEY(slot, process, ...)) STRICT, WITHOUT ROWID" */
static void fact_sql(const struct store_fact_row *fact, const char *tier, char sql[STATEMENT_MAX])
{
	size_t at = (size_t)snprintf(sql, STATEMENT_MAX, "CREATE TABLE %s_%s(slot INTEGER NOT NULL",
				     fact->name, tier);

	for (size_t i = 0; i < fact->key_count; i++)
		at += (size_t)snprintf(sql + at, STATEMENT_MAX - at, ", %s INTEGER NOT NULL",
				       fact->keys[i]);
	for (size_t i = 0; i < fact->value_count; i++)
		at += (size_t)snprintf(sql + at, STATEMENT_MAX - at, ", %s INTEGER NOT NULL",
				       fact->values[i]);
	at += (size_t)snprintf(sql + at, STATEMENT_MAX - at, ", PRIMARY KEY(slot");
	for (size_t i = 0; i < fact->key_count; i++)
		at += (size_t)snprintf(sql + at, STATEMENT_MAX - at, ", %s", fact->keys[i]);
	snprintf(sql + at, STATEMENT_MAX - at, ")) STRICT, WITHOUT ROWID");
}

static int make_fact(sqlite3 *db, enum store_fact fact)
{
	char sql[STATEMENT_MAX];
	int code = SQLITE_OK;

	for (int tier = 0; tier < STORE_TIERS && code == SQLITE_OK; tier++) {
		if (!store_has(fact, tier))
			continue;
		fact_sql(&store_facts[fact], store_tiers[tier].name, sql);
		code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	}
	return code;
}

static int make_tables(sqlite3 *db)
{
	int code = sqlite3_exec(db, names_sql, NULL, NULL, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_exec(db, others_sql, NULL, NULL, NULL);
	for (int fact = FACT_INTERFACE; fact <= FACT_LATENCY && code == SQLITE_OK; fact++)
		code = make_fact(db, fact);
	return code;
}

/* "INSERT INTO traffic_by_process_days SELECT slot, process, ..., sum(tx_bytes), ... GROUP BY slot, ..." */
static int fill_summary(sqlite3 *db, const struct store_summary_row *row, const char *tier)
{
	const struct store_fact_row *fact = &store_facts[row->fact];
	char sql[STATEMENT_MAX], keys[STATEMENT_MAX / 4] = "slot";
	size_t at = strlen(keys);

	for (size_t i = 0; i < fact->key_count; i++)
		at += (size_t)snprintf(keys + at, sizeof(keys) - at, ", %s", fact->keys[i]);
	at = (size_t)snprintf(sql, sizeof(sql), "INSERT INTO %s_%s SELECT %s", fact->name, tier, keys);
	for (size_t i = 0; i < fact->value_count; i++)
		at += (size_t)snprintf(sql + at, sizeof(sql) - at, ", sum(%s)", fact->values[i]);
	snprintf(sql + at, sizeof(sql) - at, " FROM %s_%s GROUP BY %s", store_facts[row->of].name, tier,
		 keys);
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Ways to the few rows of a remote, where there are many of others. */
static int make_remote_indices(sqlite3 *db)
{
	char sql[STATEMENT_MAX];
	int code = SQLITE_OK;

	for (int tier = STORE_REMOTE_INDEX; tier < STORE_TIERS && code == SQLITE_OK; tier++) {
		const char *name = store_tiers[tier].name;

		snprintf(sql, sizeof(sql), "CREATE INDEX traffic_%s_remote ON traffic_%s(slot, remote)", name,
			 name);
		code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	}
	return code;
}

static int make_summaries(sqlite3 *db)
{
	int code = SQLITE_OK;

	for (size_t i = 0; i < STORE_SUMMARIES && code == SQLITE_OK; i++) {
		code = make_fact(db, store_summaries[i].fact);
		for (int tier = store_summaries[i].finest; tier < STORE_TIERS && code == SQLITE_OK; tier++)
			code = fill_summary(db, &store_summaries[i], store_tiers[tier].name);
	}
	if (code == SQLITE_OK)
		code = make_remote_indices(db);
	return code;
}

/* Row n brings version n to n + 1. */
static int (*const migrations[STORE_VERSION])(sqlite3 *db) = {
	make_tables,
	make_summaries,
};

static int set_version(sqlite3 *db, int version)
{
	char sql[STATEMENT_MAX];

	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d; PRAGMA user_version=%d",
		 STORE_APPLICATION_ID, version);
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* All or nothing: a crash leaves the version that there was. */
static int migrate(sqlite3 *db, int version)
{
	int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (code != SQLITE_OK)
		return code;
	for (; version < STORE_VERSION && code == SQLITE_OK; version++)
		code = migrations[version](db);
	if (code == SQLITE_OK)
		code = set_version(db, STORE_VERSION);
	if (code == SQLITE_OK)
		return sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return code;
}

/* ---- opening --------------------------------------------------------------- */

static int ask_number(sqlite3 *db, const char *sql, int *ret_number)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	if (code != SQLITE_OK)
		return code;
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		*ret_number = sqlite3_column_int(statement, 0);
		code = SQLITE_OK;
	}
	sqlite3_finalize(statement);
	return code;
}

static enum store_status status_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
		return STORE_OK;
	case SQLITE_NOTADB:
		return STORE_FOREIGN;
	case SQLITE_CORRUPT:
		return STORE_DAMAGED;
	default:
		return STORE_FAILED;
	}
}

struct identity {
	int application, version, tables;
};

static enum store_status identify(sqlite3 *db, struct identity *ret)
{
	int code = ask_number(db, "PRAGMA application_id", &ret->application);

	if (code == SQLITE_OK)
		code = ask_number(db, "PRAGMA user_version", &ret->version);
	if (code == SQLITE_OK)
		code = ask_number(db, "SELECT count(*) FROM sqlite_schema", &ret->tables);
	if (code != SQLITE_OK)
		return status_of(code);
	if (ret->application == STORE_APPLICATION_ID)
		return ret->version > STORE_VERSION ? STORE_NEWER : STORE_OK;
	return ret->application || ret->tables ? STORE_FOREIGN : STORE_OK;
}

static enum store_status give_up(sqlite3 *db, enum store_status status, const char **ret_why)
{
	/* Codes have texts that stay; messages of the connection do not. */
	*ret_why = db ? sqlite3_errstr(sqlite3_extended_errcode(db)) : "out of memory";
	sqlite3_close(db);
	return status;
}

enum store_status store_open_writer(const char *path, sqlite3 **ret_db, const char **ret_why)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	struct identity is = { 0, 0, 0 };
	enum store_status status;
	sqlite3 *db = NULL;
	int code = sqlite3_open_v2(path, &db, flags, NULL);

	*ret_why = "";
	if (code != SQLITE_OK)
		return give_up(db, STORE_FAILED, ret_why);
	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, BUSY_MS);
	status = identify(db, &is);
	if (status != STORE_OK)
		return give_up(db, status, ret_why);
	/* Before the first table; of no effect later. */
	code = sqlite3_exec(db, "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
			    "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216;"
			    "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000;"
			    "PRAGMA temp_store=MEMORY", NULL, NULL, NULL);
	if (code == SQLITE_OK && is.version < STORE_VERSION)
		code = migrate(db, is.version);
	if (code != SQLITE_OK)
		return give_up(db, status_of(code), ret_why);
	*ret_db = db;
	return STORE_OK;
}

/* "file:PATH?immutable=1" with what is special in a URI escaped. */
static bool immutable_uri(const char *path, char uri[URI_MAX])
{
	size_t at = (size_t)snprintf(uri, URI_MAX, "file:");

	for (; *path && at + 16 < URI_MAX; path++) {
		bool plain = *path > ' ' && *path < 127 && !strchr("%?#", *path);

		at += (size_t)snprintf(uri + at, URI_MAX - at, plain ? "%c" : "%%%02x",
				       (unsigned char)*path);
	}
	snprintf(uri + at, URI_MAX - at, "?immutable=1");
	return !*path;
}

static bool has_wal(const char *path)
{
	char wal[URI_MAX];

	return snprintf(wal, sizeof(wal), "%s-wal", path) >= (int)sizeof(wal) || !access(wal, F_OK);
}

static int open_to_read(const char *name, int flags, sqlite3 **ret_db, struct identity *ret_is,
			enum store_status *ret_status)
{
	int code = sqlite3_open_v2(name, ret_db, flags | SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
				   NULL);

	if (code != SQLITE_OK)
		return code;
	sqlite3_extended_result_codes(*ret_db, 1);
	sqlite3_busy_timeout(*ret_db, BUSY_MS);
	*ret_status = identify(*ret_db, ret_is);
	return *ret_status == STORE_FAILED ? sqlite3_errcode(*ret_db) : SQLITE_OK;
}

enum store_status store_open_reader(const char *path, sqlite3 **ret_db, const char **ret_why)
{
	enum store_status status = STORE_FAILED;
	struct identity is = { 0, 0, 0 };
	char uri[URI_MAX];
	sqlite3 *db = NULL;
	int code;

	*ret_why = "";
	if (access(path, F_OK) && errno == ENOENT)
		return STORE_MISSING;
	code = open_to_read(path, 0, &db, &is, &status);
	/* Nobody writes it, and we may not make the files by which readers and writers agree. */
	if (code != SQLITE_OK && !has_wal(path) && immutable_uri(path, uri)) {
		sqlite3_close(db);
		code = open_to_read(uri, SQLITE_OPEN_URI, &db, &is, &status);
	}
	if (code != SQLITE_OK || status != STORE_OK)
		return give_up(db, code == SQLITE_OK ? status : status_of(code), ret_why);
	if (is.application != STORE_APPLICATION_ID)
		return give_up(db, STORE_FOREIGN, ret_why);
	if (is.version < STORE_VERSION)
		return give_up(db, STORE_OLDER, ret_why);
	sqlite3_exec(db, "PRAGMA query_only=1; PRAGMA temp_store=MEMORY", NULL, NULL, NULL);
	*ret_db = db;
	return STORE_OK;
}

const char *store_complaint(enum store_status status, const char *why)
{
	switch (status) {
	case STORE_OK:
		return "nothing is wrong";
	case STORE_MISSING:
		return "there is no such file; `recorder --db` makes it";
	case STORE_FOREIGN:
		return "it is not a database of jopil";
	case STORE_NEWER:
		return "it was made by a newer version; update this program";
	case STORE_OLDER:
		return "it was made by an older version; start `recorder --db` once to bring it up to date";
	case STORE_DAMAGED:
		return "it is damaged; `sqlite3 FILE .recover` may save what is in it";
	case STORE_FAILED:
		break;
	}
	return why;
}
