/* SPDX-License-Identifier: MIT */
/* history: how much when; in a terminal with a bar for each step. */
#include "common/questions.h"

#include <stdlib.h>

#include "common/ask_steps.h"

#define N(table) (sizeof(table) / sizeof((table)[0]))
#define TIMES \
	{ "begin", "from", CELL_TIME, false, false }, \
	{ "end", "to", CELL_TIME, false, true }

static const struct column wire_columns[] = {
	TIMES,
	{ "ingress_bytes", "in", CELL_BYTES, false, false },
	{ "egress_bytes", "out", CELL_BYTES, false, false },
	{ "ingress_packets", "packets in", CELL_COUNT, false, true },
	{ "egress_packets", "packets out", CELL_COUNT, false, true },
	{ "bar", "", CELL_BAR, false, false },
};

static const struct column traffic_columns[] = {
	TIMES,
	{ "tx_bytes", "sent", CELL_BYTES, false, false },
	{ "rx_bytes", "received", CELL_BYTES, false, false },
	{ "tx_calls", "sends", CELL_COUNT, false, true },
	{ "rx_calls", "receives", CELL_COUNT, false, true },
	{ "connections", "connections", CELL_COUNT, false, true },
	{ "failed", "failed", CELL_COUNT, false, true },
	{ "bar", "", CELL_BAR, false, false },
};

const struct answer_shape history_shapes[] = {
	{ NULL, wire_columns, N(wire_columns) },
	{ NULL, traffic_columns, N(traffic_columns) },
	{ NULL, NULL, 0 },
};

/* A history of what: the sums behind the times, and which two of them the bar shows. */
static const struct series {
	enum store_fact fact;
	const struct column *columns;
	size_t n, values[STORE_VALUES_MAX], bar[2];
} serieses[] = {
	{ FACT_INTERFACE, wire_columns, N(wire_columns), { 1, 3, 0, 2 }, { 1, 3 } },
	{ FACT_PROTOCOL, wire_columns, N(wire_columns), { 1, 3, 0, 2 }, { 1, 3 } },
	{ FACT_TRAFFIC, traffic_columns, N(traffic_columns), { 0, 1, 2, 3, 4, 5 }, { 0, 1 } },
};

/* Only processes have remotes, only protocols and processes have protocols. */
static const struct series *series_of(const struct ask_request *r)
{
	if (r->process || r->network.family)
		return &serieses[2];
	return r->proto ? &serieses[1] : &serieses[0];
}

/* Which parts anybody watched. */
static bool mark_watched(struct ask *a, bool *watched)
{
	sqlite3_stmt *statement = ask_prepare(a, "SELECT begin FROM slot WHERE tier=?1 AND begin>=?2 "
					      "AND begin<=?3");

	for (size_t i = 0; i < a->plan.n && a->status == STORE_OK; i++) {
		int code;

		sqlite3_bind_int(statement, 1, a->plan.segments[i].tier);
		sqlite3_bind_int64(statement, 2, a->plan.segments[i].first);
		sqlite3_bind_int64(statement, 3, a->plan.segments[i].last);
		while ((code = sqlite3_step(statement)) == SQLITE_ROW)
			watched[store_plan_part(a->cuts, a->n_cuts,
						sqlite3_column_int64(statement, 0))] = true;
		sqlite3_reset(statement);
		ask_check(a, code);
	}
	sqlite3_finalize(statement);
	return a->status == STORE_OK;
}

static void put_part(const struct ask *a, const struct series *s, size_t part, const int64_t *sum,
		     bool is_watched)
{
	struct cell cells[ANSWER_COLUMNS_MAX];
	size_t at = 2;

	cells[0] = CELL_OF(a->cuts[part]);
	cells[1] = CELL_OF(a->cuts[part + 1]);
	for (; at < s->n - 1; at++)
		cells[at] = is_watched ? CELL_OF(sum[s->values[at - 2]]) : CELL_NULL;
	cells[at] = is_watched ? CELL_OF(sum[s->bar[0]] + sum[s->bar[1]]) : CELL_NULL;
	a->request->writer->row(cells);
}

/* Time that nobody watched is null; where nothing happened, it is 0. */
static void put_parts(struct ask *a, const struct series *s, const struct tally *tally, const bool *watched)
{
	static const int64_t nothing[STORE_VALUES_MAX];
	struct answer_head head = ask_head(a, s->columns, s->n);
	size_t row = 0;

	a->request->writer->begin(&head);
	for (size_t part = 0; part + 1 < a->n_cuts; part++) {
		bool is_there = row < tally->n && (size_t)tally->rows[row].part == part;

		put_part(a, s, part, is_there ? tally->rows[row].sum : nothing, watched[part]);
		row += is_there;
	}
	a->request->writer->end();
}

bool history_run(struct ask *a)
{
	const struct series *s = series_of(a->request);
	struct tally tally = { 0 };
	bool *watched = NULL;

	if (steps_plan(a, true) && tally_fact(&tally, a, s->fact, TALLY_PARTS)) {
		watched = calloc(a->n_cuts, sizeof(*watched));
		ask_check(a, watched ? SQLITE_OK : SQLITE_NOMEM);
	}
	if (watched && a->status == STORE_OK && mark_watched(a, watched)) {
		tally_sort_keys(&tally);
		put_parts(a, s, &tally, watched);
	}
	free(watched);
	tally_free(&tally);
	return a->status == STORE_OK;
}
