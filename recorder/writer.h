/* SPDX-License-Identifier: MIT */
/* From a batch to the database: one transaction for all tiers, and what is too old leaves. */
#ifndef JOPIL_RECORDER_WRITER_H
#define JOPIL_RECORDER_WRITER_H

#include "recorder/batch.h"
#include "recorder/names.h"
#include "recorder/prune.h"

/* Kinds of cumulative counts, and their keys. */
enum baseline {
	BASELINE_INTERFACE,	/* interface, direction */
	BASELINE_PROTOCOL,	/* interface, protocol, direction */
	BASELINE_DROP,		/* host, reason, protocol */
	BASELINE_PROTOCOLS,	/* interface: all of its protocols were told once; no count */
	BASELINE_DROPS,		/* host: all of its drops were */
	BASELINES,
};

#define BASELINE_KNOWN 1	/* .values[2] of a row of baselines */
#define BASELINE_CHANGED 2

struct writer {
	sqlite3 *db;
	struct retention retention;
	struct names names;
	struct batch batch;
	/* Cumulative counts as they were last: packets, bytes, BASELINE_*. Slot is 0. */
	struct batch baselines;

	sqlite3_stmt *upsert[STORE_FACTS][STORE_TIERS];
	sqlite3_stmt *find_name[STORE_NAMES], *add_name[STORE_NAMES];
	sqlite3_stmt *add_slot, *add_flow, *find_baseline, *set_baseline;

	struct {
		int64_t begin, end;
	} slots[STORE_TIERS];	/* of current_slot */
	int64_t current_slot;
	int64_t newest;		/* Unix seconds: the newest slot ever seen */
	int64_t pruned;		/* when what is too old left last */
	int64_t names_pruned;	/* when names did */
	bool names_left;	/* in this transaction */
	/* Called for each row; the caller may set it. */
	void (*progress)(void *data);
	void *progress_data;
	u64 rows_written;	/* upserts that are committed */
	u64 pruned_early;	/* slots that had to leave for max_bytes */
};

/* Opens the database. STORE_OK or why not, as store_open_writer(). */
enum store_status writer_open(struct writer *w, const char *path, const struct retention *retention,
			      const char **ret_why);
void writer_close(struct writer *w);

/* Writes and empties the batch. STORE_OK; else all is as it was, and why. */
enum store_status writer_commit(struct writer *w, const char **ret_why);

/*
 * Takes note of a cumulative count; *ret_packets and *ret_bytes are what it grew by since
 * it was last seen, also by an earlier run. A count that is smaller began anew at 0, and so
 * did one that is not known yet where that is_new; else it is where counting begins.
 * False without room.
 */
bool writer_advance(struct writer *w, const struct batch_key *key, bool is_new, u64 packets, u64 bytes,
		    u64 *ret_packets, u64 *ret_bytes);

/* Whether a count is known, also from an earlier run. */
bool writer_knows(struct writer *w, const struct batch_key *key);

#endif
