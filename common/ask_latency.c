/* SPDX-License-Identifier: MIT */
/* latency: percentiles of round-trip times; histograms add up, so they are right over any range. */
#include "common/questions.h"

#include <stdio.h>
#include <string.h>

#include "common/percentile.h"

static const struct column columns[] = {
	{ "host", "host", CELL_TEXT, true, false },
	{ "name", "what", CELL_TEXT, true, false },
	{ "unit", "unit", CELL_TEXT, true, true },
	{ "count", "samples", CELL_COUNT, false, false },
	{ "p50", "p50", CELL_US, false, false },
	{ "p90", "p90", CELL_US, false, true },
	{ "p95", "p95", CELL_US, false, true },
	{ "p99", "p99", CELL_US, false, false },
	{ "max", "max", CELL_US, false, false },
};

const struct answer_shape latency_shapes[] = {
	{ NULL, columns, sizeof(columns) / sizeof(columns[0]) },
	{ NULL, NULL, 0 },
};

struct histogram {
	u64 counts[LATENCY_BUCKETS], n;
};

/* The rows of one series from `at` on; returns where the next begins. */
static size_t collect(const struct tally *tally, size_t at, struct histogram *h)
{
	int64_t series = tally->rows[at].key[0];

	memset(h, 0, sizeof(*h));
	for (; at < tally->n && tally->rows[at].key[0] == series; at++) {
		const struct tally_row *row = &tally->rows[at];
		int64_t upper = row->key[1];
		u32 us = upper < 0 ? 0 : upper > UINT32_MAX ? UINT32_MAX : (u32)upper;

		h->counts[latency_bucket(us)] += (u64)row->sum[0];
		h->n += (u64)row->sum[0];
	}
	return at;
}

static void put_series(struct ask *a, struct ask_names *names, int64_t series, const struct histogram *h)
{
	static const u32 percents[] = { 50, 90, 95, 99, 100 };
	const struct known_name *name = ask_names_of(names, NAME_SERIES, series);
	struct cell cells[sizeof(columns) / sizeof(columns[0])] = {
		CELL_OF_TEXT(name->host), CELL_OF_TEXT(name->text), CELL_OF_TEXT(name->unit),
		CELL_OF((int64_t)h->n),
	};

	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++)
		cells[4 + i] = h->n ? CELL_OF(percentile_us(h->counts, h->n, percents[i])) : CELL_NULL;
	a->request->writer->row(cells);
}

bool latency_run(struct ask *a)
{
	struct tally tally = { 0 };
	struct answer_head head;
	struct histogram h;
	struct ask_names names;

	if (ask_plan(a) && tally_fact(&tally, a, FACT_LATENCY, TALLY_KEY(0) | TALLY_KEY(1))) {
		tally_sort_keys(&tally);
		ask_names_init(&names, a);
		head = ask_head(a, columns, sizeof(columns) / sizeof(columns[0]));
		a->request->writer->begin(&head);
		for (size_t at = 0; at < tally.n && a->status == STORE_OK;) {
			int64_t series = tally.rows[at].key[0];

			at = collect(&tally, at, &h);
			put_series(a, &names, series, &h);
		}
		a->request->writer->end();
		ask_names_free(&names);
	}
	tally_free(&tally);
	return a->status == STORE_OK;
}
