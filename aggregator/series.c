/* SPDX-License-Identifier: MIT */
/* Sums by name: the largest few, and the rest. */
#include "aggregator/series.h"

#include <string.h>

#include "common/utf8.h"

/* Lists of the table: what has to leave is the oldest of those without a place. */
enum { LIST_PLACED, LIST_WATCHED };

int series_init(struct series_set *set)
{
	memset(set, 0, sizeof(*set));
	return lru_init(&set->table, sizeof(struct series), sizeof(struct series_id), SERIES_NAMES_MAX);
}

void series_free(struct series_set *set)
{
	lru_free(&set->table);
}

struct series_id series_id_of(u16 host, const u8 *name)
{
	struct series_id id = { .host = host };
	size_t length = strnlen((const char *)name, sizeof(id.name));

	for (size_t i = 0; i < length;) {
		size_t n = name[i] < 0x80 ? 1 : utf8_length(name + i, length - i);

		if (n)
			memcpy(id.name + i, name + i, n);
		else
			id.name[i] = '?';
		i += n ? n : 1;
	}
	return id;
}

static void add(struct moved_bytes *to, struct moved_bytes moved)
{
	to->tx += moved.tx;
	to->rx += moved.rx;
}

static bool is_rest(const struct series_id *id)
{
	return !id->ip_version && (!id->name[0] || !strcmp((const char *)id->name, SERIES_REST));
}

void series_add(struct series_set *set, const struct series_id *id, struct moved_bytes moved)
{
	struct series *series;
	bool is_new;

	add(&set->total[id->host], moved);
	if (is_rest(id))
		return;
	series = lru_get(&set->table, id, &is_new);
	if (!series) {
		set->no_memory++;
		return;
	}
	if (is_new && set->table.lists[LIST_PLACED].n > SERIES_MAX)
		lru_move(&set->table, series, LIST_WATCHED);
	series->recent += moved.tx + moved.rx;
	if (series->row.list == LIST_PLACED)
		add(&series->sum, moved);
}

/* A mean that forgets: the older it is the less it counts. */
static void age(struct series_set *set, u8 list, u64 elapsed_ms)
{
	double kept = SERIES_MEMORY_MS / (double)(elapsed_ms + SERIES_MEMORY_MS);

	for (struct series *s = lru_newest(&set->table, list); s; s = lru_older(&set->table, s)) {
		s->size = s->size * kept + (double)s->recent;
		s->recent = 0;
	}
}

/* The largest of a list, or the smallest; NULL: it is empty. */
static struct series *extreme(struct series_set *set, u8 list, bool largest)
{
	struct series *found = NULL;

	for (struct series *s = lru_newest(&set->table, list); s; s = lru_older(&set->table, s))
		if (!found || (largest ? s->size > found->size : s->size < found->size))
			found = s;
	return found;
}

static void take_place(struct series_set *set, struct series *series, struct series *of)
{
	add(&set->left[of->id.host], of->sum);
	of->sum = (struct moved_bytes){ 0, 0 };
	lru_move(&set->table, of, LIST_WATCHED);
	set->changes++;
	lru_move(&set->table, series, LIST_PLACED);
}

void series_rank(struct series_set *set, u64 elapsed_ms)
{
	age(set, LIST_PLACED, elapsed_ms);
	age(set, LIST_WATCHED, elapsed_ms);
	for (u32 i = 0; i < SERIES_CHANGES_MAX; i++) {
		struct series *large = extreme(set, LIST_WATCHED, true);
		struct series *small = extreme(set, LIST_PLACED, false);

		if (!large || !small || large->size <= small->size * SERIES_FACTOR)
			break;
		take_place(set, large, small);
	}
}

const struct series *series_next(const struct series_set *set, const struct series *at)
{
	return at ? lru_older(&set->table, at) : lru_newest(&set->table, LIST_PLACED);
}

void series_rest(const struct series_set *set, u32 n_hosts, struct moved_bytes *ret_rest)
{
	for (u32 host = 0; host < n_hosts; host++) {
		ret_rest[host].tx = set->total[host].tx - set->left[host].tx;
		ret_rest[host].rx = set->total[host].rx - set->left[host].rx;
	}
	for (const struct series *s = series_next(set, NULL); s; s = series_next(set, s)) {
		ret_rest[s->id.host].tx -= s->sum.tx;
		ret_rest[s->id.host].rx -= s->sum.rx;
	}
}
