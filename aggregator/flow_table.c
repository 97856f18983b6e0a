/* SPDX-License-Identifier: MIT */
/* Bidirectional flows: open addressing over seeded hashes, least recently used first out. */
#include "aggregator/flow_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "aggregator/tcp_state.h"
#include "common/records.h"

#define FIRST_FLOWS 1024	/* the array starts with this many and doubles */

static inline u64 word_at(const struct flow_id *id, size_t offset)
{
	u64 word;

	memcpy(&word, (const u8 *)id + offset, sizeof(word));
	return word;
}

/* 44 bytes in 8-byte steps: whoever sends packets cannot aim at one slot. */
static u32 hash_of(const struct flow_table *t, const struct flow_id *id)
{
	u64 h;

	_Static_assert(sizeof(*id) == 44, "hashed as a whole, without holes");
	h = slots_mix(word_at(id, 0) ^ t->seed[0], word_at(id, 8) ^ t->seed[1]);
	h = slots_mix(word_at(id, 16) ^ h, word_at(id, 24) ^ t->seed[1]);
	h = slots_mix(word_at(id, 32) ^ h, word_at(id, 36) ^ t->seed[0]);
	return (u32)(h ^ h >> 32);
}

/* Room for twice as many flows; slots are kept at most half full. */
static int grow(struct flow_table *t)
{
	u32 allocated = t->allocated ? t->allocated * 2 : FIRST_FLOWS, slots = 2;
	struct flow *flows;

	if (t->limit && allocated > t->limit)
		allocated = t->limit;
	flows = realloc(t->flows, allocated * sizeof(*flows));
	if (!flows)
		return -ENOMEM;
	t->flows = flows;
	t->allocated = allocated;
	while (slots < 2 * allocated)
		slots *= 2;
	if (slots_make(&t->slots, slots))
		return -ENOMEM;
	for (u32 i = t->newest; i != FLOW_NONE; i = t->flows[i].older)
		slots_insert(&t->slots, i, hash_of(t, &t->flows[i].id));
	return 0;
}

int flow_table_init(struct flow_table *t, u32 limit)
{
	memset(t, 0, sizeof(*t));
	t->limit = limit;
	t->free = t->newest = t->oldest = FLOW_NONE;
	if (getrandom(t->seed, sizeof(t->seed), 0) != (ssize_t)sizeof(t->seed))
		return -errno;
	return grow(t);
}

void flow_table_free(struct flow_table *t)
{
	free(t->flows);
	slots_free(&t->slots);
	memset(t, 0, sizeof(*t));
}

static void unlink_flow(struct flow_table *t, struct flow *f)
{
	if (f->newer != FLOW_NONE)
		t->flows[f->newer].older = f->older;
	else
		t->newest = f->older;
	if (f->older != FLOW_NONE)
		t->flows[f->older].newer = f->newer;
	else
		t->oldest = f->newer;
}

static void link_newest(struct flow_table *t, u32 index)
{
	struct flow *f = &t->flows[index];

	f->newer = FLOW_NONE;
	f->older = t->newest;
	if (t->newest != FLOW_NONE)
		t->flows[t->newest].newer = index;
	else
		t->oldest = index;
	t->newest = index;
}

static void drop_oldest(struct flow_table *t)
{
	u32 index = t->oldest;
	struct flow *f = &t->flows[index];

	if (t->leave)
		t->leave(f, t->leave_data);
	slots_remove(&t->slots, index, hash_of(t, &t->flows[index].id));
	unlink_flow(t, f);
	f->interval = 0;
	f->older = t->free;
	t->free = index;
	t->active--;
}

void flow_table_expire(struct flow_table *t, u64 before_s, u32 most)
{
	while (t->oldest != FLOW_NONE && most-- && t->flows[t->oldest].used_s < before_s) {
		drop_oldest(t);
		t->expired++;
	}
}

void flow_table_renew(struct flow_table *t, struct flow *f)
{
	struct flow fresh = { .id = f->id, .older = f->older, .newer = f->newer };

	if (t->leave)
		t->leave(f, t->leave_data);
	*f = fresh;
	t->expired++;
	t->created++;
}

