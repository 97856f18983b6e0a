/* SPDX-License-Identifier: MIT */
/*
 * Hosts and their interfaces, and what was counted at each: added up from the lines,
 * and, where counters lines come, as those say, which is exact.
 */
#ifndef JOPIL_INTERFACES_H
#define JOPIL_INTERFACES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/line_read.h"
#include "common/records.h"
#include "common/total_rows.h"

#define HOSTS_MAX 1024		/* beyond: all are host "other", and a counter */
#define INTERFACES_MAX 1024	/* beyond: all are interface "other", and a counter */
#define NAME_SLOTS 4096		/* a power of two well above both */
#define CPUS_MAX 1024		/* of a host; beyond: left out of the per-CPU rows */

struct amount {
	u64 packets;
	u64 bytes;
};

struct tally {
	struct amount direction[DIRECTIONS];
	struct amount row[DIRECTIONS][TOTAL_ROWS];
	struct amount cpu[CPUS_MAX];
};

/* The scalars of a counters line beside packets and bytes; cumulative. */
struct counters {
	u64 packet_lines, folded, unattributed, unattributed_bytes, malformed, ring_full;
};

struct interface {
	u16 host;
	struct line_text name;
	struct tally lines;		/* from packet and flow lines */
	u64 packet_lines, flow_packets;	/* how many of each */

	u64 counters_seen;		/* counters lines, also continued ones */
	u64 counters_ns;		/* Unix time of the last */
	u64 packet_lines_then, flow_packets_then;	/* seen when the last came */
	struct tally counted;		/* as the last said, and .attached_before */
	struct tally attached_before;	/* of the times before it was attached anew */
	struct counters counters, counters_before;
	/*
	 * counted - lines, at its smallest: packets that were counted and read before this
	 * stream began. What is more is still in the kernel.
	 */
	u64 unseen_least;

	struct tally lines_then, counted_then;	/* at the last snapshot */
	bool counted_then_valid;
};

#define RECENT_NAMES 64

/* An interface that was looked up. */
struct recent_name {
	u64 serial;		/* line_reader.ifname_serial; 0: none */
	u16 host;
	int number;
};

struct interfaces {
	struct line_text hosts[HOSTS_MAX + 1];
	struct interface *all[INTERFACES_MAX + 1];
	u32 n_hosts, n;
	u16 host_slots[NAME_SLOTS];	/* by hash of the name: number + 1, 0 if unused */
	u16 slots[NAME_SLOTS];		/* of interfaces, by hash of host and name */
	struct recent_name recent[RECENT_NAMES];	/* most lines repeat one of a few */
	u64 hosts_over, over;		/* hits of the limits */
};

/* The number of a host, made if new. Text of any length up to LINE_TEXT_MAX. */
u16 interfaces_host(struct interfaces *set, struct line_text name);

/* The number of an interface of a host, made if new; -ENOMEM. */
int interfaces_look_up(struct interfaces *set, u16 host, struct line_text name);

/* The same for the interface of a line; remembers it. */
int interfaces_look_up_recent(struct interfaces *set, u16 host, const struct line_reader *lr);

/* The same for the interface of a line, quicker if it was asked for lately. */
static inline int interfaces_find(struct interfaces *set, u16 host, const struct line_reader *lr)
{
	const struct recent_name *recent = &set->recent[lr->ifname_serial % RECENT_NAMES];

	if (lr->ifname_serial && recent->serial == lr->ifname_serial && recent->host == host)
		return recent->number;
	return interfaces_look_up_recent(set, host, lr);
}

void interfaces_free(struct interfaces *set);

/* What was counted at an interface: counters if there are any, else lines. */
const struct tally *interface_total(const struct interface *i);

/* What was added since the last snapshot; *ret is overwritten. */
void interface_recent(const struct interface *i, struct tally *ret);

/* The snapshot is written: what comes now belongs to the next. */
void interface_mark(struct interface *i);

/*
 * Packets that the last counters line counted, that are in no line before it and are
 * not unattributed.
 */
u64 interface_unseen(const struct interface *i);

static inline void amount_add(struct amount *to, const struct amount *from)
{
	to->packets += from->packets;
	to->bytes += from->bytes;
}

void tally_add(struct tally *to, const struct tally *from);

#endif
