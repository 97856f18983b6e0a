/* SPDX-License-Identifier: MIT */
/* The past from the database in steps: what the process that reads it works out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ask_steps.h"
#include "common/latency_buckets.h"
#include "common/line_write.h"
#include "common/questions.h"
#include "httpd/archive_series.h"
#include "httpd/history_ask.h"

#define SPAN_MAX (700LL * 28 * 86400)	/* has no more steps of a month than there may be */
#define SERIES_NAME "tcp_rtt"
#define OBJECT_SIZE HISTORY_KEY_MAX
#define TEXT_SIZE_MAX (6 * 512 + 3)	/* of a name that has to be escaped */

/* An answer being made; what has counts in the head is written apart. */
struct making {
	const struct archive_question *question;
	struct ask *a;
	struct archive_series_head head;
	int64_t *cuts;		/* all of them; the plan has those of the database */
	struct archive_step *steps;
	struct ask_names names;
	FILE *rows, *buckets, *keys;
	char *rows_text, *buckets_text, *keys_text;
	size_t rows_length, buckets_length, keys_length;
	char *host;		/* the only one's name as JSON; NULL: there are several, or none */
};

/* ---- keys ------------------------------------------------------------------ */

/* The text as JSON; null where it is not known. False: it is too long. */
static bool quote(const char *text, char to[TEXT_SIZE_MAX])
{
	size_t length = text ? strlen(text) : 0;

	if (!length) {
		strcpy(to, "null");
		return true;
	}
	if (6 * length + 3 > TEXT_SIZE_MAX)
		return false;
	*line_put_string(to, text, length) = '\0';
	return true;
}

static uint32_t add_key(struct making *m, enum history_kind kind, const char *text, int length)
{
	struct archive_key key = { .kind = (uint16_t)kind, .length = (uint16_t)length };

	if (length >= OBJECT_SIZE)
		return ARCHIVE_OTHER + kind;
	fwrite(&key, sizeof(key), 1, m->keys);
	fwrite(text, 1, (size_t)length, m->keys);
	return m->head.keys++;
}

static uint32_t add_process(struct making *m, int64_t id)
{
	const struct known_name *name = ask_names_of(&m->names, NAME_PROCESS, id);
	char host[TEXT_SIZE_MAX], command[TEXT_SIZE_MAX], text[OBJECT_SIZE];

	if (!quote(name->host, host) || !quote(name->text, command))
		return ARCHIVE_OTHER + HISTORY_PROCESS;
	return add_key(m, HISTORY_PROCESS, text, snprintf(text, sizeof(text),
		       "\"host\":%s,\"pid\":null,\"command\":%s", host, command));
}

static uint32_t add_remote(struct making *m, int64_t id)
{
	char ip[TEXT_SIZE_MAX], text[OBJECT_SIZE];

	if (!quote(ask_names_of(&m->names, NAME_REMOTE, id)->text, ip))
		return ARCHIVE_OTHER + HISTORY_REMOTE;
	return add_key(m, HISTORY_REMOTE, text, snprintf(text, sizeof(text),
		       "\"host\":%s,\"remote_ip\":%s", m->host ? m->host : "null", ip));
}

static uint32_t add_name(struct making *m, enum history_kind kind, const char *member,
			 enum store_name name, int64_t id)
{
	char value[TEXT_SIZE_MAX], text[OBJECT_SIZE];

	if (!quote(ask_names_of(&m->names, name, id)->text, value))
		return ARCHIVE_OTHER + kind;
	return add_key(m, kind, text, snprintf(text, sizeof(text), "\"%s\":%s", member, value));
}

static void add_row(struct making *m, int64_t step, uint32_t key, const uint64_t value[ARCHIVE_VALUES])
{
	struct archive_row row = { .step = (uint32_t)step, .key = key };

	memcpy(row.value, value, sizeof(row.value));
	fwrite(&row, sizeof(row), 1, m->rows);
	m->head.rows++;
}

