/* SPDX-License-Identifier: MIT */
/*
 * Open addressing for tables whose entries lie in an array: slots hold indices, each
 * beside its hash, so that a miss touches no entry. Linear probing without tombstones; at
 * most half of the slots are taken, by the caller's promise.
 */
#ifndef JOPIL_SLOTS_H
#define JOPIL_SLOTS_H

#include <errno.h>
#include <string.h>

#include "aggregator/large.h"
#include "common/types.h"

#define SLOT_NONE 0xffffffffu

struct slot {
	u32 hash;
	u32 index;		/* of an entry, or SLOT_NONE */
};

struct slots {
	struct slot *at;	/* NULL: no slot yet */
	u32 mask;		/* slots - 1 */
};

/* For entries with the secret of a seed (wyhash's mixing): nobody can aim at one slot. */
static inline u64 slots_mix(u64 a, u64 b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

/* Of memory; some also where there are no slots yet. */
static inline size_t slots_bytes(const struct slots *s)
{
	return (s->mask + 1ul) * sizeof(*s->at);
}

static inline void slots_free(struct slots *s)
{
	large_free(s->at, slots_bytes(s));
	*s = (struct slots){ 0 };
}

static inline void slots_clear(struct slots *s)
{
	memset(s->at, 0xff, slots_bytes(s));
}

static inline void slots_insert(struct slots *s, u32 index, u32 hash)
{
	u32 slot = hash & s->mask;

	while (s->at[slot].index != SLOT_NONE)
		slot = (slot + 1) & s->mask;
	s->at[slot] = (struct slot){ hash, index };
}

/*
 * Room for at least n slots, with all that is in them. Old ones are read in order, and so
 * are the new ones written, nearly: a million take some ms. 0 or -ENOMEM.
 */
static inline int slots_grow(struct slots *s, u32 n)
{
	struct slots larger = { .mask = 1 };

	while (larger.mask + 1 < n)
		larger.mask = 2 * larger.mask + 1;
	larger.at = large_new(slots_bytes(&larger), true);
	if (!larger.at)
		return -ENOMEM;
	slots_clear(&larger);
	for (u32 slot = 0; s->at && slot <= s->mask; slot++)
		if (s->at[slot].index != SLOT_NONE)
			slots_insert(&larger, s->at[slot].index, s->at[slot].hash);
	slots_free(s);
	*s = larger;
	return 0;
}

/* An index that is there; those behind it move up. */
static inline void slots_remove(struct slots *s, u32 index, u32 hash)
{
	u32 hole = hash & s->mask, slot;

	while (s->at[hole].index != index)
		hole = (hole + 1) & s->mask;
	for (slot = (hole + 1) & s->mask; s->at[slot].index != SLOT_NONE; slot = (slot + 1) & s->mask) {
		u32 home = s->at[slot].hash & s->mask;

		if (((slot - home) & s->mask) < ((slot - hole) & s->mask))
			continue;
		s->at[hole] = s->at[slot];
		hole = slot;
	}
	s->at[hole].index = SLOT_NONE;
}

#endif
