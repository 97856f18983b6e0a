/* SPDX-License-Identifier: MIT */
/*
 * What the reader does with the pinned maps: drain the rings whenever asked, and each
 * interval swap what is folded, drain what is idle then, and read the counters. Rings
 * come after the swap and counters last, so that at a quiet moment lines and counters
 * agree to the packet.
 */
#ifndef JOPIL_READER_CYCLE_H
#define JOPIL_READER_CYCLE_H

#include "common/status.h"
#include "reader/cells.h"
#include "reader/drain.h"
#include "reader/map_drain.h"
#include "reader/pinset.h"
#include "reader/probe_totals.h"
#include "reader/request.h"
#include "reader/totals.h"

struct cycle {
	struct drain drain;		/* first: learn() is given it */
	const struct request *request;
	struct line_writer writer;
	struct pinset set;
	struct cells *cells;
	struct map_drain *maps;
	struct totals *totals;
	struct tally *tally;
	struct probe_totals *probe_totals;
	u64 netns_inode;
	u32 walked;			/* the probes attached when open sockets were last told */
	bool idle_is_clean;		/* the maps that are not written are empty */
	bool has_ended;			/* nothing more can be read: detached, or failed */
	enum status status;
};

/* NULL without memory. */
struct cycle *cycle_new(const struct request *request, struct sink *sink);

void cycle_free(struct cycle *c);

/* After pinset_open(&c->set): everything in it is new. */
void cycle_begin(struct cycle *c);

/* All rings once. 0 or the sink's error, as the functions below. */
int cycle_drain_rings(struct cycle *c);

/*
 * The events that wait, then the connections that were open at that boot time. The time
 * is that of before anybody was told of readiness: what begins later has its events.
 */
int cycle_tell_open(struct cycle *c, u64 before_ns);

/*
 * Everything that is due each interval. *ret_done: false if a loader holds the lock and
 * it must be tried again.
 */
int cycle_tick(struct cycle *c, bool *ret_done);

/* The last tick: waits for the lock as long as a loader may need it. */
int cycle_drain_all(struct cycle *c);

/* How often to try, and how long to wait in between, for a lock that a loader holds for ms. */
#define LOADER_TRIES 100
#define LOADER_NAP_NS 50000000ull

void cycle_nap(u64 ns);

#endif