/* ---- kinds of rows --------------------------------------------------------- */

/* Where a kind of rows is kept, and which sums its values are. */
static const struct kind {
	enum store_fact fact;
	size_t key;	/* of the fact */
	int add[ARCHIVE_VALUES][2];	/* sums that are added up; -1: none */
} kinds[HISTORY_KINDS] = {
	[HISTORY_PROTOCOL] = { FACT_PROTOCOL, 1, { { 1, 3 }, { 0, 2 }, { -1, -1 }, { -1, -1 } } },
	[HISTORY_DROP] = { FACT_DROP, 1, { { 0, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } } },
	[HISTORY_PROCESS] = { FACT_TRAFFIC, 0, { { 0, -1 }, { 1, -1 }, { 2, -1 }, { 3, -1 } } },
	[HISTORY_REMOTE] = { FACT_TRAFFIC, 1, { { 0, -1 }, { 1, -1 }, { -1, -1 }, { -1, -1 } } },
};

static uint32_t add_key_of(struct making *m, enum history_kind kind, int64_t id)
{
	switch (kind) {
	case HISTORY_PROCESS:
		return add_process(m, id);
	case HISTORY_REMOTE:
		return add_remote(m, id);
	case HISTORY_PROTOCOL:
		return add_name(m, kind, "proto", NAME_PROTOCOL, id);
	default:
		return add_name(m, kind, "reason", NAME_REASON, id);
	}
}

static void values_of(const struct kind *kind, const struct tally_row *row, uint64_t value[ARCHIVE_VALUES])
{
	for (int i = 0; i < ARCHIVE_VALUES; i++) {
		value[i] = 0;
		for (int j = 0; j < 2; j++)
			if (kind->add[i][j] >= 0)
				value[i] += (uint64_t)row->sum[kind->add[i][j]];
	}
}

/* The number in the answer of a name's id; the same ids come again with other steps. */
struct numbers {
	struct number {
		int64_t id;
		uint32_t key;
	} *number;
	size_t count;
};

static int by_id(const void *left, const void *right)
{
	const struct number *a = left, *b = right;

	return a->id < b->id ? -1 : a->id > b->id;
}

/* Each id of the rows once, with a key. */
static bool number_ids(struct making *m, enum history_kind kind, const struct tally *tally,
		       struct numbers *numbers)
{
	size_t used = 0;

	numbers->number = calloc(tally->n + 1, sizeof(*numbers->number));
	if (!numbers->number)
		return ask_check(m->a, SQLITE_NOMEM);
	for (size_t i = 0; i < tally->n; i++)
		numbers->number[i].id = tally->rows[i].key[kinds[kind].key];
	qsort(numbers->number, tally->n, sizeof(*numbers->number), by_id);
	for (size_t i = 0; i < tally->n; i++)
		if (!used || numbers->number[used - 1].id != numbers->number[i].id)
			numbers->number[used++] = numbers->number[i];
	for (size_t i = 0; i < used; i++)
		numbers->number[i].key = add_key_of(m, kind, numbers->number[i].id);
	numbers->count = used;
	return m->a->status == STORE_OK;
}

static void put_rows(struct making *m, enum history_kind kind, const struct tally *tally)
{
	struct numbers numbers = { 0 };
	uint64_t value[ARCHIVE_VALUES];

	if (number_ids(m, kind, tally, &numbers))
		for (size_t i = 0; i < tally->n; i++) {
			struct number wanted = { .id = tally->rows[i].key[kinds[kind].key] };
			const struct number *number = bsearch(&wanted, numbers.number, numbers.count,
							      sizeof(wanted), by_id);

			values_of(&kinds[kind], &tally->rows[i], value);
			add_row(m, tally->rows[i].part, number->key, value);
		}
	free(numbers.number);
}

