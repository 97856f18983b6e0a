/* SPDX-License-Identifier: MIT */
/*
 * Bidirectional flows (RFC 5103): open addressing over 32-bit seeded hashes, least
 * recently used first out. 152 bytes a flow with its links and two slots.
 *
 * A flow that was used in more than one interval is kept in a list of its own, and leaves for
 * one that is new only when such flows fill three quarters of the table: who makes up a
 * million flows a second drives out what he has made up himself, not those that were there.
 *
 * With a million flows a packet costs what its way to memory costs. So a flow is two
 * lines of the cache and stays where it is, in a chunk; what links it by its last use
 * lies apart, sixteen to the memory of a flow; and who has several packets says
 * flow_table_fetch_slot() and flow_table_fetch_flow() of the next ones before
 * flow_table_get() of the first.
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
	u64 last_ns;
	u64 recent_bytes;
	struct flow_side side[2];
	u32 interval;		/* in which recent_* were counted; 0: an unused entry */
	u32 recent_packets;
	u8 tcp_flags[2];	/* of all packets of a side */
	u8 open_flags[2];	/* of those since the connection was opened last */
	u8 src : 1;		/* which side opened it */
	u8 opened : 1;		/* src is known from a SYN, not by order */
	u8 list : 1;		/* FLOWS_NEW, FLOWS_KEPT */
	u8 ways;		/* bit 2 * side + enum direction: this side's packets went that way */
	u8 icmp_type, icmp_code;	/* of the first packet, if id.flags has FLOW_ICMP */
};

_Static_assert(sizeof(struct flow) == 128, "memory a flow is a promise");

/* Neighbours by last use; FLOW_NONE at the ends. */
struct flow_link {
	u32 older, newer;
};

enum { FLOWS_NEW, FLOWS_KEPT, FLOW_LISTS };

/* By last use, from the newest to the oldest; FLOW_NONE: it is empty. */
struct flow_list {
	u32 newest, oldest, n;
};

#define FLOW_CHUNK 32768	/* flows; a power of two, whole large pages */

#define FLOW_NONE SLOT_NONE

struct flow_table {
	struct flow **chunks;
	u32 n_chunks;
	struct flow_link *links;	/* by index */
	struct slots slots;	/* of indices */
	u32 allocated;		/* flows that links and slots have room for */
	u32 used;		/* of it ever used */
	u32 free;		/* list of unused entries through links */
	u32 active;
	u32 limit;		/* 0: none */
	struct flow_list lists[FLOW_LISTS];
	u32 interval;		/* the caller counts them; 0: all are one */
	u64 seed[2];
	u64 created, evicted, expired;
	/* Called for each flow that leaves before the end. */
	void (*leave)(const struct flow *flow, void *data);
	void *leave_data;
};

/* limit 0: grows without end. 0 or -ENOMEM, -errno of getrandom(). */
int flow_table_init(struct flow_table *t, u32 limit);
void flow_table_free(struct flow_table *t);

/* A flow by its index, below .used; .interval 0: there is none. */
static inline struct flow *flow_at(const struct flow_table *t, u32 index)
{
	return &t->chunks[index / FLOW_CHUNK][index % FLOW_CHUNK];
}

/* The one of its list used before this one; FLOW_NONE: there is none. */
static inline u32 flow_older(const struct flow_table *t, u32 index)
{
	return t->links[index].older;
}

/* Flows, by an index at: of each list from the newest on, while condition holds. */
#define FLOW_EACH_WHILE(t, at, condition) \
	for (u32 list_ = 0; list_ < FLOW_LISTS; list_++) \
		for (u32 at = (t)->lists[list_].newest; at != FLOW_NONE && (condition); \
		     at = flow_older(t, at))

static inline u64 flow_id_word(const struct flow_id *id, size_t offset)
{
	u64 word;

	memcpy(&word, (const u8 *)id + offset, sizeof(word));
	return word;
}

/* 44 bytes in 8-byte steps: whoever sends packets cannot aim at one slot. */
static inline u32 flow_table_hash(const struct flow_table *t, const struct flow_id *id)
{
	u64 h;

	_Static_assert(sizeof(*id) == 44, "hashed as a whole, without holes");
	h = slots_mix(flow_id_word(id, 0) ^ t->seed[0], flow_id_word(id, 8) ^ t->seed[1]);
	h = slots_mix(flow_id_word(id, 16) ^ h, flow_id_word(id, 24) ^ t->seed[1]);
	h = slots_mix(flow_id_word(id, 32) ^ h, flow_id_word(id, 36) ^ t->seed[0]);
	return (u32)(h ^ h >> 32);
}

/* That the flow of this hash will be asked for: some hundred ns before, twice as long before. */
void flow_table_fetch_flow(const struct flow_table *t, u32 hash);

static inline void flow_table_fetch_slot(const struct flow_table *t, u32 hash)
{
	__builtin_prefetch(&t->slots.at[hash & t->slots.mask]);
}

/*
 * The flow of this id, now the newest; made if there is none, with all of it 0 but the
 * id. NULL: no memory. Its pointer holds until it leaves.
 */
struct flow *flow_table_get(struct flow_table *t, const struct flow_id *id, u32 hash);

/* Nothing was added to it yet. */
static inline bool flow_is_new(const struct flow *f)
{
	return !f->interval;
}

/* Drops flows that were last used before this second, at most `most` of them; how many. */
u32 flow_table_expire(struct flow_table *t, u64 before_s, u32 most);

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