/* An unused entry; FLOW_NONE without memory. */
static u32 take_entry(struct flow_table *t)
{
	u32 index;

	if (t->limit && t->active == t->limit) {
		drop_oldest(t);
		t->evicted++;
	}
	if (t->free != FLOW_NONE) {
		index = t->free;
		t->free = t->flows[index].older;
		return index;
	}
	if (t->used == t->allocated && grow(t))
		return FLOW_NONE;
	return t->used++;
}

/* As memcmp(), which is a call. The last two words overlap. */
static inline bool is_same(const struct flow_id *a, const struct flow_id *b)
{
	return !((word_at(a, 0) ^ word_at(b, 0)) | (word_at(a, 8) ^ word_at(b, 8)) |
		 (word_at(a, 16) ^ word_at(b, 16)) | (word_at(a, 24) ^ word_at(b, 24)) |
		 (word_at(a, 32) ^ word_at(b, 32)) | (word_at(a, 36) ^ word_at(b, 36)));
}

static u32 find(const struct flow_table *t, const struct flow_id *id, u32 hash)
{
	const struct slots *s = &t->slots;

	for (u32 slot = hash & s->mask; s->index[slot] != SLOT_NONE; slot = (slot + 1) & s->mask)
		if (s->hashes[slot] == hash && is_same(&t->flows[s->index[slot]].id, id))
			return s->index[slot];
	return FLOW_NONE;
}

struct flow *flow_table_get(struct flow_table *t, const struct flow_id *id, bool *ret_new)
{
	u32 hash = hash_of(t, id), index = find(t, id, hash);
	struct flow *f;

	*ret_new = index == FLOW_NONE;
	if (!*ret_new) {
		f = &t->flows[index];
		if (t->newest != index) {
			unlink_flow(t, f);
			link_newest(t, index);
		}
		return f;
	}
	index = take_entry(t);
	if (index == FLOW_NONE)
		return NULL;
	f = &t->flows[index];
	memset(f, 0, sizeof(*f));
	f->id = *id;
	slots_insert(&t->slots, index, hash);
	link_newest(t, index);
	t->active++;
	t->created++;
	return f;
}

/*
 * Who opened the flow: who sent a SYN without ACK; else whose packets are older; else,
 * where both began in one 4 ms step of a folded flow, the larger port, which clients
 * have.
 */
static void decide_src(struct flow *f, const struct flow_addition *add)
{
	const struct flow_side *mine = &f->side[add->from], *other = &f->side[!add->from];
	bool syn = f->id.protocol == 6 && add->tcp_flags & TCP_SYN;

	if (f->opened)
		return;
	if (syn && !(add->tcp_flags & TCP_ACK)) {
		f->src = add->from;
		f->opened = 1;
	} else if (syn && add->packets == 1) {
		f->src = !add->from;
		f->opened = 1;
	} else if (!other->first_ns || mine->first_ns < other->first_ns) {
		f->src = add->from;
	} else if (mine->first_ns == other->first_ns) {
		f->src = f->id.port[1] > f->id.port[0];
	}
}

void flow_add(struct flow *f, const struct flow_addition *add)
{
	struct flow_side *side = &f->side[add->from];

	if (!side->first_ns || add->first_ns < side->first_ns)
		side->first_ns = add->first_ns;
	side->packets += add->packets;
	side->bytes += add->bytes;
	if (add->last_ns > f->last_ns)
		f->last_ns = add->last_ns;
	f->used_s = add->used_s;
	if (f->interval != add->interval) {
		f->interval = add->interval;
		f->recent_packets = 0;
		f->recent_bytes = 0;
	}
	f->recent_packets += (u32)add->packets;
	f->recent_bytes += add->bytes;
	f->ways |= 1u << (2 * add->from + add->direction);
	decide_src(f, add);
	if (f->id.protocol != 6)
		return;
	if (tcp_reopens(f->open_flags[0], f->open_flags[1], add->tcp_flags))
		f->open_flags[0] = f->open_flags[1] = 0;
	f->tcp_flags[add->from] |= add->tcp_flags;
	f->open_flags[add->from] |= add->tcp_flags;
}
