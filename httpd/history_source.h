/* SPDX-License-Identifier: MIT */
/*
 * Where history is read from: what a source must be able to do. Answers know no more of
 * it than this, so that they are the same whoever keeps the past, and for how long.
 */
#ifndef JOPIL_HTTPD_HISTORY_SOURCE_H
#define JOPIL_HTTPD_HISTORY_SOURCE_H

#include <stdint.h>

#include "httpd/history_slot.h"

/* What a source has. Times are Unix time in ms; an end is the first ms that is not in it. */
struct history_extent {
	int64_t oldest_ms, newest_ms;	/* of what is known; 0, 0: nothing */
	int64_t window_ms;		/* how far before newest_ms it can reach */
	int64_t phase_ms;		/* steps begin so much after a multiple of their length */
};

/* Takes one slot, which begins then; not 0 ends the walk. Slots come in order of time. */
typedef int history_take_slot(void *closure, int64_t start_ms, const struct history_slot *slot);

struct history_source {
	const char *name;	/* in answers */
	const void *self;

	void (*extent)(const struct history_source *source, struct history_extent *ret_extent);

	/* The shortest step for all of the time since then, in ms: others are multiples of it. */
	int64_t (*step_ms)(const struct history_source *source, int64_t from_ms);

	/*
	 * Calls take for what is known of the time from from_ms until to_ms, in slots no longer
	 * than step_ms (which step_ms() gave, or a multiple), each in one step only. 0, what
	 * take gave, or -errno.
	 */
	int (*each)(const struct history_source *source, int64_t from_ms, int64_t to_ms,
		    int64_t step_ms, history_take_slot *take, void *closure);

	/* What a row's key is of, as in history_keys.h; until the source is written to. */
	struct slice (*key)(const struct history_source *source, uint32_t id);
};

struct history;

/* The hour in memory. */
struct history_source history_memory(const struct history *history);

#endif
