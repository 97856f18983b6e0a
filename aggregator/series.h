/* SPDX-License-Identifier: MIT */
/*
 * Sums by name that a time series database can follow: the largest few names, each with
 * a sum that only grows, and the rest in one.
 *
 * A name has a series while it is among the largest. The first names get one at once; later
 * ones only in the place of one that they have clearly outgrown (SERIES_FACTOR), and start at 0:
 * what they moved before stays in the rest. What a series had when it lost its place is "left". So
 *
 *	sum of the series + rest + left == total, of each host,
 *
 * and rest, left and total never decrease. 72 bytes a name and 16 for its slot.
 */
#ifndef JOPIL_SERIES_H
#define JOPIL_SERIES_H

#include "aggregator/interfaces.h"
#include "aggregator/lru_table.h"

#define SERIES_MAX 64		/* series at a time, of all hosts */
#define SERIES_NAMES_MAX 4096	/* names that are watched; the one unused for longest is forgotten */
#define SERIES_FACTOR 2		/* how much larger one must be to take another's place */
#define SERIES_CHANGES_MAX 4	/* places that change hands at a time */
#define SERIES_MEMORY_MS 60000	/* what was moved so long ago counts a third (1/e) for the size */

/* The name that the rest goes by: what is really called so is in it. */
#define SERIES_REST "other"

struct series_id {
	u8 name[16];		/* text, NUL-padded, or an address */
	u16 host;
	u8 ip_version;		/* 0: a text */
	u8 pad[5];
};

struct moved_bytes {
	u64 tx, rx;
};

struct series {
	struct lru_row row;
	struct series_id id;
	struct moved_bytes sum;	/* since it has its place */
	u64 recent;		/* bytes since series_rank() */
	double size;		/* bytes lately, the older the less */
};

struct series_set {
	struct lru_table table;
	struct moved_bytes total[HOSTS_MAX + 1], left[HOSTS_MAX + 1];
	u64 changes;		/* places that changed hands */
	u64 no_memory;
};

/* 0 or -errno. */
int series_init(struct series_set *set);
void series_free(struct series_set *set);

/* The id of a text: at most 16 bytes, NUL-padded; what is not UTF-8 becomes '?'. */
struct series_id series_id_of(u16 host, const u8 *name);

/* Adds to the sum of a name; one without a name (all zero but the host) is of the rest. */
void series_add(struct series_set *set, const struct series_id *id, struct moved_bytes moved);

/* Looks who is among the largest now; elapsed_ms since the last time. */
void series_rank(struct series_set *set, u64 elapsed_ms);

/* For a walk through those that have a place; NULL: the first, and at the end. */
const struct series *series_next(const struct series_set *set, const struct series *at);

/* What is in no series: *rest of each host up to n_hosts. */
void series_rest(const struct series_set *set, u32 n_hosts, struct moved_bytes *ret_rest);

#endif
