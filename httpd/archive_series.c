/* SPDX-License-Identifier: MIT */
/* The past from the database: what of the process's bytes is believed. */
#include "httpd/archive_series.h"

#include <errno.h>
#include <string.h>

#include "common/latency_buckets.h"
#include "httpd/history_keys.h"
#include "httpd/history_slot.h"

/* So many things of a size, which must be there. */
static const void *take(const char **at, size_t *left, size_t count, size_t size)
{
	const void *things = *at;

	if (count > *left / size)
		return NULL;
	*at += count * size;
	*left -= count * size;
	return things;
}

static bool are_times(const struct archive_series *series)
{
	const struct archive_series_head *head = series->head;

	if (head->cuts < 2 || head->cuts > ARCHIVE_STEPS_MAX + 1 || !head->steps ||
	    head->steps >= head->cuts || head->step < 1)
		return false;
	for (uint32_t i = 0; i < head->cuts; i++)
		if (series->cuts[i] < 0 || series->cuts[i] > INT64_MAX / 2000 ||
		    (i && series->cuts[i] <= series->cuts[i - 1]))
			return false;
	return true;
}

static bool are_rows(const struct archive_series *series)
{
	const struct archive_series_head *head = series->head;

	for (uint32_t i = 0; i < head->rows; i++) {
		uint32_t key = series->rows[i].key;

		if (series->rows[i].step >= head->steps ||
		    (key >= head->keys && key - ARCHIVE_OTHER >= HISTORY_KINDS))
			return false;
	}
	for (uint32_t i = 0; i < head->buckets; i++)
		if (series->buckets[i].step >= head->steps || series->buckets[i].bucket >= LATENCY_BUCKETS)
			return false;
	return head->keys < ARCHIVE_OTHER;
}

static bool are_keys(const struct archive_series *series)
{
	size_t at = 0;

	for (uint32_t i = 0; i < series->head->keys; i++) {
		struct archive_key key;

		if (series->keys_length - at < sizeof(key))
			return false;
		memcpy(&key, series->keys + at, sizeof(key));
		at += sizeof(key);
		if (key.kind >= HISTORY_KINDS || key.length >= HISTORY_KEY_MAX ||
		    key.length > series->keys_length - at)
			return false;
		at += key.length;
	}
	return at == series->keys_length;
}

int archive_series_parse(const void *data, size_t size, struct archive_series *ret_series)
{
	struct archive_series series = { 0 };
	const char *at = data;

	series.head = take(&at, &size, 1, sizeof(*series.head));
	if (!series.head)
		return -EBADMSG;
	series.cuts = take(&at, &size, series.head->cuts, sizeof(*series.cuts));
	series.steps = take(&at, &size, series.head->steps, sizeof(*series.steps));
	series.rows = take(&at, &size, series.head->rows, sizeof(*series.rows));
	series.buckets = take(&at, &size, series.head->buckets, sizeof(*series.buckets));
	series.keys = at;
	series.keys_length = size;
	if (!series.cuts || !series.steps || !series.rows || !series.buckets || !are_times(&series) ||
	    !are_rows(&series) || !are_keys(&series))
		return -EBADMSG;
	*ret_series = series;
	return 0;
}

void archive_series_key(const struct archive_series *series, size_t *at, struct archive_key *ret_key,
			const char **ret_text)
{
	memcpy(ret_key, series->keys + *at, sizeof(*ret_key));
	*ret_text = series->keys + *at + sizeof(*ret_key);
	*at += sizeof(*ret_key) + ret_key->length;
}
