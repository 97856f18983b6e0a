/* SPDX-License-Identifier: MIT */
/*
 * Bounded tables of rows of one size, found by a key: open addressing over 32-bit seeded
 * hashes, rows in one array, the least recently used first out. A row costs its size and
 * 16 bytes of slots.
 *
 * A row begins with struct lru_row, behind which lies its key: key_size bytes without
 * holes, all of which count. Rows stand in one of LRU_LISTS lists, each from the newest
 * to the oldest; what has to leave is the oldest of the last list that has any.
 */
#ifndef JOPIL_LRU_TABLE_H
#define JOPIL_LRU_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregator/slots.h"
#include "common/types.h"

#define LRU_LISTS 3
#define LRU_NONE SLOT_NONE

struct lru_row {
	u32 older, newer;	/* neighbours in the list; LRU_NONE at the ends */
	u32 hash;
	u8 list;
	u8 hashed;		/* can be found; 0: lru_unhash() */
	u8 in_use;
	u8 pad;
};

struct lru_list {
	u32 newest, oldest, n;
};

struct lru_table {
	unsigned char *rows;
	struct slots slots;	/* of the rows' indices */
	u32 row_size, key_size;
	u32 allocated;		/* rows that the array has room for */
	u32 used;		/* of it ever used */
	u32 free;		/* list of unused rows through .older */
	u32 active, limit;
	struct lru_list lists[LRU_LISTS];
	u64 seed[2];
	u64 created, evicted;
	/* Called for each row that leaves, for whatever reason; evicted: for want of room. */
	void (*leave)(void *row, bool evicted, void *data);
	void *leave_data;
};

/* limit > 0: rows at most. Nothing is allocated yet. 0 or -errno of getrandom(). */
int lru_init(struct lru_table *t, size_t row_size, size_t key_size, u32 limit);
void lru_free(struct lru_table *t);

/* The row of a key, or NULL. */
void *lru_find(const struct lru_table *t, const void *key);

/*
 * The row of a key, made in list 0 if there is none (all zero but the key), and now the
 * newest of its list. NULL: no memory. Pointers to rows hold until the next call.
 */
void *lru_get(struct lru_table *t, const void *key, bool *ret_new);

/* Makes it the newest of a list. */
void lru_move(struct lru_table *t, void *row, u8 list);

/* It is not found any more, and stays in its list. */
void lru_unhash(struct lru_table *t, void *row);

void lru_remove(struct lru_table *t, void *row);
void lru_clear(struct lru_table *t);

/* For walks through a list; NULL at the end. */
void *lru_newest(const struct lru_table *t, u8 list);
void *lru_oldest(const struct lru_table *t, u8 list);
void *lru_older(const struct lru_table *t, const void *row);

/* The row at a place from 0 to .used - 1: in the order in which they were made; NULL if unused. */
void *lru_at(const struct lru_table *t, u32 place);

#endif
