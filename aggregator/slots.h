/* SPDX-License-Identifier: MIT */
/*
 * Open addressing for tables whose entries lie in an array: slots hold indices, and
 * beside them the hashes, so that a miss touches no entry. Linear probing without
 * tombstones; at most half of the slots are taken, by the caller's promise.
 */
#ifndef JOPIL_SLOTS_H
#define JOPIL_SLOTS_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/types.h"

#define SLOT_NONE 0xffffffffu

struct slots {
	u32 *index;		/* of an entry, or SLOT_NONE; NULL: no slot yet */
	u32 *hashes;
	u32 mask;		/* slots - 1 */
};

/* For entries with the secret of a seed (wyhash's mixing): nobody can aim at one slot. */
static inline u64 slots_mix(u64 a, u64 b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

/* n empty slots, a power of two, instead of those that there are. 0 or -ENOMEM. */
static inline int slots_make(struct slots *s, u32 n)
{
	u32 *index = malloc(n * sizeof(*index)), *hashes = malloc(n * sizeof(*hashes));

	if (!index || !hashes) {
		free(index);
		free(hashes);
		return -ENOMEM;
	}
	memset(index, 0xff, n * sizeof(*index));
	free(s->index);
	free(s->hashes);
	s->index = index;
	s->hashes = hashes;
	s->mask = n - 1;
	return 0;
}

static inline void slots_free(struct slots *s)
{
	free(s->index);
	free(s->hashes);
	*s = (struct slots){ 0 };
}

static inline void slots_insert(struct slots *s, u32 index, u32 hash)
{
	u32 slot = hash & s->mask;

	while (s->index[slot] != SLOT_NONE)
		slot = (slot + 1) & s->mask;
	s->index[slot] = index;
	s->hashes[slot] = hash;
}

/* An index that is there; those behind it move up. */
static inline void slots_remove(struct slots *s, u32 index, u32 hash)
{
	u32 hole = hash & s->mask, slot;

	while (s->index[hole] != index)
		hole = (hole + 1) & s->mask;
	for (slot = (hole + 1) & s->mask; s->index[slot] != SLOT_NONE; slot = (slot + 1) & s->mask) {
		u32 home = s->hashes[slot] & s->mask;

		if (((slot - home) & s->mask) < ((slot - hole) & s->mask))
			continue;
		s->index[hole] = s->index[slot];
		s->hashes[hole] = s->hashes[slot];
		hole = slot;
	}
	s->index[hole] = SLOT_NONE;
}

#endif
