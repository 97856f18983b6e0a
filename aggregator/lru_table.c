/* SPDX-License-Identifier: MIT */
/* Bounded tables of rows of one size, the least recently used first out. */
#include "aggregator/lru_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_ROWS 64	/* the array starts with this many and doubles */

static inline struct lru_row *row_at(const struct lru_table *t, u32 index)
{
	return (struct lru_row *)(void *)(t->rows + (size_t)index * t->row_size);
}

static inline u32 index_of(const struct lru_table *t, const void *row)
{
	return (u32)((size_t)((const unsigned char *)row - t->rows) / t->row_size);
}

static inline void *key_of(struct lru_row *row)
{
	return row + 1;
}

/* As flow_table.c: whoever chooses keys cannot aim at one slot without the seed. */
static u32 hash_of(const struct lru_table *t, const void *key)
{
	const unsigned char *p = key;
	u64 h = t->seed[0];

	for (size_t left = t->key_size; left; ) {
		u64 word = 0;
		size_t n = left < sizeof(word) ? left : sizeof(word);

		memcpy(&word, p, n);
		h = slots_mix(h ^ word, t->seed[1] ^ left);
		p += n;
		left -= n;
	}
	return (u32)(h ^ h >> 32);
}

int lru_init(struct lru_table *t, size_t row_size, size_t key_size, u32 limit)
{
	memset(t, 0, sizeof(*t));
	t->row_size = (u32)row_size;
	t->key_size = (u32)key_size;
	t->limit = limit;
	t->free = LRU_NONE;
	for (u32 i = 0; i < LRU_LISTS; i++)
		t->lists[i] = (struct lru_list){ LRU_NONE, LRU_NONE, 0 };
	return getrandom(t->seed, sizeof(t->seed), 0) == (ssize_t)sizeof(t->seed) ? 0 : -errno;
}

/* ---- lists ------------------------------------------------------------------------- */

static void unlink_row(struct lru_table *t, struct lru_row *row)
{
	struct lru_list *list = &t->lists[row->list];

	if (row->newer != LRU_NONE)
		row_at(t, row->newer)->older = row->older;
	else
		list->newest = row->older;
	if (row->older != LRU_NONE)
		row_at(t, row->older)->newer = row->newer;
	else
		list->oldest = row->newer;
	list->n--;
}

static void link_newest(struct lru_table *t, struct lru_row *row, u8 number)
{
	struct lru_list *list = &t->lists[number];
	u32 index = index_of(t, row);

	row->list = number;
	row->newer = LRU_NONE;
	row->older = list->newest;
	if (list->newest != LRU_NONE)
		row_at(t, list->newest)->newer = index;
	else
		list->oldest = index;
	list->newest = index;
	list->n++;
}

void lru_move(struct lru_table *t, void *row, u8 list)
{
	unlink_row(t, row);
	link_newest(t, row, list);
}

static void *row_or_null(const struct lru_table *t, u32 index)
{
	return index == LRU_NONE ? NULL : row_at(t, index);
}

void *lru_newest(const struct lru_table *t, u8 list)
{
	return row_or_null(t, t->lists[list].newest);
}

void *lru_oldest(const struct lru_table *t, u8 list)
{
	return row_or_null(t, t->lists[list].oldest);
}

void *lru_older(const struct lru_table *t, const void *row)
{
	return row_or_null(t, ((const struct lru_row *)row)->older);
}

void *lru_at(const struct lru_table *t, u32 place)
{
	return row_at(t, place)->in_use ? row_at(t, place) : NULL;
}

/* ---- slots ------------------------------------------------------------------------- */

/* Room for twice as many rows; slots are kept at most half full. */
static int grow(struct lru_table *t)
{
	u32 allocated = t->allocated ? t->allocated * 2 : FIRST_ROWS;
	unsigned char *rows;

	if (allocated > t->limit)
		allocated = t->limit;
	rows = realloc(t->rows, (size_t)allocated * t->row_size);
	if (!rows)
		return -ENOMEM;
	t->rows = rows;
	if (slots_grow(&t->slots, 2 * allocated))
		return -ENOMEM;
	t->allocated = allocated;
	return 0;
}

void lru_unhash(struct lru_table *t, void *at)
{
	struct lru_row *row = at;

	if (row->hashed)
		slots_remove(&t->slots, index_of(t, row), row->hash);
	row->hashed = 0;
}

static struct lru_row *find(const struct lru_table *t, const void *key, u32 hash)
{
	const struct slots *s = &t->slots;

	if (!s->at)
		return NULL;
	for (u32 slot = hash & s->mask; s->at[slot].index != SLOT_NONE; slot = (slot + 1) & s->mask)
		if (s->at[slot].hash == hash &&
		    !memcmp(key_of(row_at(t, s->at[slot].index)), key, t->key_size))
			return row_at(t, s->at[slot].index);
	return NULL;
}

void *lru_find(const struct lru_table *t, const void *key)
{
	return t->active ? find(t, key, hash_of(t, key)) : NULL;
}

/* ---- rows -------------------------------------------------------------------------- */

static void drop(struct lru_table *t, struct lru_row *row, bool evicted)
{
	if (t->leave)
		t->leave(row, evicted, t->leave_data);
	lru_unhash(t, row);
	unlink_row(t, row);
	row->in_use = 0;
	row->older = t->free;
	t->free = index_of(t, row);
	t->active--;
}

void lru_remove(struct lru_table *t, void *row)
{
	drop(t, row, false);
}

static void evict_one(struct lru_table *t)
{
	u32 list = LRU_LISTS - 1;

	while (list && !t->lists[list].n)
		list--;
	drop(t, row_at(t, t->lists[list].oldest), true);
	t->evicted++;
}

/* An unused row; NULL without memory. */
static struct lru_row *take_row(struct lru_table *t)
{
	struct lru_row *row;

	if (t->active == t->limit)
		evict_one(t);
	if (t->free != LRU_NONE) {
		row = row_at(t, t->free);
		t->free = row->older;
		return row;
	}
	if (t->used == t->allocated && grow(t))
		return NULL;
	return row_at(t, t->used++);
}

void *lru_get(struct lru_table *t, const void *key, bool *ret_new)
{
	u32 hash = hash_of(t, key);
	struct lru_row *row = find(t, key, hash);

	*ret_new = !row;
	if (row) {
		lru_move(t, row, row->list);
		return row;
	}
	row = take_row(t);
	if (!row)
		return NULL;
	memset(row, 0, t->row_size);
	row->hash = hash;
	row->hashed = row->in_use = 1;
	memcpy(key_of(row), key, t->key_size);
	slots_insert(&t->slots, index_of(t, row), hash);
	link_newest(t, row, 0);
	t->active++;
	t->created++;
	return row;
}

void lru_clear(struct lru_table *t)
{
	for (u8 list = 0; list < LRU_LISTS; list++)
		while (t->lists[list].n)
			drop(t, row_at(t, t->lists[list].oldest), false);
}

void lru_free(struct lru_table *t)
{
	lru_clear(t);
	free(t->rows);
	slots_free(&t->slots);
	memset(t, 0, sizeof(*t));
}
