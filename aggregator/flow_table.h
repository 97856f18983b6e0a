/* SPDX-License-Identifier: MIT */
/*
 * Bidirectional flows (RFC 5103): open addressing over 32-bit seeded hashes, entries in
 * one array, least recently used first out. 152 bytes a flow with two slots.
 */
#ifndef JOPIL_FLOW_TABLE_H
#define JOPIL_FLOW_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregator/slots.h"
#include "common/types.h"

/* One side of a flow. */
struct flow_side {
	u64 packets;
	u64 bytes;
	u64 first_ns;		/* Unix time; 0: this side has not sent */
};

/* What tells flows apart. The side with the smaller (address, port) is 0: "low". */
struct flow_id {
	u8 ip[2][16];
	u16 port[2];		/* host order; 0 if there are none */
	u16 protocol;
	u16 vlan;
	u16 interface;		/* of the aggregator's own table */
	u8 ip_version;
	u8 flags;		/* FLOW_PORTS, FLOW_ICMP, FLOW_FRAGMENT */
};

struct flow {
	struct flow_id id;	/* 44 bytes */
	u32 used_s;		/* when it was used last, by the clock that idle time is told by */
	struct flow_side side[2];
	u64 last_ns;
	u32 older, newer;	/* neighbours by last use; FLOW_NONE at the ends */
	u32 interval;		/* in which recent_* were counted; 0: an unused entry */
	u32 recent_packets;
	u64 recent_bytes;
	u8 tcp_flags[2];	/* of all packets of a side */
	u8 open_flags[2];	/* of those since the connection was opened last */
	u8 src;			/* which side opened it */
	u8 opened : 1;		/* src is known from a SYN, not by order */
	u8 ways : 4;		/* bit 2 * side + enum direction: this side's packets went that way */
	u8 icmp_type, icmp_code;	/* of the first packet, if id.flags has FLOW_ICMP */
};

_Static_assert(sizeof(struct flow) == 136, "memory a flow is a promise");

#define FLOW_NONE SLOT_NONE

struct flow_table {
	struct flow *flows;
	struct slots slots;	/* of the array's indices */
	u32 allocated;		/* flows that the array has room for */
	u32 used;		/* of it ever used */
	u32 free;		/* list of unused entries through .older */
	u32 active;
	u32 limit;		/* 0: none */
	u32 newest, oldest;
	u64 seed[2];
	u64 created, evicted, expired;
	/* Called for each flow that leaves before the end. */
	void (*leave)(const struct flow *flow, void *data);
	void *leave_data;
};

/* limit 0: grows without end. 0 or -ENOMEM, -errno of getrandom(). */
int flow_table_init(struct flow_table *t, u32 limit);
void flow_table_free(struct flow_table *t);

/*
 * The flow of this id, made if there is none, and now the newest. NULL: no memory.
 * *ret_new tells whether it was made. Its pointer holds until the next call.
 */
struct flow *flow_table_get(struct flow_table *t, const struct flow_id *id, bool *ret_new);

/* Drops flows that were last used before this second, at most `most` of them. */
void flow_table_expire(struct flow_table *t, u64 before_s, u32 most);

/* As if the flow had expired and were made anew in its place. */
void flow_table_renew(struct flow_table *t, struct flow *flow);

/* Which packets a packet or flow line adds. */
struct flow_addition {
	u64 packets, bytes;
	u64 first_ns, last_ns;
	u8 from;		/* the side of the id that sent them */
	u8 direction;		/* enum direction: which way on the interface */
	u8 tcp_flags;
	u32 interval;		/* the current one, from 1 */
	u32 used_s;
};

/* Adds up, and decides which side opened the flow. */
void flow_add(struct flow *flow, const struct flow_addition *add);

static inline u64 flow_packets(const struct flow *f)
{
	return f->side[0].packets + f->side[1].packets;
}

static inline u64 flow_bytes(const struct flow *f)
{
	return f->side[0].bytes + f->side[1].bytes;
}

#endif
