/* SPDX-License-Identifier: MIT */
/* What some seconds had: sums, and rows by protocol, reason of drops, process, remote address. */
#include "httpd/history_slot.h"

#include <stdlib.h>
#include <string.h>

/* A slot that is still being added to may have so many times its limit. */
#define OPEN_FACTOR 16

enum bound_id history_bound(enum history_kind kind)
{
	return kind == HISTORY_PROTOCOL || kind == HISTORY_DROP ? BOUND_HISTORY_NAMES
								: BOUND_HISTORY_ROWS;
}

/* ---- rows ------------------------------------------------------------------ */

static void add_values(uint64_t to[HISTORY_VALUES], const uint64_t from[HISTORY_VALUES])
{
	for (int i = 0; i < HISTORY_VALUES; i++)
		to[i] += from[i];
}

static int by_key(const void *left, const void *right)
{
	const struct history_row *a = left, *b = right;

	return a->key < b->key ? -1 : a->key > b->key;
}

/* The first two are what rows are about: bytes both ways, or packets. */
static uint64_t size_of(const struct history_row *row)
{
	return row->value[0] + row->value[1];
}

/* Larger ones first; those that are alike by their keys. */
static int by_size(const void *left, const void *right)
{
	const struct history_row *a = left, *b = right;

	if (size_of(a) != size_of(b))
		return size_of(a) > size_of(b) ? -1 : 1;
	return by_key(left, right);
}

void history_list_tidy(struct history_list *list, struct history_keys *keys)
{
	struct history_row *row = list->row;
	uint32_t used = 0;

	if (!list->count)
		return;
	qsort(row, list->count, sizeof(*row), by_key);
	for (uint32_t i = 1; i < list->count; i++) {
		if (row[i].key != row[used].key) {
			row[++used] = row[i];
			continue;
		}
		add_values(row[used].value, row[i].value);
		history_keys_drop(keys, row[i].key);
	}
	list->count = used + 1;
}

/* Gives back what is not needed; an empty list has no memory. */
static void fit(struct history_list *list)
{
	struct history_row *row;

	if (!list->count) {
		free(list->row);
		list->row = NULL;
		return;
	}
	row = reallocarray(list->row, list->count, sizeof(*row));
	if (row)
		list->row = row;
}

uint32_t history_list_cut(struct history_list *list, struct history_keys *keys, uint32_t most)
{
	uint32_t over = list->count > most ? list->count - most : 0;

	if (!over)
		return 0;
	qsort(list->row, list->count, sizeof(*list->row), by_size);
	for (uint32_t i = most; i < list->count; i++) {
		add_values(list->other, list->row[i].value);
		history_keys_drop(keys, list->row[i].key);
	}
	list->count = most;
	qsort(list->row, list->count, sizeof(*list->row), by_key);
	fit(list);
	return over;
}

/* Both are in order; so is to, which has room for all. How many there are. */
static uint32_t merge(const struct history_list *a, const struct history_list *b,
		      struct history_row *to, struct history_keys *keys)
{
	uint32_t count = 0, i = 0, j = 0;

	while (i < a->count || j < b->count) {
		int order = i == a->count ? 1 : j == b->count ? -1 : by_key(&a->row[i], &b->row[j]);

		to[count] = order > 0 ? b->row[j] : a->row[i];
		if (!order)
			add_values(to[count].value, b->row[j].value);
		if (order > 0)
			history_keys_ref(keys, b->row[j].key);
		i += order <= 0;
		j += order >= 0;
		count++;
	}
	return count;
}

static void add_list(struct history_list *list, const struct history_list *from,
		     struct history_keys *keys)
{
	struct history_row *both;

	add_values(list->other, from->other);
	if (!from->count)
		return;
	both = calloc((size_t)list->count + from->count, sizeof(*both));
	if (!both) {
		for (uint32_t i = 0; i < from->count; i++)
			add_values(list->other, from->row[i].value);
		return;
	}
	list->count = merge(list, from, both, keys);
	free(list->row);
	list->row = both;
}

/* ---- histograms ------------------------------------------------------------ */

static uint32_t sum_of(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static uint32_t merge_buckets(const struct history_slot *a, const struct history_slot *b,
			      struct history_bucket *to)
{
	uint32_t count = 0, i = 0, j = 0;

	while (i < a->buckets || j < b->buckets) {
		bool left = i < a->buckets, right = j < b->buckets;
		bool both = left && right && a->bucket[i].bucket == b->bucket[j].bucket;
		bool second = !left || (right && b->bucket[j].bucket < a->bucket[i].bucket);

		to[count] = second ? b->bucket[j] : a->bucket[i];
		if (both)
			to[count].count = sum_of(to[count].count, b->bucket[j].count);
		i += !second;
		j += second || both;
		count++;
	}
	return count;
}

/* Without memory the samples are lost, and the slot has no histogram. */
static void add_buckets(struct history_slot *slot, const struct history_slot *from)
{
	struct history_bucket *both;

	if (!from->buckets)
		return;
	both = calloc((size_t)slot->buckets + from->buckets, sizeof(*both));
	if (both)
		slot->buckets = merge_buckets(slot, from, both);
	else
		slot->buckets = 0;
	free(slot->bucket);
	slot->bucket = both;
}

static void fit_buckets(struct history_slot *slot)
{
	struct history_bucket *fits;

	if (!slot->buckets)
		return;
	fits = reallocarray(slot->bucket, slot->buckets, sizeof(*fits));
	if (fits)
		slot->bucket = fits;
}

/* ---- slots ----------------------------------------------------------------- */

static void cut(struct history_slot *slot, struct history_keys *keys, uint32_t factor)
{
	for (int kind = 0; kind < HISTORY_KINDS; kind++) {
		enum bound_id bound = history_bound(kind);
		uint64_t most = bounds_limit(keys->bounds, bound) * factor;

		keys->bounds->row[bound].hits +=
			history_list_cut(&slot->list[kind], keys, (uint32_t)most);
	}
}

void history_slot_add(struct history_slot *slot, const struct history_slot *from,
		      struct history_keys *keys)
{
	slot->covered_ms += from->covered_ms;
	slot->deltas += from->deltas;
	slot->known |= from->known;
	for (int i = 0; i < HISTORY_SCALARS; i++)
		slot->scalar[i] += from->scalar[i];
	for (int kind = 0; kind < HISTORY_KINDS; kind++)
		add_list(&slot->list[kind], &from->list[kind], keys);
	add_buckets(slot, from);
	cut(slot, keys, OPEN_FACTOR);
}

void history_slot_close(struct history_slot *slot, struct history_keys *keys)
{
	cut(slot, keys, 1);
	for (int kind = 0; kind < HISTORY_KINDS; kind++)
		fit(&slot->list[kind]);
	fit_buckets(slot);
}

bool history_slot_forget(struct history_slot *slot, struct history_keys *keys)
{
	uint32_t hits = history_list_cut(&slot->list[HISTORY_PROCESS], keys, 0);

	hits += history_list_cut(&slot->list[HISTORY_REMOTE], keys, 0);
	return hits;
}

void history_slot_clear(struct history_slot *slot, struct history_keys *keys)
{
	for (int kind = 0; kind < HISTORY_KINDS; kind++) {
		history_list_cut(&slot->list[kind], keys, 0);
		free(slot->list[kind].row);
	}
	free(slot->bucket);
	*slot = (struct history_slot){ 0 };
}
