/* SPDX-License-Identifier: MIT */
/* What was connected and what was dropped in the last hour, from what the snapshots say. */
#include "httpd/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "httpd/ledger_rows.h"

void ledger_init(struct ledger *ledger, struct bounds *bounds)
{
	*ledger = (struct ledger){ .bounds = bounds };
}

static void forget(struct ledger *ledger, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ledger->rows -= ledger->bucket[i].count;
		free(ledger->bucket[i].rows);
	}
	ledger->buckets -= count;
	memmove(ledger->bucket, ledger->bucket + count, ledger->buckets * sizeof(*ledger->bucket));
}

void ledger_free(struct ledger *ledger)
{
	forget(ledger, ledger->buckets);
}

/* ---- rows that add up ------------------------------------------------------ */

static int compare_keys(const void *left, const void *right)
{
	const struct ledger_row *a = left, *b = right;

	return memcmp(&a->key, &b->key, sizeof(a->key));
}

/* Puts rows in order and adds up equal ones; how many are left. */
static size_t tidy(struct ledger_row *rows, size_t count)
{
	size_t used = 0;

	if (!count)
		return 0;
	qsort(rows, count, sizeof(*rows), compare_keys);
	for (size_t i = 1; i < count; i++) {
		if (compare_keys(&rows[used], &rows[i])) {
			rows[++used] = rows[i];
			continue;
		}
		rows[used].count += rows[i].count;
		rows[used].other += rows[i].other;
	}
	return used + 1;
}

/* Both are in order; so is to, which has room for all. How many there are. */
static size_t merge(const struct ledger_row *a, size_t a_count, const struct ledger_row *b,
		    size_t b_count, struct ledger_row *to)
{
	size_t count = 0, i = 0, j = 0;

	while (i < a_count || j < b_count) {
		int order = i == a_count ? 1 : j == b_count ? -1 : compare_keys(&a[i], &b[j]);

		to[count] = order > 0 ? b[j] : a[i];
		if (!order) {
			to[count].count += b[j].count;
			to[count].other += b[j].other;
		}
		i += order <= 0;
		j += order >= 0;
		count++;
	}
	return count;
}

/* Adds rows (in order) to the bucket. Without memory they are left out, which is counted. */
static void add_rows(struct ledger *ledger, struct ledger_bucket *bucket,
		     const struct ledger_row *rows, size_t count)
{
	struct ledger_row *both, *fit;

	if (!count)
		return;
	both = calloc(bucket->count + count, sizeof(*both));
	if (!both) {
		for (size_t i = 0; i < count; i++)
			if (rows[i].key.kind == LEDGER_CONNECT)
				bucket->left_out += rows[i].count + rows[i].other;
		return;
	}
	ledger->rows -= bucket->count;
	bucket->count = merge(bucket->rows, bucket->count, rows, count, both);
	ledger->rows += bucket->count;
	free(bucket->rows);
	bucket->rows = both;
	fit = reallocarray(both, bucket->count, sizeof(*both));
	if (fit)
		bucket->rows = fit;
}

/* ---- buckets --------------------------------------------------------------- */

/* Buckets that are no longer new become fewer; they are in order of time. */
static void coarsen(struct ledger *ledger, int64_t now_ms)
{
	struct ledger_bucket *bucket = ledger->bucket;
	size_t used = 0;

	for (size_t i = 1; i < ledger->buckets; i++) {
		if (bucket[i].end_ms > now_ms - LEDGER_FINE_MS ||
		    bucket[i].end_ms - bucket[used].start_ms > LEDGER_COARSE_SPAN_MS) {
			bucket[++used] = bucket[i];
			continue;
		}
		bucket[used].end_ms = bucket[i].end_ms;
		bucket[used].left_out += bucket[i].left_out;
		add_rows(ledger, &bucket[used], bucket[i].rows, bucket[i].count);
		ledger->rows -= bucket[i].count;
		free(bucket[i].rows);
	}
	if (ledger->buckets)
		ledger->buckets = used + 1;
}

static void forget_old(struct ledger *ledger, int64_t now_ms)
{
	size_t old = 0;

	while (old < ledger->buckets && ledger->bucket[old].end_ms <= now_ms - LEDGER_WINDOW_MS)
		old++;
	forget(ledger, old);
}

/* What does not fit goes whole, the oldest first: what is left is complete for its time. */
static void keep_bounds(struct ledger *ledger)
{
	while (ledger->buckets > 1 && ledger->rows > bounds_limit(ledger->bounds, BOUND_LEDGER_ROWS)) {
		bounds_hit(ledger->bounds, BOUND_LEDGER_ROWS);
		forget(ledger, 1);
	}
}

/* The bucket that the interval belongs to. */
static struct ledger_bucket *bucket_for(struct ledger *ledger, int64_t start_ms, int64_t end_ms)
{
	struct ledger_bucket *last = ledger->bucket + ledger->buckets - 1;

	if (ledger->buckets && end_ms - last->start_ms <= LEDGER_FINE_SPAN_MS) {
		if (end_ms > last->end_ms)
			last->end_ms = end_ms;
		return last;
	}
	if (ledger->buckets == LIMIT_LEDGER_BUCKETS) {
		bounds_hit(ledger->bounds, BOUND_LEDGER_BUCKETS);
		forget(ledger, 1);
	}
	last = &ledger->bucket[ledger->buckets++];
	*last = (struct ledger_bucket){ .start_ms = start_ms, .end_ms = end_ms };
	return last;
}

void ledger_take(struct ledger *ledger, const struct shot *shot)
{
	int64_t now_ms = shot->timestamp_ms, start_ms = now_ms - (int64_t)shot->interval_ms;
	struct ledger_rows rows = { 0 };
	struct ledger_bucket *bucket;

	if (!now_ms)
		return;
	if (ledger->buckets &&
	    now_ms < ledger->bucket[ledger->buckets - 1].end_ms - LEDGER_COARSE_SPAN_MS)
		forget(ledger, ledger->buckets);
	forget_old(ledger, now_ms);
	coarsen(ledger, now_ms);
	bucket = bucket_for(ledger, start_ms, now_ms);
	ledger_rows_read(ledger, shot, &rows);
	bucket->left_out += rows.left_out;
	add_rows(ledger, bucket, rows.row, tidy(rows.row, rows.count));
	free(rows.row);
	keep_bounds(ledger);
}