/* The largest ones have rows, the others are one. */
static void cut_rows(struct making *m, enum history_kind kind, struct tally *tally)
{
	uint64_t other[ARCHIVE_VALUES] = { 0 }, value[ARCHIVE_VALUES];

	if (tally->n <= ARCHIVE_ROWS_MAX)
		return;
	tally_sort(tally, 0, 1);
	for (size_t i = ARCHIVE_ROWS_MAX; i < tally->n; i++) {
		values_of(&kinds[kind], &tally->rows[i], value);
		for (int j = 0; j < ARCHIVE_VALUES; j++)
			other[j] += value[j];
	}
	tally->n = ARCHIVE_ROWS_MAX;
	add_row(m, 0, ARCHIVE_OTHER + kind, other);
}

/* Whom the question is about, where it is about somebody: rows of processes and remotes. */
static struct ask_request request_of(const struct making *m, enum history_kind kind)
{
	struct ask_request r = *m->a->request;

	if (kind != HISTORY_PROCESS)
		r.process = NULL;
	if (kind != HISTORY_REMOTE)
		r.network.family = 0;
	if (kind == HISTORY_PROTOCOL || kind == HISTORY_DROP)
		r.host = NULL;
	r.proto = NULL;
	return r;
}

static void make_kind(struct making *m, enum history_kind kind, bool by_step)
{
	const struct ask_request *asked = m->a->request;
	struct ask_request request = request_of(m, kind);
	unsigned int keys = TALLY_KEY(kinds[kind].key) | (by_step ? TALLY_PARTS : 0);
	struct tally tally = { 0 };

	m->a->request = &request;
	if (tally_fact(&tally, m->a, kinds[kind].fact, keys)) {
		if (!by_step)
			cut_rows(m, kind, &tally);
		if (tally.n)
			m->head.known |= 1u << kind;
		put_rows(m, kind, &tally);
	}
	tally_free(&tally);
	m->a->request = asked;
}

/* ---- sums and round-trip times --------------------------------------------- */

static void make_rates(struct making *m)
{
	static const int scalar[] = { HISTORY_INGRESS_PACKETS, HISTORY_INGRESS_BYTES, HISTORY_EGRESS_PACKETS,
				      HISTORY_EGRESS_BYTES };
	struct tally tally = { 0 };

	if (tally_fact(&tally, m->a, FACT_INTERFACE, TALLY_PARTS))
		for (size_t i = 0; i < tally.n; i++) {
			uint64_t *sums = m->steps[tally.rows[i].part].scalar;

			for (int j = 0; j < ARCHIVE_VALUES; j++)
				sums[scalar[j]] = (uint64_t)tally.rows[i].sum[j];
		}
	if (tally.n)
		m->head.known |= HISTORY_KNOWS_RATES;
	tally_free(&tally);
}

static void make_latency(struct making *m)
{
	struct tally tally = { 0 };

	if (tally_fact(&tally, m->a, FACT_LATENCY, TALLY_PARTS | TALLY_KEY(0) | TALLY_KEY(1))) {
		tally_sort_keys(&tally);
		for (size_t i = 0; i < tally.n && m->a->status == STORE_OK; i++) {
			const struct tally_row *row = &tally.rows[i];
			const char *name = ask_names_of(&m->names, NAME_SERIES, row->key[0])->text;
			int64_t upper = row->key[1] < UINT32_MAX ? row->key[1] : UINT32_MAX;
			struct archive_bucket bucket = {
				.step = (uint32_t)row->part, .count = (uint64_t)row->sum[0],
				.bucket = latency_bucket(upper < 0 ? 0 : (u32)upper),
			};

			if (!name || strcmp(name, SERIES_NAME))
				continue;
			fwrite(&bucket, sizeof(bucket), 1, m->buckets);
			m->head.buckets++;
			m->head.known |= HISTORY_KNOWS_LATENCY;
		}
	}
	tally_free(&tally);
}

/* ---- time ------------------------------------------------------------------ */

