/* SPDX-License-Identifier: MIT */
/*
 * Which slots of which tiers hold a range of time: everything once, as few as there can be.
 *
 * At each point it is the coarsest tier with a slot that begins there and crosses no cut.
 * Where no tier has a slot that could be cut there, the finest one that still knows the time
 * is taken whole, and the plan says what it really covers. A tier knows the time from its
 * oldest slot on; what has no slot in there was not watched, and is not covered.
 *
 * A plan holds as long as the database stays as it is: make it, and ask by it, within one
 * transaction.
 */
#ifndef JOPIL_STORE_PLAN_H
#define JOPIL_STORE_PLAN_H

#include "common/store.h"

/* Slots of a tier that begin in [first, last], all of them. */
struct store_segment {
	enum store_tier tier;
	int64_t first, last;
};

struct store_plan {
	struct store_segment *segments;	/* by time */
	size_t n, allocated;
	int64_t begin, end;	/* what the slots cover, also beyond the range; both 0: there are none */
	bool crosses;		/* a slot lies in two parts: nothing finer is left of that time */
};

/*
 * cuts: n >= 2 ascending times, Unix seconds. The first and the last are the range, those
 * between where it is cut into parts: rows belong to the part that their slot begins in (a
 * slot that begins before the first cut: to the first part).
 *
 * STORE_OK: store_plan_free() it. Else *ret_why as of store_open_reader(), and there is
 * nothing to be freed.
 */
enum store_status store_plan(sqlite3 *db, const int64_t *cuts, size_t n, struct store_plan *ret,
			     const char **ret_why);

void store_plan_free(struct store_plan *plan);

/* The part that a slot belongs to: 0 to n - 2. */
size_t store_plan_part(const int64_t *cuts, size_t n, int64_t slot);

#endif
