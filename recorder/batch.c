/* SPDX-License-Identifier: MIT */
/* What has come since the last transaction. */
#include "recorder/batch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS (2 * BATCH_ROWS_MAX)
#define MIX 0x9e3779b97f4a7c15ull

int batch_init(struct batch *batch)
{
	*batch = (struct batch){ .slots = calloc(SLOTS, sizeof(u32)) };
	return batch->slots ? 0 : -ENOMEM;
}

void batch_free(struct batch *batch)
{
	free(batch->rows);
	free(batch->slots);
	free(batch->flows);
	*batch = (struct batch){ 0 };
}

void batch_clear(struct batch *batch)
{
	if (batch->n)
		memset(batch->slots, 0, SLOTS * sizeof(*batch->slots));
	batch->n = batch->n_flows = batch->n_watched = 0;
}

bool batch_is_large(const struct batch *batch)
{
	return batch->n >= BATCH_ROWS_MAX / 2 || batch->n_flows >= BATCH_FLOWS_MAX / 2 ||
	       batch->n_watched >= BATCH_WATCHED_MAX / 2;
}

void batch_watch(struct batch *batch, int64_t slot)
{
	if (batch->n_watched && batch->watched[batch->n_watched - 1] == slot)
		return;
	if (batch->n_watched < BATCH_WATCHED_MAX)
		batch->watched[batch->n_watched++] = slot;
}

/* Numbers of names are ours, and small: no secret is needed. */
static u32 hash_of(const struct batch_key *key)
{
	u64 hash = (u64)key->slot * MIX ^ key->fact;

	for (int i = 0; i < STORE_KEYS_MAX; i++) {
		hash = (hash ^ (u64)key->key[i]) * MIX;
		hash ^= hash >> 32;
	}
	return (u32)hash;
}

/* Room for one more of n things; false without memory. */
static bool make_room(void **things, u32 n, u32 *allocated, size_t size)
{
	u32 more = *allocated ? *allocated * 2 : 1024;
	void *moved;

	if (n < *allocated)
		return true;
	moved = realloc(*things, more * size);
	if (!moved)
		return false;
	*things = moved;
	*allocated = more;
	return true;
}

u64 *batch_values(struct batch *batch, const struct batch_key *key)
{
	u32 slot = hash_of(key) & (SLOTS - 1);
	struct batch_row *row;

	for (; batch->slots[slot]; slot = (slot + 1) & (SLOTS - 1)) {
		row = &batch->rows[batch->slots[slot] - 1];
		if (!memcmp(&row->key, key, sizeof(*key)))
			return row->values;
	}
	if (batch->n == BATCH_ROWS_MAX || !make_room((void **)&batch->rows, batch->n, &batch->allocated,
						     sizeof(*batch->rows))) {
		batch->lost_rows++;
		return NULL;
	}
	row = &batch->rows[batch->n];
	*row = (struct batch_row){ .key = *key };
	batch->slots[slot] = ++batch->n;
	return row->values;
}

struct batch_flow *batch_flow(struct batch *batch)
{
	if (batch->n_flows == BATCH_FLOWS_MAX ||
	    !make_room((void **)&batch->flows, batch->n_flows, &batch->flows_allocated,
		       sizeof(*batch->flows))) {
		batch->lost_flows++;
		return NULL;
	}
	return &batch->flows[batch->n_flows++];
}