/* How much of a slot is in each step; nothing of what is still to come. */
static void cover(struct making *m, int64_t begin, int64_t end)
{
	const struct ask *a = m->a;

	if (end > m->question->now)
		end = m->question->now;
	for (size_t i = store_plan_part(a->cuts, a->n_cuts, begin); i + 1 < a->n_cuts && begin < end; i++) {
		int64_t stop = end < a->cuts[i + 1] || i + 2 == a->n_cuts ? end : a->cuts[i + 1];

		if (stop <= begin)
			continue;
		m->steps[i].covered_ms += (uint64_t)(stop - begin) * 1000;
		begin = stop;
	}
}

static void find_covered(struct making *m)
{
	sqlite3_stmt *statement = ask_prepare(m->a, "SELECT begin, end FROM slot WHERE tier=?1 AND "
					      "begin>=?2 AND begin<=?3");
	const struct store_plan *plan = &m->a->plan;

	for (size_t i = 0; statement && i < plan->n && m->a->status == STORE_OK; i++) {
		int code;

		sqlite3_bind_int(statement, 1, plan->segments[i].tier);
		sqlite3_bind_int64(statement, 2, plan->segments[i].first);
		sqlite3_bind_int64(statement, 3, plan->segments[i].last);
		while ((code = sqlite3_step(statement)) == SQLITE_ROW)
			cover(m, sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1));
		sqlite3_reset(statement);
		ask_check(m->a, code);
	}
	sqlite3_finalize(statement);
}

/* Since when there is anything; and of which host it is, if of one. */
static void find_extent(struct making *m)
{
	sqlite3_stmt *statement = ask_prepare(m->a, "SELECT ifnull(min(begin), 0), ifnull(max(end), 0),"
					      " (SELECT count(*) FROM host), (SELECT max(name) FROM host)"
					      " FROM slot");
	char host[TEXT_SIZE_MAX];

	if (statement && ask_check(m->a, sqlite3_step(statement))) {
		m->head.oldest = sqlite3_column_int64(statement, 0);
		m->head.newest = sqlite3_column_int64(statement, 1);
		if (*m->question->host)
			m->head.one_host = quote(m->question->host, host);
		else
			m->head.one_host = sqlite3_column_int(statement, 2) == 1 &&
					   quote((const char *)sqlite3_column_text(statement, 3), host);
		m->host = m->head.one_host ? strdup(host) : NULL;
	}
	sqlite3_finalize(statement);
}

/* The steps that begin before the other source does: one at least. */
static size_t steps_before(const int64_t *cuts, size_t n, int64_t seam)
{
	size_t steps = 0;

	while (steps + 1 < n && (!steps || cuts[steps] < seam))
		steps++;
	return steps;
}

/* Steps of the whole time that is asked for; the plan is of those that are the database's. */
static bool plan(struct making *m, struct ask_request *r)
{
	const struct archive_question *q = m->question;
	int64_t least = (r->to - r->from) / HISTORY_POINTS_MAX;
	struct ask *a = m->a;
	size_t bytes;
	int64_t *cuts;

	r->step = steps_not_below(q->step > least ? q->step : least);
	while (steps_plan(a, true) && a->n_cuts - 1 > ARCHIVE_STEPS_MAX)
		r->step = steps_not_below(a->cuts[2] - a->cuts[1] + 1);
	if (a->status != STORE_OK)
		return false;
	m->head.cuts = (uint32_t)a->n_cuts;
	m->head.steps = (uint32_t)steps_before(a->cuts, a->n_cuts, q->seam);
	m->head.step = a->n_cuts > 2 ? a->cuts[2] - a->cuts[1] : a->cuts[1] - a->cuts[0];
	m->steps = calloc(a->n_cuts, sizeof(*m->steps));
	bytes = a->n_cuts * sizeof(*m->cuts);
	m->cuts = malloc(bytes);
	cuts = malloc(bytes);
	if (!m->steps || !m->cuts || !cuts) {
		free(cuts);
		return ask_check(a, SQLITE_NOMEM);
	}
	memcpy(m->cuts, a->cuts, bytes);
	memcpy(cuts, a->cuts, bytes);
	return ask_plan_parts(a, cuts, m->head.steps + 1);
}

