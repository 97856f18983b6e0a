/* SPDX-License-Identifier: MIT */
/* Sums by part of the time and keys. */
#include "common/ask_tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 512
#define FIRST_ROWS 1024

/* ---- a table of rows ------------------------------------------------------- */

static uint64_t hash_of(const struct tally_row *row)
{
	uint64_t hash = (uint64_t)row->part;

	for (int i = 0; i < STORE_KEYS_MAX; i++) {
		hash = (hash ^ (uint64_t)row->key[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 32;
	}
	return hash;
}

static bool is_same(const struct tally_row *a, const struct tally_row *b)
{
	return a->part == b->part && !memcmp(a->key, b->key, sizeof(a->key));
}

static uint32_t *place_of(const struct tally *t, const struct tally_row *row)
{
	size_t mask = t->n_slots - 1, slot = hash_of(row) & mask;

	while (t->slots[slot] && !is_same(&t->rows[t->slots[slot] - 1], row))
		slot = (slot + 1) & mask;
	return &t->slots[slot];
}

/* Twice the rows, four times that many places. */
static bool grow(struct tally *t)
{
	size_t allocated = t->allocated ? 2 * t->allocated : FIRST_ROWS;
	struct tally_row *rows = reallocarray(t->rows, allocated, sizeof(*rows));
	uint32_t *slots;

	if (rows)
		t->rows = rows;
	slots = calloc(2 * allocated, sizeof(*slots));
	if (!rows || !slots || allocated > UINT32_MAX / 4) {
		free(slots);
		return false;
	}
	free(t->slots);
	t->slots = slots;
	t->n_slots = 2 * allocated;
	t->allocated = allocated;
	for (size_t i = 0; i < t->n; i++)
		*place_of(t, &t->rows[i]) = (uint32_t)i + 1;
	return true;
}

/* The row of a part and keys; NULL: no memory. */
static struct tally_row *row_of(struct tally *t, const struct tally_row *wanted)
{
	uint32_t *place;

	/* Often that of the row before. */
	if (t->last < t->n && is_same(&t->rows[t->last], wanted))
		return &t->rows[t->last];
	if (t->n == t->allocated && !grow(t))
		return NULL;
	place = place_of(t, wanted);
	if (!*place) {
		t->rows[t->n] = *wanted;
		*place = (uint32_t)++t->n;
	}
	t->last = *place - 1;
	return &t->rows[t->last];
}

void tally_free(struct tally *t)
{
	free(t->rows);
	free(t->slots);
	*t = (struct tally){ 0 };
}

/* ---- adding up ------------------------------------------------------------- */

/*
 * Not by GROUP BY: SQLite sorts first, unless the keys begin the primary key, and that alone
 * takes longer than this does (1.5 million rows of days by remote: 1.5 s against 0.3).
 */
static void make_columns(const struct store_fact_row *fact, unsigned int keys, char columns[COLUMNS_MAX])
{
	size_t at = (size_t)snprintf(columns, COLUMNS_MAX, "tally(t.slot");

	for (size_t i = 0; i < fact->key_count; i++)
		if (keys & TALLY_KEY(i))
			at += (size_t)snprintf(columns + at, COLUMNS_MAX - at, ",t.%s", fact->keys[i]);
	for (size_t i = 0; i < fact->value_count; i++)
		at += (size_t)snprintf(columns + at, COLUMNS_MAX - at, ",t.%s", fact->values[i]);
	snprintf(columns + at, COLUMNS_MAX - at, ")");
}

/* The part of a slot; slots come one after the other. */
static int64_t part_of(struct tally *tally, const struct ask *a, int64_t slot)
{
	if (slot != tally->slot) {
		tally->slot = slot;
		tally->part = (int64_t)store_plan_part(a->cuts, a->n_cuts, slot);
	}
	return tally->part;
}

struct adding {
	struct tally *tally;
	const struct ask *ask;
	const struct store_fact_row *fact;
	unsigned int keys;
};

/* tally(slot, key..., value...): rows do not even leave SQLite, which would take a third longer. */
static void add_row(sqlite3_context *context, int n, sqlite3_value **columns)
{
	struct adding *adding = sqlite3_user_data(context);
	const struct store_fact_row *fact = adding->fact;
	struct tally_row wanted = { 0 }, *row;
	int at = 1;

	(void)n;
	if (adding->keys & TALLY_PARTS)
		wanted.part = part_of(adding->tally, adding->ask, sqlite3_value_int64(columns[0]));
	for (size_t i = 0; i < fact->key_count; i++)
		if (adding->keys & TALLY_KEY(i))
			wanted.key[i] = sqlite3_value_int64(columns[at++]);
	row = row_of(adding->tally, &wanted);
	if (!row) {
		sqlite3_result_error_nomem(context);
		return;
	}
	for (size_t i = 0; i < fact->value_count; i++)
		row->sum[i] += sqlite3_value_int64(columns[at++]);
}

static void added(sqlite3_context *context)
{
	(void)context;
}

static bool add_segment(struct tally *tally, struct ask *a, enum store_fact which, unsigned int keys,
			const struct store_segment *segment)
{
	struct adding adding = { tally, a, &store_facts[which], keys };
	char columns[COLUMNS_MAX];
	sqlite3_stmt *statement;
	int code = sqlite3_create_function(a->db, "tally", -1, SQLITE_UTF8, &adding, NULL, add_row, added);

	if (!ask_check(a, code))
		return false;
	make_columns(adding.fact, keys, columns);
	statement = ask_segment(a, which, keys & (TALLY_PARTS - 1), segment, columns);
	if (!statement)
		return false;
	/* One row, of nothing. */
	sqlite3_step(statement);
	return ask_check(a, sqlite3_finalize(statement));
}

bool tally_fact(struct tally *tally, struct ask *a, enum store_fact fact, unsigned int keys)
{
	bool good = a->status == STORE_OK;

	*tally = (struct tally){ .slot = INT64_MIN };
	for (size_t i = 0; i < a->plan.n && good; i++)
		good = add_segment(tally, a, fact, keys, &a->plan.segments[i]);
	return good;
}

/* ---- order ----------------------------------------------------------------- */

static int by_keys(const void *one, const void *other)
{
	const struct tally_row *a = one, *b = other;

	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	for (int i = 0; i < STORE_KEYS_MAX; i++)
		if (a->key[i] != b->key[i])
			return a->key[i] < b->key[i] ? -1 : 1;
	return 0;
}

static int by_sums(const void *one, const void *other, void *data)
{
	const struct tally_row *a = one, *b = other;
	const size_t *values = data;
	int64_t x = a->sum[values[0]] + a->sum[values[1]], y = b->sum[values[0]] + b->sum[values[1]];

	if (x != y)
		return x > y ? -1 : 1;
	return by_keys(one, other);
}

void tally_sort(struct tally *tally, size_t value, size_t other)
{
	size_t values[2] = { value, other };

	if (tally->n)
		qsort_r(tally->rows, tally->n, sizeof(*tally->rows), by_sums, values);
}

void tally_sort_keys(struct tally *tally)
{
	if (tally->n)
		qsort(tally->rows, tally->n, sizeof(*tally->rows), by_keys);
}
