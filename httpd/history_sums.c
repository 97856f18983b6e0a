/* SPDX-License-Identifier: MIT */
/* What an answer of history is made of: slots added up by steps, and by whom they are of. */
#include "httpd/history_sums.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/percentile.h"

#define INDEX_MIN 256		/* a power of two */
#define HASH_PRIME 0x9e3779b1u
#define OBJECT_MAX (HISTORY_KEY_MAX + 2)

/* Which part of an answer a kind of rows is in, and which has the series of one. */
static const struct {
	enum history_part part, one;
	bool by_step;
} kinds[HISTORY_KINDS] = {
	[HISTORY_PROTOCOL] = { HISTORY_PROTOCOLS, 0, true },
	[HISTORY_DROP] = { HISTORY_DROPS, 0, true },
	[HISTORY_PROCESS] = { HISTORY_PROCESSES, HISTORY_ONE_PROCESS, false },
	[HISTORY_REMOTE] = { HISTORY_REMOTES, HISTORY_ONE_REMOTE, false },
};

/* ---- groups ---------------------------------------------------------------- */

static uint32_t *find_place(const struct history_group *group, uint32_t key)
{
	uint32_t at = key * HASH_PRIME & (group->index_size - 1);

	while (group->index[at] && group->sum[group->index[at] - 1].key != key)
		at = (at + 1) & (group->index_size - 1);
	return &group->index[at];
}

static int grow_index(struct history_group *group)
{
	uint32_t size = group->index_size ? group->index_size * 2 : INDEX_MIN;
	uint32_t *index = calloc(size, sizeof(*index));

	if (!index)
		return -ENOMEM;
	free(group->index);
	group->index = index;
	group->index_size = size;
	for (uint32_t i = 0; i < group->count; i++)
		*find_place(group, group->sum[i].key) = i + 1;
	return 0;
}

static int grow_sums(struct history_group *group)
{
	uint32_t room = group->room ? group->room * 2 : INDEX_MIN / 2;
	struct history_sum *sum = reallocarray(group->sum, room, sizeof(*sum));

	if (!sum)
		return -ENOMEM;
	group->sum = sum;
	group->room = room;
	return 0;
}

/* Whether the members of the key are what the request wants. */
static bool matches(const struct history_sums *sums, enum history_kind kind, uint32_t key)
{
	const struct list_query *query = kind == HISTORY_PROCESS ? &sums->ask->process
								 : &sums->ask->remote;
	struct slice text = sums->source->key(sums->source, key);
	char object[OBJECT_MAX];

	if (kinds[kind].by_step || !query->filter_count)
		return true;
	object[0] = '{';
	memcpy(object + 1, text.data, text.length);
	object[text.length + 1] = '}';
	return list_row_matches(query, (struct slice){ object, text.length + 2 });
}

static struct history_sum *new_sum(struct history_sums *sums, enum history_kind kind, uint32_t key)
{
	struct history_group *group = &sums->group[kind];
	struct history_sum sum = { .key = key, .matches = matches(sums, kind, key) };

	if (group->count == group->room && grow_sums(group))
		return NULL;
	if (group->by_step) {
		sum.series = calloc(sums->points * HISTORY_VALUES, sizeof(*sum.series));
		if (!sum.series)
			return NULL;
	}
	group->sum[group->count] = sum;
	*find_place(group, key) = group->count + 1;
	return &group->sum[group->count++];
}

static struct history_sum *sum_of(struct history_sums *sums, enum history_kind kind, uint32_t key)
{
	struct history_group *group = &sums->group[kind];
	uint32_t *place;

	if (group->count * 2 >= group->index_size && grow_index(group))
		return NULL;
	place = find_place(group, key);
	return *place ? &group->sum[*place - 1] : new_sum(sums, kind, key);
}

static void add_values(uint64_t *to, const uint64_t from[HISTORY_VALUES])
{
	for (int i = 0; i < HISTORY_VALUES; i++)
		to[i] += from[i];
}

static int add_list(struct history_sums *sums, enum history_kind kind, size_t step,
		    const struct history_list *list)
{
	struct history_group *group = &sums->group[kind];

	for (uint32_t i = 0; i < list->count; i++) {
		const struct history_row *row = &list->row[i];
		struct history_sum *sum = sum_of(sums, kind, row->key);

		if (!sum)
			return -ENOMEM;
		add_values(sum->value, row->value);
		if (sum->series)
			add_values(&sum->series[step * HISTORY_VALUES], row->value);
		if (sums->one[kind] && sum->matches)
			add_values(&sums->one[kind][step * HISTORY_VALUES], row->value);
	}
	add_values(group->other, list->other);
	if (group->others)
		add_values(&group->others[step * HISTORY_VALUES], list->other);
	return 0;
}

/* ---- histograms ------------------------------------------------------------ */

static void sum_up(const uint64_t *counts, struct history_percentiles *ret)
{
	struct history_percentiles result = { 0 };

	for (uint32_t i = 0; i < LATENCY_BUCKETS; i++)
		result.count += counts[i];
	if (result.count) {
		result.p50 = percentile_us(counts, result.count, 50);
		result.p95 = percentile_us(counts, result.count, 95);
		result.p99 = percentile_us(counts, result.count, 99);
		result.max = percentile_us(counts, result.count, 100);
	}
	*ret = result;
}

