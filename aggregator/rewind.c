/* SPDX-License-Identifier: MIT */
/* This host's clock was set back: what is ahead of it is of now. */
#include "aggregator/rewind.h"

#include <string.h>

#define NS_PER_S 1000000000ull

static void limit(u64 *ns, u64 most_ns)
{
	if (*ns > most_ns)
		*ns = most_ns;
}

static void rewind_flows(struct flow_table *t, u64 second)
{
	for (u32 i = 0; i < t->used; i++) {
		struct flow *f = flow_at(t, i);

		if (f->used_s > second)
			f->used_s = (u32)second;
	}
}

static void rewind_connections(struct lru_table *t, u8 list, u64 now_ns)
{
	for (struct connection *row = lru_newest(t, list); row; row = lru_older(t, row)) {
		limit(&row->begun_ns, now_ns);
		limit(&row->established_ns, now_ns);
		limit(&row->ended_ns, now_ns);
		limit(&row->changed_ns, now_ns);
		limit(&row->used_ns, now_ns);
	}
}

/* Their minutes are told by the slots' numbers: which was when is not known any more. */
static void rewind_latencies(struct lru_table *t)
{
	for (struct latency *row = lru_newest(t, 0); row; row = lru_older(t, row))
		memset(row->slots, 0, sizeof(row->slots));
}

void aggregate_rewind(struct aggregate *a, u64 unix_ns)
{
	aggregate_settle(a);
	a->newest_ns = unix_ns;
	aggregate_next_second(a);
	memset(&a->history, 0, sizeof(a->history));
	for (u32 host = 0; host < sizeof(a->host_ns) / sizeof(a->host_ns[0]); host++)
		limit(&a->host_ns[host], unix_ns);
	rewind_flows(&a->flows, a->newest_s);
	rewind_connections(&a->connections.table, LIST_OPEN, unix_ns);
	rewind_connections(&a->connections.table, LIST_OPEN_DATAGRAM, unix_ns);
	rewind_connections(&a->connections.table, LIST_ENDED, unix_ns);
	rewind_latencies(&a->latencies.table);
}
