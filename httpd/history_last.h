/* SPDX-License-Identifier: MIT */
/* What the snapshot before said, to tell what was added since. */
#ifndef JOPIL_HTTPD_HISTORY_LAST_H
#define JOPIL_HTTPD_HISTORY_LAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "httpd/history_slot.h"
#include "httpd/shot.h"

/* The sums of a row; its hash is of what it is about. */
struct history_before {
	uint64_t hash;
	uint64_t value[HISTORY_VALUES];
};

struct history_last {
	bool seen;		/* there was one */
	int64_t timestamp_ms, seq;
	uint64_t interval_ms;
	uint64_t scalar[HISTORY_SCALARS];
	uint32_t known;		/* of the scalars: enum history_known */
	struct history_before *row;	/* in order of their hashes */
	size_t rows;
};

/*
 * What the snapshot adds to the one before, as a slot without an index; *last is the
 * snapshot's from then on. Its clear is history_slot_clear().
 *
 * A snapshot with "interval" says it itself, in that and in the members interval_...
 * of its rows; whatever was lost or restarted before does not matter. For others it is
 * the difference of two sums: only of consecutive snapshots of one aggregator, and of
 * rows that both show.
 *
 * *ret_middle_ms is the middle of the interval, Unix time. False: nothing is known of
 * the time before this snapshot, as there was none, it is another aggregator's, or a gap.
 */
bool history_last_delta(struct history_last *last, const struct shot *shot,
			struct history_keys *keys, struct history_slot *ret_delta,
			int64_t *ret_middle_ms);

void history_last_free(struct history_last *last);

#endif
