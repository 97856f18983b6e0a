/* SPDX-License-Identifier: MIT */
/* Asking the database. */
#include "common/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQL_MAX 2048

bool ask_check(struct ask *a, int code)
{
	if (a->status != STORE_OK)
		return false;
	if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
		return true;
	a->status = (code & 0xff) == SQLITE_CORRUPT ? STORE_DAMAGED : STORE_FAILED;
	a->why = sqlite3_errstr(code);
	return false;
}

bool ask_plan_parts(struct ask *a, int64_t *cuts, size_t n)
{
	free(a->cuts);
	a->cuts = cuts;
	a->n_cuts = n;
	store_plan_free(&a->plan);
	if (!cuts)
		return ask_check(a, SQLITE_NOMEM);
	if (a->status == STORE_OK)
		a->status = store_plan(a->db, cuts, n, &a->plan, &a->why);
	return a->status == STORE_OK;
}

bool ask_plan(struct ask *a)
{
	int64_t *cuts = malloc(2 * sizeof(*cuts));

	if (cuts) {
		cuts[0] = a->request->from;
		cuts[1] = a->request->to;
	}
	return ask_plan_parts(a, cuts, 2);
}

struct answer_head ask_head(const struct ask *a, const struct column *columns, size_t n)
{
	return (struct answer_head){
		.verb = a->request->verb,
		.by = a->request->by,
		.from = a->n_cuts ? a->cuts[0] : a->request->from,
		.to = a->request->to,
		.begin = a->plan.begin,
		.end = a->plan.end,
		.columns = columns,
		.n = n,
		.out = a->request->out,
	};
}

/* ---- filters --------------------------------------------------------------- */

/* in_network(ip): of the request. */
static void in_network(sqlite3_context *context, int n, sqlite3_value **values)
{
	const struct request *request = sqlite3_user_data(context);
	const char *ip = (const char *)sqlite3_value_text(values[0]);

	(void)n;
	sqlite3_result_int(context, ip && ask_network_holds(&request->network, ip));
}

/* A filter that is set holds for each key of its kind. */
struct filter {
	enum store_name kind;
	bool is_set;
	const char *ids;
};

static void add_filters(const struct request *r, const struct store_fact_row *fact, char *sql, size_t size)
{
	const struct filter filters[] = {
		{ NAME_PROCESS, r->process, "SELECT id FROM process WHERE command=:process" },
		{ NAME_PROCESS, r->host, "SELECT process.id FROM process JOIN host ON host.id=process.host "
					 "WHERE host.name=:host" },
		{ NAME_REMOTE, r->network.family, "SELECT id FROM remote WHERE in_network(ip)" },
		{ NAME_PROTOCOL, r->proto, "SELECT id FROM protocol WHERE name=:proto COLLATE NOCASE" },
		{ NAME_HOST, r->host, "SELECT id FROM host WHERE name=:host" },
		{ NAME_INTERFACE, r->host, "SELECT interface.id FROM interface JOIN host "
					   "ON host.id=interface.host WHERE host.name=:host" },
		{ NAME_SERIES, r->host, "SELECT series.id FROM series JOIN host ON host.id=series.host "
					"WHERE host.name=:host" },
	};
	size_t at = 0;

	for (size_t key = 0; key < fact->key_count; key++)
		for (size_t f = 0; f < sizeof(filters) / sizeof(filters[0]); f++)
			if (filters[f].is_set && filters[f].kind == fact->kinds[key])
				at += (size_t)snprintf(sql + at, size - at, " AND t.%s IN (%s)",
						       fact->keys[key], filters[f].ids);
}

static void bind_text(sqlite3_stmt *statement, const char *name, const char *text)
{
	int at = sqlite3_bind_parameter_index(statement, name);

	if (at)
		sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

sqlite3_stmt *ask_prepare(struct ask *a, const char *sql)
{
	const struct request *r = a->request;
	sqlite3_stmt *statement = NULL;
	int code;

	if (a->status != STORE_OK)
		return NULL;
	code = sqlite3_create_function(a->db, "in_network", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
				       (void *)r, in_network, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(a->db, sql, -1, &statement, NULL);
	if (!ask_check(a, code))
		return NULL;
	bind_text(statement, ":process", r->process);
	bind_text(statement, ":proto", r->proto);
	bind_text(statement, ":host", r->host);
	return statement;
}

/*
 * The slots first, then of each its rows: the primary key begins with the slot, and its
 * next column is often the one that is filtered by.
 */
sqlite3_stmt *ask_segment(struct ask *a, enum store_fact fact, const struct store_segment *segment,
			  const char *columns)
{
	const char *tier = store_tiers[segment->tier].name;
	char sql[SQL_MAX];
	size_t at;

	at = (size_t)snprintf(sql, sizeof(sql), "SELECT %s FROM slot s CROSS JOIN %s_%s t ON t.slot=s.begin "
			      "WHERE s.tier=%d AND s.begin>=%lld AND s.begin<=%lld", columns,
			      store_facts[fact].name, tier, segment->tier, (long long)segment->first,
			      (long long)segment->last);
	add_filters(a->request, &store_facts[fact], sql + at, sizeof(sql) - at);
	return ask_prepare(a, sql);
}
