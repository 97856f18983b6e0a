/* SPDX-License-Identifier: MIT */
/*
 * The parts of a snapshot, a file a subject. Each appends `,"key":...` for its keys of the
 * snapshot line (docs/EVENTS.md); rows come largest first, at most q->top of each.
 */
#ifndef JOPIL_SNAPSHOT_PARTS_H
#define JOPIL_SNAPSHOT_PARTS_H

#include "aggregator/snapshot.h"

/* flows, flow_table */
void snapshot_flows(struct text *t, const struct aggregate *a, const struct snapshot_request *q);

/* processes, remotes, process_protocols, process_table, remote_table */
void snapshot_processes(struct text *t, struct aggregate *a, const struct snapshot_request *q);

/* What the wire saw, by direction: since the beginning, and in this interval. */
struct wire {
	u64 tx_bytes, rx_bytes, recent_tx, recent_rx;
};

/* unowned */
void snapshot_unowned(struct text *t, const struct aggregate *a, const struct snapshot_request *q,
		      const struct wire *wire);

/* connections, connection_table, connects, connects_left_out */
void snapshot_connections(struct text *t, const struct aggregate *a, const struct snapshot_request *q);

/* drops, drops_unspecified, drop_flows */
void snapshot_drops(struct text *t, const struct aggregate *a, const struct snapshot_request *q);

/* latency, latency_table, probes */
void snapshot_latency(struct text *t, const struct aggregate *a, const struct snapshot_request *q);

/* The keys of "interval": what it added to processes, remotes, connections, drops. */
void snapshot_processes_interval(struct text *t, const struct aggregate *a);
void snapshot_connections_interval(struct text *t, const struct aggregate *a);
void snapshot_drops_interval(struct text *t, const struct aggregate *a);

/* series_...: sums for time series, each of one host; ranks the series before. */
void snapshot_series(struct text *t, struct aggregate *a, const struct snapshot_request *q);

/* The keys of "losses" that are the host's probes', and of "input". */
void snapshot_host_losses(struct text *t, const struct aggregate *a);
void snapshot_host_input(struct text *t, const struct aggregate *a);

/* pid, command and uid of an owner; null where it is not known (pid 0). */
void snapshot_owner(struct text *t, u32 pid, const u8 *command, u32 uid);

#endif
