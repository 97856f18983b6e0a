/* SPDX-License-Identifier: MIT */
/* All that the aggregator knows, and what a line adds to it. No I/O. */
#ifndef JOPIL_AGGREGATE_H
#define JOPIL_AGGREGATE_H

#include "aggregator/additions.h"
#include "aggregator/connections.h"
#include "aggregator/drops.h"
#include "aggregator/flow_table.h"
#include "aggregator/history.h"
#include "aggregator/interfaces.h"
#include "aggregator/latency.h"
#include "aggregator/packet_feed.h"
#include "aggregator/ports.h"
#include "aggregator/print_types.h"
#include "aggregator/probes.h"
#include "aggregator/processes.h"
#include "common/bad_line.h"
#include "common/line_read.h"

struct aggregate {
	struct line_reader reader;
	u32 guess;		/* what type the next line has: the one that the last had */
	u32 printed;		/* PRINT_* bit of the last good line; 0: it is not passed on */
	struct interfaces interfaces;
	struct flow_table flows;
	struct additions additions;	/* to those flows, still under way */
	struct ports ports;	/* of this interval, what flows in the table moved apart */
	struct history history;
	/* Called for each flow that leaves before the end; the caller sets it. */
	void (*flow_leaves)(const struct flow *flow, void *data);
	void *flow_leaves_data;
	u64 flow_totals, flow_totals_left_out;	/* lines of those, and those that got none; likewise */
	u16 host;		/* of the last hello line */

	u64 lines, packet_lines, flow_lines, counters_lines, hello_lines;
	u64 connection_lines, process_lines, drop_lines;
	u64 latency_lines, probe_lines, drop_counters_lines;
	u64 bad[BAD_LINES], unknown_type;	/* lines passed over */
	u64 no_memory;		/* additions to flows that were lost for want of it */

	u32 interval;		/* number of the current one, from 1 */
	u64 newest_ns;		/* newest time in any line, but those of wrong clocks */
	u64 newest_s, next_s_ns;	/* its second, and when the next one begins */
	u64 idle_before_s;	/* flows used last before that second leave */
	bool has_idle;		/* there may be some */
	u64 latest_ns;		/* what is later is a wrong clock's; 0: nothing is */
	u64 idle_ns;		/* flows idle for so long leave; 0: never. The caller sets it */
	u32 recent_flows;	/* flows with packets in this interval */
	struct packet_feed feed;	/* of an interval of a second, until the caller says another */

	/* What the host's probes tell. */
	struct processes processes;
	struct connections connections;
	struct drops drops;
	struct latencies latencies;
	struct probes probes;
	u64 host_ns[HOSTS_MAX + 1];	/* newest Unix time in any of their lines, by host */
	u64 host_drops_ns[HOSTS_MAX + 1];	/* Unix time of its first drop_counters line */
	struct line_text first_host;	/* of lines before a hello; as it was given */
	bool host_has_drops[HOSTS_MAX + 1];	/* its drop probe was heard of */
};

/* Rows kept at most. flows 0: no limit; the others are at least 1. */
struct aggregate_limits {
	u32 flows, processes, connections;
};

/* Stays where it is: tables know its address. 0 or -errno. */
int aggregate_init(struct aggregate *a, const struct aggregate_limits *limits);
void aggregate_free(struct aggregate *a);

/*
 * One line without its newline, as line_read.h wants it. Returns -1 if it was good or
 * of an unknown type, else the enum bad_line as which it was counted. What it adds to a
 * flow may be under way for some lines more.
 */
int aggregate_line(struct aggregate *a, const char *line, size_t length);

/* No line follows for now: all flows have what was added to them. */
void aggregate_settle(struct aggregate *a);

/* What this host's clock says: times a day ahead of it move neither history nor idle time. */
void aggregate_set_clock(struct aggregate *a, u64 unix_ns);

/* The newest time is in another second than before. */
void aggregate_next_second(struct aggregate *a);

/* Notes the newest time; false for the time of a wrong clock. */
static inline bool aggregate_see_time(struct aggregate *a, u64 unix_ns)
{
	if (a->latest_ns && unix_ns > a->latest_ns)
		return false;
	if (unix_ns > a->newest_ns) {
		a->newest_ns = unix_ns;
		if (unix_ns >= a->next_s_ns)
			aggregate_next_second(a);
	}
	return true;
}

/* Some of the flows that are idle leave, if there are any. */
void aggregate_expire(struct aggregate *a);

/* That the line says, made if new; .first_host where it says none. */
u16 aggregate_told_host(struct aggregate *a);

/*
 * The host of the line just read by .reader. Lines merged from several hosts say whose
 * they are; else it was the last hello.
 */
static inline u16 aggregate_host(struct aggregate *a)
{
	return a->reader.host.text || !a->interfaces.n_hosts ? aggregate_told_host(a) : a->host;
}

/* What a flow has moved in its last interval goes to its port. */
void aggregate_count_port(struct aggregate *a, const struct flow *flow);

/* A snapshot was taken: the next interval begins. */
void aggregate_next_interval(struct aggregate *a);

#endif
