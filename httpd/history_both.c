/* SPDX-License-Identifier: MIT */
/* The past from the database and from memory as one. */
#include "httpd/history_both.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "httpd/json_text.h"

#define OBJECT_MAX (HISTORY_KEY_MAX + 2)
#define NOT_YET (HISTORY_NO_KEY - 1)	/* of an id that nobody has needed so far */
#define HOUR_MS (3600 * 1000)

int64_t history_whole_ms(const struct history *memory)
{
	struct history_source source = history_memory(memory);
	struct history_extent extent;
	int64_t hour_ms;

	source.extent(&source, &extent);
	if (!extent.newest_ms)
		return INT64_MAX;
	hour_ms = extent.newest_ms - HOUR_MS;
	/* Of the slot that it began in, it has a part. */
	return extent.oldest_ms + HISTORY_COARSE_MS > hour_ms ? extent.oldest_ms + HISTORY_COARSE_MS
							       : hour_ms;
}

/* ---- keys ------------------------------------------------------------------ */

/* As the database has it. */
static struct slice rewrite(const struct history_both *both, enum history_kind kind, struct slice text,
			    char to[OBJECT_MAX])
{
	char object[OBJECT_MAX];
	struct slice whole = { object, text.length + 2 }, host, name;
	int length;

	object[0] = '{';
	memcpy(object + 1, text.data, text.length);
	object[text.length + 1] = '}';
	host = json_text_member(whole, "host");
	if (kind == HISTORY_PROCESS && !both->keeps_pids) {
		name = json_text_member(whole, "command");
		length = snprintf(to, OBJECT_MAX, "\"host\":%.*s,\"pid\":null,\"command\":%.*s",
				  (int)host.length, host.data, (int)name.length, name.data);
	} else if (kind == HISTORY_REMOTE && !both->series->head->one_host) {
		name = json_text_member(whole, "remote_ip");
		length = snprintf(to, OBJECT_MAX, "\"host\":null,\"remote_ip\":%.*s", (int)name.length,
				  name.data);
	} else {
		return text;
	}
	return (struct slice){ to, length < OBJECT_MAX ? (size_t)length : OBJECT_MAX - 1 };
}

static uint32_t memory_key(struct history_both *both, enum history_kind kind, uint32_t id)
{
	uint32_t *own = &both->from_memory[id];
	char text[OBJECT_MAX];

	if (*own == NOT_YET)
		*own = history_keys_take(&both->keys, kind,
					 rewrite(both, kind, history_keys_text(&both->memory->keys, id),
						 text));
	return *own;
}

static int take_series_keys(struct history_both *both)
{
	const struct archive_series *series = both->series;
	size_t at = 0;

	both->from_series = calloc(series->head->keys + 1, sizeof(*both->from_series));
	both->series_kind = calloc(series->head->keys + 1, sizeof(*both->series_kind));
	if (!both->from_series || !both->series_kind)
		return -ENOMEM;
	for (uint32_t i = 0; i < series->head->keys; i++) {
		struct archive_key key;
		const char *text;

		archive_series_key(series, &at, &key, &text);
		both->series_kind[i] = (uint8_t)key.kind;
		both->from_series[i] = history_keys_take(&both->keys, key.kind,
							 (struct slice){ text, key.length });
	}
	return 0;
}

int history_both_init(struct history_both *both, const struct history *memory,
		      const struct archive_series *series, bool keeps_pids, struct bounds *bounds)
{
	*both = (struct history_both){ .memory = memory, .recent = history_memory(memory),
				       .series = series, .keeps_pids = keeps_pids };
	history_keys_init(&both->keys, bounds);
	both->from_memory = calloc(memory->keys.used + 1, sizeof(*both->from_memory));
	if (!both->from_memory)
		return -ENOMEM;
	for (uint32_t i = 0; i < memory->keys.used; i++)
		both->from_memory[i] = NOT_YET;
	return take_series_keys(both);
}

void history_both_free(struct history_both *both)
{
	history_keys_free(&both->keys);
	free(both->from_series);
	free(both->series_kind);
	free(both->from_memory);
}

/* ---- slots ----------------------------------------------------------------- */

/* The walk, with what it is called for. */
struct walk {
	struct history_both *both;
	history_take_slot *take;
	void *closure;
	struct history_row *rows;	/* of a list that is being rewritten */
};

static int take_bucket(const struct walk *walk, const struct archive_bucket *bucket)
{
	uint64_t count = bucket->count < UINT32_MAX ? bucket->count : UINT32_MAX;
	struct history_bucket one = { bucket->bucket, (uint32_t)count };

	return walk->take(walk->closure, walk->both->series->cuts[bucket->step] * 1000,
			  &(struct history_slot){ .bucket = &one, .buckets = 1 });
}