static void write_buckets(struct body *body, uint64_t *counts)
{
	const char *between = "[";

	body_add(body, "[", 1);
	for (uint32_t i = 0; i < LATENCY_BUCKETS; i++) {
		if (!counts[i])
			continue;
		body_add(body, between, strlen(between));
		body_number(body, latency_bucket_upper_us(i));
		body_add(body, ",", 1);
		body_number(body, counts[i]);
		body_add(body, "]", 1);
		between = ",[";
	}
	body_add(body, "]", 1);
	memset(counts, 0, LATENCY_BUCKETS * sizeof(*counts));
}

/* Steps come in order: those before this one have all their samples. */
static void count_until(struct history_sums *sums, size_t step)
{
	for (; sums->counted < step; sums->counted++) {
		body_add(&sums->buckets, ",", sums->counted > 0);
		if (!(sums->known[sums->counted] & HISTORY_KNOWS_LATENCY)) {
			body_add(&sums->buckets, "null", 4);
			continue;
		}
		sum_up(sums->counts, &sums->rtt[sums->counted]);
		write_buckets(&sums->buckets, sums->counts);
	}
}

static void add_histogram(struct history_sums *sums, size_t step, const struct history_slot *slot)
{
	count_until(sums, step);
	for (uint32_t i = 0; i < slot->buckets; i++) {
		sums->counts[slot->bucket[i].bucket] += slot->bucket[i].count;
		sums->all_counts[slot->bucket[i].bucket] += slot->bucket[i].count;
	}
}

/* ---- slots ----------------------------------------------------------------- */

static int take_slot(void *closure, int64_t start_ms, const struct history_slot *slot)
{
	struct history_sums *sums = closure;
	size_t step = history_ask_step(sums->ask, start_ms);
	int err = 0;

	if (sums->counts)
		add_histogram(sums, step, slot);
	sums->known[step] |= slot->known;
	sums->covered_ms[step] += slot->covered_ms;
	for (int i = 0; i < HISTORY_SCALARS; i++)
		sums->scalar[step * HISTORY_SCALARS + (size_t)i] += slot->scalar[i];
	for (int kind = 0; kind < HISTORY_KINDS && !err; kind++)
		if (sums->ask->parts & (kinds[kind].part | kinds[kind].one))
			err = add_list(sums, kind, step, &slot->list[kind]);
	return err;
}

static int make_groups(struct history_sums *sums)
{
	size_t values = sums->points * HISTORY_VALUES;

	for (int kind = 0; kind < HISTORY_KINDS; kind++) {
		struct history_group *group = &sums->group[kind];
		bool one = sums->ask->parts & kinds[kind].one;

		group->by_step = kinds[kind].by_step;
		if (one)
			sums->one[kind] = calloc(values, sizeof(**sums->one));
		if (one || group->by_step)
			group->others = calloc(values, sizeof(*group->others));
		if ((one && !sums->one[kind]) || ((one || group->by_step) && !group->others))
			return -ENOMEM;
	}
	return 0;
}

static int make_room(struct history_sums *sums)
{
	sums->known = calloc(sums->points, sizeof(*sums->known));
	sums->covered_ms = calloc(sums->points, sizeof(*sums->covered_ms));
	sums->scalar = calloc(sums->points * HISTORY_SCALARS, sizeof(*sums->scalar));
	if (!sums->known || !sums->covered_ms || !sums->scalar)
		return -ENOMEM;
	if (sums->ask->parts & HISTORY_RTT) {
		sums->rtt = calloc(sums->points, sizeof(*sums->rtt));
		sums->counts = calloc(LATENCY_BUCKETS, sizeof(*sums->counts));
		sums->all_counts = calloc(LATENCY_BUCKETS, sizeof(*sums->all_counts));
		if (!sums->rtt || !sums->counts || !sums->all_counts)
			return -ENOMEM;
	}
	return make_groups(sums);
}

int history_sums_make(struct history_sums *sums, const struct history_ask *ask,
		      const struct history_source *source)
{
	int err;

	*sums = (struct history_sums){ .ask = ask, .source = source,
				       .points = history_ask_points(ask) };
	if (!sums->points)
		return 0;
	err = make_room(sums);
	if (!err)
		err = source->each(source, ask->from_ms, ask->to_ms, ask->step_ms, take_slot, sums);
	if (err || !sums->counts)
		return err;
	count_until(sums, sums->points);
	sum_up(sums->all_counts, &sums->rtt_all);
	return 0;
}

void history_sums_free(struct history_sums *sums)
{
	for (int kind = 0; kind < HISTORY_KINDS; kind++) {
		struct history_group *group = &sums->group[kind];

		for (uint32_t i = 0; i < group->count; i++)
			free(group->sum[i].series);
		free(group->sum);
		free(group->index);
		free(group->others);
		free(sums->one[kind]);
	}
	free(sums->known);
	free(sums->covered_ms);
	free(sums->scalar);
	free(sums->rtt);
	free(sums->counts);
	free(sums->all_counts);
	free(sums->buckets.data);
}
