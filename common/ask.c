/* SPDX-License-Identifier: MIT */
/* Asking the database. */
#include "common/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQL_MAX 4096
#define INDEX_MAX 64
#define SOUGHT_MAX 64	/* remotes; where there are more it is faster to read all */

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

void ask_free(struct ask *a)
{
	store_plan_free(&a->plan);
	remote_set_free(&a->remotes);
	free(a->cuts);
	a->cuts = NULL;
	a->n_cuts = 0;
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

/* The last slot is still open: what is to come is not covered. */
static int64_t until_now(const struct ask *a, int64_t end)
{
	return end > a->request->now && a->plan.begin < a->request->now ? a->request->now : end;
}

struct answer_head ask_head(const struct ask *a, const struct column *columns, size_t n)
{
	return (struct answer_head){
		.verb = a->request->verb,
		.by = a->request->by,
		.from = a->n_cuts ? a->cuts[0] : a->request->from,
		.to = a->request->to,
		.begin = a->plan.begin,
		.end = until_now(a, a->plan.end),
		.columns = columns,
		.n = n,
		.out = a->request->out,
	};
}

/* ---- filters --------------------------------------------------------------- */

/* in_network(ip): of the request. */
static void in_network(sqlite3_context *context, int n, sqlite3_value **values)
{
	const struct ask_request *request = sqlite3_user_data(context);
	const char *ip = (const char *)sqlite3_value_text(values[0]);

	(void)n;
	sqlite3_result_int(context, ip && ask_network_holds(&request->network, ip));
}

/* in_remotes(id): of the request's network. */
static void in_remotes(sqlite3_context *context, int n, sqlite3_value **values)
{
	const struct ask *a = sqlite3_user_data(context);

	(void)n;
	sqlite3_result_int(context, remote_set_has(&a->remotes, sqlite3_value_int64(values[0])));
}

/* A filter that is set holds for each key of its kind. */
struct filter {
	enum store_name kind;
	bool is_set;
	const char *ids;
};

#define FILTERS 6

static void filters_of(const struct ask_request *r, struct filter filters[FILTERS])
{
	const struct filter all[FILTERS] = {
		{ NAME_PROCESS, r->process, "SELECT id FROM process WHERE command=:process" },
		{ NAME_PROCESS, r->host, "SELECT process.id FROM process JOIN host ON host.id=process.host "
					 "WHERE host.name=:host" },
		{ NAME_PROTOCOL, r->proto, "SELECT id FROM protocol WHERE name=:proto COLLATE NOCASE" },
		{ NAME_HOST, r->host, "SELECT id FROM host WHERE name=:host" },
		{ NAME_INTERFACE, r->host, "SELECT interface.id FROM interface JOIN host "
					   "ON host.id=interface.host WHERE host.name=:host" },
		{ NAME_SERIES, r->host, "SELECT series.id FROM series JOIN host ON host.id=series.host "
					"WHERE host.name=:host" },
	};

	memcpy(filters, all, sizeof(all));
}

static bool are_sought(const struct ask *a)
{
	return a->remotes.n <= SOUGHT_MAX;
}

/* The few remotes of a network by their ids; many are told from others as rows come. */
static size_t add_remotes(const struct ask *a, char *sql, size_t size)
{
	const char *comma = "";
	size_t at;

	if (!are_sought(a))
		return (size_t)snprintf(sql, size, " AND in_remotes(t.remote)");
	at = (size_t)snprintf(sql, size, " AND t.remote IN (");
	for (int64_t id = 0; id < a->remotes.size; id++)
		if (remote_set_has(&a->remotes, id)) {
			at += (size_t)snprintf(sql + at, size - at, "%s%lld", comma, (long long)id);
			comma = ",";
		}
	return at + (size_t)snprintf(sql + at, size - at, ")");
}

/* Returns which keys it names. */
static unsigned int add_filters(const struct ask *a, const struct store_fact_row *fact, char *sql,
				size_t size)
{
	struct filter filters[FILTERS];
	unsigned int named = 0;
	size_t at = 0;

	*sql = '\0';
	filters_of(a->request, filters);
	for (size_t key = 0; key < fact->key_count; key++) {
		if (fact->kinds[key] == NAME_REMOTE && a->request->network.family) {
			named |= 1u << key;
			at += add_remotes(a, sql + at, size - at);
		}
		for (size_t f = 0; f < FILTERS; f++) {
			if (!filters[f].is_set || filters[f].kind != fact->kinds[key])
				continue;
			named |= 1u << key;
			at += (size_t)snprintf(sql + at, size - at, " AND t.%s IN (%s)", fact->keys[key],
					       filters[f].ids);
		}
	}
	return named;
}

static bool has_remotes(const struct store_fact_row *fact)
{
	for (size_t key = 0; key < fact->key_count; key++)
		if (fact->kinds[key] == NAME_REMOTE)
			return true;
	return false;
}

/* Which remotes are in the network, where that matters. */
static bool find_remotes(struct ask *a, const struct store_fact_row *fact)
{
	if (!a->request->network.family || !has_remotes(fact) || a->remotes.bits)
		return true;
	return ask_check(a, remote_set_make(&a->remotes, a->db, &a->request->network));
}

static void bind_text(sqlite3_stmt *statement, const char *name, const char *text)
{
	int at = sqlite3_bind_parameter_index(statement, name);

	if (at)
		sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

sqlite3_stmt *ask_prepare(struct ask *a, const char *sql)
{
	const struct ask_request *r = a->request;
	sqlite3_stmt *statement = NULL;
	int code;

	if (a->status != STORE_OK)
		return NULL;
	code = sqlite3_create_function(a->db, "in_network", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
				       (void *)r, in_network, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_create_function(a->db, "in_remotes", 1, SQLITE_UTF8, a, in_remotes, NULL,
					       NULL);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(a->db, sql, -1, &statement, NULL);
	if (!ask_check(a, code))
		return NULL;
	bind_text(statement, ":process", r->process);
	bind_text(statement, ":proto", r->proto);
	bind_text(statement, ":host", r->host);
	return statement;
}

/* A process's rows lie together, by remote. */
static bool seeks_remotes(const struct ask *a, enum store_tier tier)
{
	const struct ask_request *r = a->request;

	return r->network.family && are_sought(a) && !r->process && tier >= STORE_REMOTE_INDEX;
}

/*
 * The slots first, then of each its rows: the primary key begins with the slot, and its
 * next column is often the one that is filtered by.
 */
sqlite3_stmt *ask_segment(struct ask *a, enum store_fact which, unsigned int keys,
			  const struct store_segment *segment, const char *columns)
{
	const struct store_fact_row *fact = &store_facts[which];
	const char *tier = store_tiers[segment->tier].name;
	char sql[SQL_MAX], filters[SQL_MAX / 2], index[INDEX_MAX] = "";
	enum store_fact shortest;

	if (a->status != STORE_OK || !find_remotes(a, fact))
		return NULL;
	keys |= add_filters(a, fact, filters, sizeof(filters));
	shortest = store_shortest(which, segment->tier, keys);
	if (shortest == FACT_TRAFFIC && seeks_remotes(a, segment->tier))
		snprintf(index, sizeof(index), " INDEXED BY traffic_%s_remote", tier);
	snprintf(sql, sizeof(sql), "SELECT %s FROM slot s CROSS JOIN %s_%s t%s ON t.slot=s.begin "
		 "WHERE s.tier=%d AND s.begin>=%lld AND s.begin<=%lld%s", columns,
		 store_facts[shortest].name, tier, index, segment->tier, (long long)segment->first,
		 (long long)segment->last, filters);
	return ask_prepare(a, sql);
}
