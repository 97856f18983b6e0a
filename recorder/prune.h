/* SPDX-License-Identifier: MIT */
/* What is too old, or too much, leaves the database. */
#ifndef JOPIL_RECORDER_PRUNE_H
#define JOPIL_RECORDER_PRUNE_H

#include "common/store.h"

/* How long what is kept; 0: not at all. */
struct retention {
	u64 tier_seconds[STORE_TIERS];
	u64 flow_seconds;
	u64 max_bytes;		/* of the database; 0: no limit */
};

/*
 * Within a transaction: deletes what is older than the retention, counted from now
 * (Unix seconds), and the oldest slots of the finest tiers while the database is larger
 * than it may be. *early grows by the number of those. SQLITE_OK or its code.
 */
int prune(sqlite3 *db, const struct retention *retention, int64_t now, u64 *early);

/* Names of processes and remotes that nothing refers to any more leave; *ret_left: some did. */
int prune_names(sqlite3 *db, bool *ret_left);

#endif
