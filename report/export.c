/* SPDX-License-Identifier: MIT */
/* export: the rows as they are kept, in the order of time. */
#include "report/export.h"

#include <stdio.h>
#include <string.h>

#include "common/ask_steps.h"

#define SELECT_MAX 512
#define ALL_KEYS ((1u << STORE_KEYS_MAX) - 1)

const char *const export_bys[] = { "traffic", "interface", "protocol", "port", "drop", "latency", "flow",
				   NULL };

static const enum store_fact facts[] = {	/* as export_bys */
	FACT_TRAFFIC, FACT_INTERFACE, FACT_PROTOCOL, FACT_PORT, FACT_DROP, FACT_LATENCY,
};

/* Labels that a key becomes. */
static const struct column key_columns[STORE_NAMES + 1][3] = {
	[NAME_HOST] = { { "host", "host", CELL_TEXT, true, false } },
	[NAME_INTERFACE] = { { "ifname", "interface", CELL_TEXT, true, false },
			     { "host", "host", CELL_TEXT, true, true } },
	[NAME_PROCESS] = { { "command", "process", CELL_TEXT, true, false },
			   { "uid", "user", CELL_PLAIN, true, false },
			   { "host", "host", CELL_TEXT, true, true } },
	[NAME_REMOTE] = { { "remote_ip", "remote", CELL_TEXT, true, false } },
	[NAME_PROTOCOL] = { { "proto", "protocol", CELL_TEXT, true, false } },
	[NAME_REASON] = { { "reason", "reason", CELL_TEXT, true, false } },
	[NAME_SERIES] = { { "name", "what", CELL_TEXT, true, false },
			  { "unit", "unit", CELL_TEXT, true, false },
			  { "host", "host", CELL_TEXT, true, true } },
	[STORE_NUMBER] = { { NULL, NULL, CELL_PLAIN, true, false } },	/* named as the key is */
};

struct shape {
	const struct store_fact_row *fact;
	struct column columns[ANSWER_COLUMNS_MAX];
	size_t n;
	char select[SELECT_MAX];
};

static bool is_bytes(const char *name)
{
	size_t length = strlen(name);

	return length >= 5 && !strcmp(name + length - 5, "bytes");
}

static struct shape shape_of(enum store_fact which)
{
	const struct store_fact_row *fact = &store_facts[which];
	struct shape s = { .fact = fact, .n = 2, .columns = { { "begin", "from", CELL_TIME, false, false },
							      { "end", "to", CELL_TIME, false, true } } };
	size_t at = (size_t)snprintf(s.select, SELECT_MAX, "s.begin,s.end");

	for (size_t i = 0; i < fact->key_count; i++) {
		const struct column *labels = key_columns[fact->kinds[i]];

		at += (size_t)snprintf(s.select + at, SELECT_MAX - at, ",t.%s", fact->keys[i]);
		for (size_t k = 0; k < 3 && labels[k].title; k++)
			s.columns[s.n++] = labels[k];
		if (fact->kinds[i] == STORE_NUMBER)
			s.columns[s.n++] = (struct column){ fact->keys[i], fact->keys[i], CELL_PLAIN, true,
							    false };
	}
	for (size_t i = 0; i < fact->value_count; i++) {
		const char *name = fact->values[i];

		at += (size_t)snprintf(s.select + at, SELECT_MAX - at, ",t.%s", name);
		s.columns[s.n++] = (struct column){ name, name, is_bytes(name) ? CELL_BYTES : CELL_COUNT,
						    false, i > 1 };
	}
	return s;
}

/* The labels of a key; returns how many. */
static size_t put_key(struct ask_names *names, enum store_name kind, int64_t key, struct cell *cells)
{
	const struct known_name *name;

	switch (kind) {
	case STORE_NUMBER:
		cells[0] = key == STORE_NO_PORT ? CELL_NULL : CELL_OF(key);
		return 1;
	case NAME_PROCESS:
		process_cells(names, key, cells);
		return 3;
	case NAME_SERIES:
		name = ask_names_of(names, kind, key);
		cells[0] = CELL_OF_TEXT(name->text);
		cells[1] = CELL_OF_TEXT(name->unit);
		cells[2] = CELL_OF_TEXT(name->host);
		return 3;
	case NAME_INTERFACE:
		name = ask_names_of(names, kind, key);
		cells[0] = CELL_OF_TEXT(name->text);
		cells[1] = CELL_OF_TEXT(name->host);
		return 2;
	default:
		cells[0] = name_cell(names, kind, key);
		return 1;
	}
}

static void put_row(const struct ask *a, const struct shape *shape, struct ask_names *names,
		    sqlite3_stmt *statement)
{
	struct cell cells[ANSWER_COLUMNS_MAX];
	size_t at = 2;
	int from = 2;

	cells[0] = CELL_OF(sqlite3_column_int64(statement, 0));
	cells[1] = CELL_OF(sqlite3_column_int64(statement, 1));
	for (size_t i = 0; i < shape->fact->key_count; i++)
		at += put_key(names, shape->fact->kinds[i], sqlite3_column_int64(statement, from++),
			      cells + at);
	while (at < shape->n)
		cells[at++] = CELL_OF(sqlite3_column_int64(statement, from++));
	a->request->writer->row(cells);
}

static uint64_t put_segment(struct ask *a, enum store_fact fact, const struct shape *shape,
			    const struct store_segment *segment, struct ask_names *names, uint64_t left)
{
	sqlite3_stmt *statement = ask_segment(a, fact, ALL_KEYS, segment, shape->select);
	FILE *out = a->request->out;
	int code = SQLITE_DONE;

	for (; left && statement && (code = sqlite3_step(statement)) == SQLITE_ROW && !ferror(out); left--)
		put_row(a, shape, names, statement);
	sqlite3_finalize(statement);
	ask_check(a, code);
	return left;
}

static bool export_fact(struct ask *a, enum store_fact fact)
{
	uint64_t left = a->request->limit ? a->request->limit : UINT64_MAX;
	struct shape shape = shape_of(fact);
	struct answer_head head;
	struct ask_names names;

	if (!steps_plan(a, false))
		return false;
	ask_names_init(&names, a);
	head = ask_head(a, shape.columns, shape.n);
	a->request->writer->begin(&head);
	for (size_t i = 0; i < a->plan.n && a->status == STORE_OK && left; i++)
		left = put_segment(a, fact, &shape, &a->plan.segments[i], &names, left);
	a->request->writer->end();
	ask_names_free(&names);
	return a->status == STORE_OK;
}

bool export_run(struct ask *a)
{
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (!strcmp(a->request->by, export_bys[i]))
			return export_fact(a, facts[i]);
	return flows_run(a);
}