/* Sums and histograms of the database's steps, in their order. */
static int each_step(const struct walk *walk)
{
	const struct archive_series *series = walk->both->series;
	const struct archive_bucket *bucket = series->buckets, *end = bucket + series->head->buckets;
	int err = 0;

	for (uint32_t i = 0; i < series->head->steps && !err; i++) {
		const struct archive_step *step = &series->steps[i];
		struct history_slot slot = { .covered_ms = step->covered_ms, .deltas = 1,
					     .known = step->covered_ms ? series->head->known : 0 };

		memcpy(slot.scalar, step->scalar, sizeof(step->scalar));
		err = walk->take(walk->closure, series->cuts[i] * 1000, &slot);
		while (!err && bucket < end && bucket->step == i)
			err = take_bucket(walk, bucket++);
	}
	return err;
}

/* Rows of the database, in any order. */
static int each_row(const struct walk *walk)
{
	const struct history_both *both = walk->both;
	const struct archive_series *series = both->series;
	int err = 0;

	for (uint32_t i = 0; i < series->head->rows && !err; i++) {
		const struct archive_row *row = &series->rows[i];
		bool is_other = row->key >= ARCHIVE_OTHER;
		uint32_t id = is_other ? HISTORY_NO_KEY : both->from_series[row->key];
		struct history_row one = { .key = id };
		struct history_slot slot = { 0 };
		struct history_list *list;

		list = &slot.list[is_other ? row->key - ARCHIVE_OTHER : both->series_kind[row->key]];
		memcpy(id == HISTORY_NO_KEY ? list->other : one.value, row->value, sizeof(row->value));
		list->row = &one;
		list->count = id != HISTORY_NO_KEY;
		err = walk->take(walk->closure, series->cuts[row->step] * 1000, &slot);
	}
	return err;
}

/* The same rows, with keys of both. */
static void rewrite_list(const struct walk *walk, enum history_kind kind, struct history_list *list,
			 struct history_row *rows)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < list->count; i++) {
		uint32_t id = memory_key(walk->both, kind, list->row[i].key);

		rows[used] = list->row[i];
		rows[used].key = id;
		for (int j = 0; id == HISTORY_NO_KEY && j < HISTORY_VALUES; j++)
			list->other[j] += rows[used].value[j];
		used += id != HISTORY_NO_KEY;
	}
	list->row = rows;
	list->count = used;
}

static int take_recent(void *closure, int64_t start_ms, const struct history_slot *slot)
{
	struct walk *walk = closure;
	struct history_slot copy = *slot;
	size_t count = 0;

	for (int kind = 0; kind < HISTORY_KINDS; kind++)
		count += slot->list[kind].count;
	free(walk->rows);
	walk->rows = calloc(count + 1, sizeof(*walk->rows));
	if (!walk->rows)
		return -ENOMEM;
	count = 0;
	for (int kind = 0; kind < HISTORY_KINDS; kind++) {
		rewrite_list(walk, kind, &copy.list[kind], walk->rows + count);
		count += slot->list[kind].count;
	}
	return walk->take(walk->closure, start_ms, &copy);
}

/* ---- the source ------------------------------------------------------------ */

static void extent(const struct history_source *source, struct history_extent *ret_extent)
{
	const struct history_both *both = source->self;
	const struct archive_series_head *head = both->series->head;

	both->recent.extent(&both->recent, ret_extent);
	if (head->oldest && (!ret_extent->oldest_ms || head->oldest * 1000 < ret_extent->oldest_ms))
		ret_extent->oldest_ms = head->oldest * 1000;
	if (!ret_extent->newest_ms)
		ret_extent->newest_ms = head->newest * 1000;
	ret_extent->window_ms = ret_extent->newest_ms - ret_extent->oldest_ms;
}

static int64_t step_ms(const struct history_source *source, int64_t from_ms)
{
	const struct history_both *both = source->self;

	(void)from_ms;
	return both->series->head->step * 1000;
}

static int each(const struct history_source *source, int64_t from_ms, int64_t to_ms, int64_t step,
		history_take_slot *take, void *closure)
{
	const struct history_both *both = source->self;
	struct walk walk = { .both = (struct history_both *)both, .take = take, .closure = closure };
	int64_t seam_ms = both->series->cuts[both->series->head->steps] * 1000;
	int err = each_step(&walk);

	(void)from_ms;
	if (!err && seam_ms < to_ms)
		err = both->recent.each(&both->recent, seam_ms, to_ms, step, take_recent, &walk);
	if (!err)
		err = each_row(&walk);
	free(walk.rows);
	return err;
}

static struct slice key(const struct history_source *source, uint32_t id)
{
	return history_keys_text(&((const struct history_both *)source->self)->keys, id);
}

struct history_source history_both(struct history_both *both)
{
	const struct archive_series_head *head = both->series->head;

	return (struct history_source){
		.name = head->steps + 1 == head->cuts ? "database" : "both",
		.self = both, .extent = extent, .step_ms = step_ms, .each = each, .key = key,
	};
}
