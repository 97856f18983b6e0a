/* SPDX-License-Identifier: MIT */
/* Bidirectional flows: open addressing over seeded hashes, least recently used first out. */
#include "aggregator/flow_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "aggregator/tcp_state.h"
#include "common/records.h"

/* ---- memory ------------------------------------------------------------------------ */

#define FIRST_FLOWS 1024	/* there is room for so many, then for twice as many */
#define MOST_FLOWS (1u << 30)
#define CHUNK_BYTES (FLOW_CHUNK * sizeof(struct flow))

/* Room for twice as many flows; slots are kept at most half full. */
static int grow(struct flow_table *t)
{
	u32 allocated = t->allocated ? t->allocated * 2 : FIRST_FLOWS;
	struct flow_link *links;

	if (t->limit && allocated > t->limit)
		allocated = t->limit;
	if (allocated > MOST_FLOWS || slots_grow(&t->slots, 2 * allocated))
		return -ENOMEM;
	links = large_grow(t->links, t->allocated * sizeof(*links), allocated * sizeof(*links));
	if (!links)
		return -ENOMEM;
	t->links = links;
	t->allocated = allocated;
	return 0;
}

static int add_chunk(struct flow_table *t)
{
	struct flow **chunks = realloc(t->chunks, (t->n_chunks + 1) * sizeof(*chunks));

	if (!chunks)
		return -ENOMEM;
	t->chunks = chunks;
	/* Who has few flows shall have no large pages for them. */
	chunks[t->n_chunks] = large_new(CHUNK_BYTES, t->n_chunks > 0);
	if (!chunks[t->n_chunks])
		return -ENOMEM;
	t->n_chunks++;
	return 0;
}

int flow_table_init(struct flow_table *t, u32 limit)
{
	memset(t, 0, sizeof(*t));
	t->limit = limit;
	t->free = FLOW_NONE;
	for (u32 list = 0; list < FLOW_LISTS; list++)
		t->lists[list] = (struct flow_list){ FLOW_NONE, FLOW_NONE, 0 };
	if (getrandom(t->seed, sizeof(t->seed), 0) != (ssize_t)sizeof(t->seed))
		return -errno;
	return grow(t);
}

void flow_table_free(struct flow_table *t)
{
	while (t->n_chunks)
		large_free(t->chunks[--t->n_chunks], CHUNK_BYTES);
	free(t->chunks);
	large_free(t->links, t->allocated * sizeof(*t->links));
	slots_free(&t->slots);
	memset(t, 0, sizeof(*t));
}

/* ---- the order of last use --------------------------------------------------------- */

static inline void unlink_flow(struct flow_table *t, struct flow_list *list, u32 index)
{
	struct flow_link link = t->links[index];

	if (link.newer != FLOW_NONE)
		t->links[link.newer].older = link.older;
	else
		list->newest = link.older;
	if (link.older != FLOW_NONE)
		t->links[link.older].newer = link.newer;
	else
		list->oldest = link.newer;
	list->n--;
}

static inline void link_newest(struct flow_table *t, struct flow_list *list, u32 index)
{
	t->links[index] = (struct flow_link){ .older = list->newest, .newer = FLOW_NONE };
	if (list->newest != FLOW_NONE)
		t->links[list->newest].newer = index;
	else
		list->oldest = index;
	list->newest = index;
	list->n++;
}

static void drop_oldest(struct flow_table *t, u32 list)
{
	u32 index = t->lists[list].oldest;
	struct flow *f = flow_at(t, index);

	if (t->leave)
		t->leave(f, t->leave_data);
	slots_remove(&t->slots, index, flow_table_hash(t, &f->id));
	unlink_flow(t, &t->lists[list], index);
	f->interval = 0;
	t->links[index].older = t->free;
	t->free = index;
	t->active--;
}

/* What is new leaves first, unless what is kept fills three quarters. */
static void evict(struct flow_table *t)
{
	bool kept_are_many = t->lists[FLOWS_KEPT].n > t->limit - t->limit / 4;

	drop_oldest(t, kept_are_many || !t->lists[FLOWS_NEW].n ? FLOWS_KEPT : FLOWS_NEW);
	t->evicted++;
}

u32 flow_table_expire(struct flow_table *t, u64 before_s, u32 most)
{
	u32 n = 0;

	for (u32 list = 0; list < FLOW_LISTS; list++)
		for (u32 at = t->lists[list].oldest; at != FLOW_NONE && n < most &&
		     flow_at(t, at)->used_s < before_s; at = t->lists[list].oldest, n++)
			drop_oldest(t, list);
	t->expired += n;
	return n;
}

