/* SPDX-License-Identifier: MIT */
/*
 * What lines add to flows, in their order, some lines later: until then their flows are
 * on the way from memory. A flow among a million is three misses of the cache, which take
 * as long as reading several lines, and are fetched while those are read.
 */
#ifndef JOPIL_AGGREGATOR_ADDITIONS_H
#define JOPIL_AGGREGATOR_ADDITIONS_H

#include "aggregator/flow_table.h"

#define ADDITIONS_AHEAD 8	/* lines: that many times 100 ns; a power of two */

struct addition {
	struct flow_id id;
	u32 hash;
	struct flow_addition add;
	u8 icmp_type, icmp_code;
};

/* Those from .taken up to .given are under way. */
struct additions {
	struct addition ring[ADDITIONS_AHEAD];
	u32 given, taken;
};

/* Where the next one is to be written; its hash comes in additions_give(). */
static inline struct addition *additions_next(struct additions *w)
{
	return &w->ring[w->given % ADDITIONS_AHEAD];
}

static inline void additions_give(struct additions *w, const struct flow_table *t)
{
	struct addition *x = additions_next(w);

	x->hash = flow_table_hash(t, &x->id);
	flow_table_fetch_slot(t, x->hash);
	w->given++;
	if (w->given - w->taken > ADDITIONS_AHEAD / 2)
		flow_table_fetch_flow(t, w->ring[(w->given - ADDITIONS_AHEAD / 2 - 1) %
						 ADDITIONS_AHEAD].hash);
}

static inline bool additions_are_due(const struct additions *w)
{
	return w->given - w->taken == ADDITIONS_AHEAD;
}

/* The oldest one under way, which there is. Valid until the next is given. */
static inline struct addition *additions_take_due(struct additions *w)
{
	return &w->ring[w->taken++ % ADDITIONS_AHEAD];
}

/* The same; NULL if there is none. */
static inline struct addition *additions_take(struct additions *w)
{
	return w->taken == w->given ? NULL : additions_take_due(w);
}

#endif
