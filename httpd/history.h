/* SPDX-License-Identifier: MIT */
/*
 * The last hour, from what each snapshot says of its interval: by the second for five
 * minutes, by ten seconds for the hour. The clock is the snapshots'.
 *
 * An interval counts whole, where its middle is. Sums are exact: what a slot has no row
 * for is in its others. Time without snapshots is not filled: there is no slot for it.
 *
 * Memory: (361 + 367) slots of at most 2 x 256 + 2 x 64 rows of 40 bytes and 736 buckets of
 * 8 bytes (23 MB), 32768 keys with 4 MiB of texts (6 MB), and one open slot of each kind
 * with 16 times its rows (1 MB).
 */
#ifndef JOPIL_HTTPD_HISTORY_H
#define JOPIL_HTTPD_HISTORY_H

#include <stdint.h>

#include "httpd/bounds.h"
#include "httpd/history_last.h"
#include "httpd/history_slot.h"
#include "httpd/shot.h"

#define HISTORY_FINE_MS 1000
#define HISTORY_COARSE_MS 10000
/* Five minutes, an hour; and what whole steps of up to a minute reach back beyond. */
#define HISTORY_FINE_SLOTS 361
#define HISTORY_COARSE_SLOTS 367
#define HISTORY_BACK_MS 10000		/* a clock that steps back further makes it start over */

enum history_tier_id { HISTORY_FINE, HISTORY_COARSE, HISTORY_TIERS };

/* A ring: the slot of a span of time is at its index modulo their number. */
struct history_tier {
	struct history_slot *slot;	/* NULL before the first */
	int64_t newest;			/* index; INT64_MIN: none */
};

struct history {
	struct history_tier tier[HISTORY_TIERS];
	int64_t phase_ms;	/* spans begin so much after a whole second: snapshots do */
	struct history_keys keys;
	struct history_last last;	/* the snapshot before */
};

void history_init(struct history *history, struct bounds *bounds);
void history_free(struct history *history);

/* Takes over what the snapshot says of its interval; without memory, less of it. */
void history_take(struct history *history, const struct shot *shot);

/* The span of a tier's slots in ms, and how many it has. */
int64_t history_span_ms(enum history_tier_id tier);
int64_t history_slots(enum history_tier_id tier);

/* The slot with that index; NULL if nothing is known of that time. */
const struct history_slot *history_slot_at(const struct history *history,
					   enum history_tier_id tier, int64_t index);

#endif
