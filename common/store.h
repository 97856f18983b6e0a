/* SPDX-License-Identifier: MIT */
/*
 * The recorder's database (SQLite): its tables, its tiers, and the ways to open it.
 *
 * Facts are sums by time slot and keys: a table for each fact and tier, named
 * "traffic_hours", with `slot` (Unix seconds of its beginning), the keys and the sums of
 * store_facts. What is added goes to all tiers in one transaction, so every tier has the
 * whole sum of each of its slots. Names are kept once, in a table for each kind; a key
 * that is a name is the id there. Table `slot` says which slots of a tier have data at
 * all: what is missing there was not watched.
 *
 * Summaries are facts that say again what another one says, by fewer keys, in tables that are
 * shorter by that: a month by process is read from thousands of rows, not from millions.
 */
#ifndef JOPIL_STORE_H
#define JOPIL_STORE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/types.h"

#define STORE_APPLICATION_ID 0x6a6f7069	/* "jopi" */
#define STORE_VERSION 2			/* user_version */

enum store_tier {
	TIER_RAW,	/* slots of STORE_RAW_SECONDS */
	TIER_MINUTES,	/* of 5 minutes */
	TIER_HOURS,	/* of the local clock */
	TIER_DAYS,	/* from midnight to midnight, where the recorder runs: 23 to 25 hours */
	STORE_TIERS,
};

#define STORE_RAW_SECONDS 10
#define STORE_KEYS_MAX 3
#define STORE_VALUES_MAX 6

/* Kinds of names; each is a table with `id` and these columns, unique together. */
enum store_name {
	NAME_HOST,	/* host(name) */
	NAME_INTERFACE,	/* interface(host, name) */
	NAME_PROCESS,	/* process(host, command, uid) */
	NAME_REMOTE,	/* remote(ip): text; '' where the remote is not known */
	NAME_PROTOCOL,	/* protocol(name) */
	NAME_REASON,	/* reason(name) */
	NAME_SERIES,	/* series(host, name, unit): a histogram */
	STORE_NAMES,
	STORE_NUMBER = STORE_NAMES,	/* of a key: no name, the number itself */
};

enum store_fact {
	FACT_INTERFACE,
	FACT_PROTOCOL,
	FACT_TRAFFIC,
	FACT_PORT,
	FACT_DROP,
	FACT_LATENCY,
	FACT_PROCESS,	/* summaries of FACT_TRAFFIC */
	FACT_REMOTE,
	STORE_FACTS,
	STORE_SUMMARIES = STORE_FACTS - FACT_PROCESS,
};

struct store_fact_row {
	const char *name;
	size_t key_count, value_count;
	const char *keys[STORE_KEYS_MAX];
	enum store_name kinds[STORE_KEYS_MAX];	/* of the keys */
	const char *values[STORE_VALUES_MAX];
};

struct store_summary_row {
	enum store_fact fact, of;	/* the keys of `fact` are some of `of`, its values the same */
	enum store_tier finest;		/* it has tables of this tier and coarser ones */
};

struct store_tier_row {
	const char *name;
	u64 seconds;		/* of a slot; of TIER_DAYS about */
	u64 keep_seconds;	/* unless told */
};

extern const struct store_fact_row store_facts[STORE_FACTS];
extern const struct store_tier_row store_tiers[STORE_TIERS];
extern const struct store_summary_row store_summaries[STORE_SUMMARIES];

/* Whether a fact has a table of a tier: all have, but some summaries. */
bool store_has(enum store_fact fact, enum store_tier tier);

/*
 * Where to read the sums of a fact in a tier, by these of its keys (bits: 1 << index) and no
 * other: a summary, or the fact itself. Keys and values have the same names in both.
 */
enum store_fact store_shortest(enum store_fact fact, enum store_tier tier, unsigned int keys);

/*
 * From this tier on FACT_TRAFFIC has an index (slot, remote), named "traffic_hours_remote"; the
 * planner has to be told (INDEXED BY), as it knows nothing of how much there is.
 */
#define STORE_REMOTE_INDEX TIER_HOURS

/* port of FACT_PORT for what has none. */
#define STORE_NO_PORT (-1)

enum store_status {
	STORE_OK,
	STORE_MISSING,	/* there is no such file */
	STORE_FOREIGN,	/* it is not a database of ours */
	STORE_NEWER,	/* made by a newer version of this program */
	STORE_OLDER,	/* read-only: the recorder has to bring it up to date first */
	STORE_DAMAGED,
	STORE_FAILED,	/* *ret_why tells */
};

/* What to say after "DATABASE: "; why is what store_open_...() gave. */
const char *store_complaint(enum store_status status, const char *why);

/*
 * Opens for writing; makes the file and its tables, or brings older ones up to date.
 * sqlite3_close() it. *ret_why points to static or SQLite's text.
 */
enum store_status store_open_writer(const char *path, sqlite3 **ret_db, const char **ret_why);

/*
 * Opens for reading, also while it is written and where the reader may not write the
 * folder. The connection can change nothing (query_only).
 */
enum store_status store_open_reader(const char *path, sqlite3 **ret_db, const char **ret_why);

/* The slot of a tier that a time is in: [*ret_begin, *ret_end), Unix seconds, by $TZ. */
void store_slot(enum store_tier tier, int64_t unix_seconds, int64_t *ret_begin, int64_t *ret_end);

#endif