void flow_table_renew(struct flow_table *t, struct flow *f)
{
	struct flow fresh = { .id = f->id, .list = f->list };

	if (t->leave)
		t->leave(f, t->leave_data);
	*f = fresh;
	t->expired++;
	t->created++;
}

/* ---- finding ----------------------------------------------------------------------- */

/* An unused entry; FLOW_NONE without memory. */
static u32 take_entry(struct flow_table *t)
{
	u32 index;

	if (t->limit && t->active == t->limit)
		evict(t);
	if (t->free != FLOW_NONE) {
		index = t->free;
		t->free = t->links[index].older;
		return index;
	}
	if (t->used == t->allocated && grow(t))
		return FLOW_NONE;
	if (t->used == t->n_chunks * FLOW_CHUNK && add_chunk(t))
		return FLOW_NONE;
	return t->used++;
}

/* As memcmp(), which is a call. The last two words overlap. */
static inline bool is_same(const struct flow_id *a, const struct flow_id *b)
{
	return !((flow_id_word(a, 0) ^ flow_id_word(b, 0)) | (flow_id_word(a, 8) ^ flow_id_word(b, 8)) |
		 (flow_id_word(a, 16) ^ flow_id_word(b, 16)) | (flow_id_word(a, 24) ^ flow_id_word(b, 24)) |
		 (flow_id_word(a, 32) ^ flow_id_word(b, 32)) | (flow_id_word(a, 36) ^ flow_id_word(b, 36)));
}

static inline struct flow *find(const struct flow_table *t, const struct flow_id *id, u32 hash,
				u32 *ret_index)
{
	const struct slots *s = &t->slots;

	for (u32 slot = hash & s->mask; s->at[slot].index != SLOT_NONE; slot = (slot + 1) & s->mask) {
		struct flow *f;

		if (s->at[slot].hash != hash)
			continue;
		f = flow_at(t, s->at[slot].index);
		if (is_same(&f->id, id)) {
			*ret_index = s->at[slot].index;
			return f;
		}
	}
	return NULL;
}

/* Both lines of the cache that it is, and its links. Another flow of the same hash is no harm. */
void flow_table_fetch_flow(const struct flow_table *t, u32 hash)
{
	const struct slots *s = &t->slots;

	for (u32 slot = hash & s->mask; s->at[slot].index != SLOT_NONE; slot = (slot + 1) & s->mask)
		if (s->at[slot].hash == hash) {
			const char *flow = (const char *)flow_at(t, s->at[slot].index);

			__builtin_prefetch(flow, 1);
			__builtin_prefetch(flow + 64, 1);
			__builtin_prefetch(&t->links[s->at[slot].index], 1);
			return;
		}
}

/* Rare, so it does not make flow_table_get() save registers for it. */
static __attribute__((noinline)) struct flow *make(struct flow_table *t, const struct flow_id *id, u32 hash)
{
	u32 index = take_entry(t);
	struct flow *f;

	if (index == FLOW_NONE)
		return NULL;
	f = flow_at(t, index);
	memset(f, 0, sizeof(*f));
	f->id = *id;
	slots_insert(&t->slots, index, hash);
	link_newest(t, &t->lists[FLOWS_NEW], index);
	t->active++;
	t->created++;
	return f;
}

struct flow *flow_table_get(struct flow_table *t, const struct flow_id *id, u32 hash)
{
	struct flow_list *list;
	u32 index;
	struct flow *f = find(t, id, hash, &index);

	if (!f)
		return make(t, id, hash);
	list = &t->lists[f->list];
	if (f->interval != t->interval)
		f->list |= t->interval != 0;
	else if (list->newest == index)
		return f;
	unlink_flow(t, list, index);
	link_newest(t, &t->lists[f->list], index);
	return f;
}

/*
 * Who opened the flow: who sent a SYN without ACK; else whose packets are older; else,
 * where both began in one 4 ms step of a folded flow, the larger port, which clients
 * have.
 */
static void decide_src(struct flow *f, const struct flow_addition *add, bool syn)
{
	const struct flow_side *mine = &f->side[add->from], *other = &f->side[!add->from];

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
	bool syn = f->id.protocol == 6 && add->tcp_flags & TCP_SYN;
	bool older = !side->first_ns || add->first_ns < side->first_ns;

	if (older)
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
	f->ways |= (u8)(1u << (2 * add->from + add->direction));
	/* Nothing else changes what was decided. */
	if (older || syn)
		decide_src(f, add, syn);
	if (f->id.protocol != 6)
		return;
	if (tcp_reopens(f->open_flags[0], f->open_flags[1], add->tcp_flags))
		f->open_flags[0] = f->open_flags[1] = 0;
	f->tcp_flags[add->from] |= add->tcp_flags;
	f->open_flags[add->from] |= add->tcp_flags;
}