/* Without steps there are days to be read, where hours would be twenty times as many rows. */
static bool plan_whole(struct making *m)
{
	int64_t *cuts = malloc(2 * sizeof(*cuts));

	if (cuts) {
		cuts[0] = m->cuts[0];
		cuts[1] = m->cuts[m->head.steps];
	}
	return ask_plan_parts(m->a, cuts, 2);
}

/* ---- the answer ------------------------------------------------------------ */

static void make_parts(struct making *m)
{
	uint32_t parts = m->question->parts;
	bool processes, remotes;

	find_covered(m);
	if (parts & HISTORY_RATES)
		make_rates(m);
	if (parts & HISTORY_PROTOCOLS)
		make_kind(m, HISTORY_PROTOCOL, true);
	if (parts & HISTORY_DROPS)
		make_kind(m, HISTORY_DROP, true);
	if (parts & HISTORY_RTT)
		make_latency(m);
	/* Series of some hold their sums, too: rows of all are of the same filter. */
	if (parts & HISTORY_ONE_PROCESS)
		make_kind(m, HISTORY_PROCESS, true);
	if (parts & HISTORY_ONE_REMOTE)
		make_kind(m, HISTORY_REMOTE, true);
	processes = (parts & HISTORY_PROCESSES) && !(parts & HISTORY_ONE_PROCESS);
	remotes = (parts & HISTORY_REMOTES) && !(parts & HISTORY_ONE_REMOTE);
	if (!(processes || remotes) || !plan_whole(m))
		return;
	if (processes)
		make_kind(m, HISTORY_PROCESS, false);
	if (remotes)
		make_kind(m, HISTORY_REMOTE, false);
}

static void write_all(const struct making *m, FILE *out)
{
	fwrite(&m->head, sizeof(m->head), 1, out);
	fwrite(m->cuts, sizeof(*m->cuts), m->head.cuts, out);
	fwrite(m->steps, sizeof(*m->steps), m->head.steps, out);
	fwrite(m->rows_text, 1, m->rows_length, out);
	fwrite(m->buckets_text, 1, m->buckets_length, out);
	fwrite(m->keys_text, 1, m->keys_length, out);
}

static void make(struct making *m)
{
	struct ask_request request = *m->a->request;
	const struct ask_request *asked = m->a->request;

	m->a->request = &request;
	ask_names_init(&m->names, m->a);
	find_extent(m);
	if (request.to - request.from > SPAN_MAX)
		request.from = request.to - SPAN_MAX;
	if (request.from < m->head.oldest && m->head.oldest < request.to)
		request.from = m->head.oldest;
	if (plan(m, &request))
		make_parts(m);
	ask_names_free(&m->names);
	m->a->request = asked;
}

static bool close_stream(FILE *stream)
{
	return stream && !fclose(stream);
}

bool archive_series_run(const struct archive_question *question, struct ask *a)
{
	struct making m = { .question = question, .a = a };

	m.rows = open_memstream(&m.rows_text, &m.rows_length);
	m.buckets = open_memstream(&m.buckets_text, &m.buckets_length);
	m.keys = open_memstream(&m.keys_text, &m.keys_length);
	if (!m.rows || !m.buckets || !m.keys)
		ask_check(a, SQLITE_NOMEM);
	else if (ask_check(a, sqlite3_exec(a->db, "BEGIN", NULL, NULL, NULL)))
		make(&m);
	if (!close_stream(m.rows) | !close_stream(m.buckets) | !close_stream(m.keys))
		ask_check(a, SQLITE_NOMEM);
	if (a->status == STORE_OK)
		write_all(&m, a->request->out);
	free(m.rows_text);
	free(m.buckets_text);
	free(m.keys_text);
	free(m.cuts);
	free(m.steps);
	free(m.host);
	ask_free(a);
	return a->status == STORE_OK;
}
