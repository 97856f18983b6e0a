/* SPDX-License-Identifier: MIT */
/* What the aggregator knows, as lines: snapshots, and one line a flow. */
#ifndef JOPIL_SNAPSHOT_H
#define JOPIL_SNAPSHOT_H

#include "aggregator/aggregate.h"
#include "aggregator/text.h"

struct snapshot_request {
	u64 now_ns;		/* Unix time */
	u64 interval_ns;	/* since the last snapshot, for rates; > 0 */
	u64 sequence;
	u32 top;		/* rows shown of each table */
	bool final;
};

/* Appends a snapshot line. */
void snapshot_write(struct text *t, struct aggregate *a, const struct snapshot_request *q);

/* Appends a "port" line for each service port of this interval, and empties a->ports. */
void port_lines_write(struct text *t, struct aggregate *a, const struct snapshot_request *q);

/* Appends one "flow_total" line. */
void flow_total_write(struct text *t, const struct aggregate *a, const struct flow *f);

#endif
