/* SPDX-License-Identifier: MIT */
/* Packets and bytes of the last 300 seconds, a row a second. */
#ifndef JOPIL_HISTORY_H
#define JOPIL_HISTORY_H

#include <stdbool.h>

#include "common/records.h"

#define HISTORY_SECONDS 300
#define HISTORY_ROW_NS 1000000000ull

struct history_row {
	u64 second;	/* Unix time; another second's row is no data for this one */
	u64 packets[DIRECTIONS];
	u64 bytes[DIRECTIONS];
};

struct history {
	struct history_row rows[HISTORY_SECONDS];
	u64 newest;	/* second; 0: nothing yet */
	struct history_row *last;	/* that was added to; NULL: none */
	u64 last_ns;	/* when its second begins */
};

/* The row for a time, made if it is not there; NULL for one older than the window. */
struct history_row *history_row_at(struct history *h, u64 unix_ns);

/*
 * Adds to the second of this Unix time. Times older than the window are left out; the
 * caller leaves out those that cannot be true, as the newest time moves the window.
 */
static inline void history_add(struct history *h, u64 unix_ns, u8 direction, u64 packets, u64 bytes)
{
	struct history_row *row = h->last;

	if (!row || unix_ns - h->last_ns >= HISTORY_ROW_NS)
		row = history_row_at(h, unix_ns);
	if (!row)
		return;
	row->packets[direction] += packets;
	row->bytes[direction] += bytes;
}

/*
 * Adds what was counted between two Unix times, spread evenly over the seconds between
 * them: counters come about each second, not in step with the clock's.
 */
void history_add_span(struct history *h, u64 from_ns, u64 to_ns, u8 direction, u64 packets, u64 bytes);

/* The row of a second, or NULL if there are no data. */
const struct history_row *history_row(const struct history *h, u64 second);

#endif
