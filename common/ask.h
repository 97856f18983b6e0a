/* SPDX-License-Identifier: MIT */
/* What is asked of the database, and asking it. */
#ifndef JOPIL_ASK_H
#define JOPIL_ASK_H

#include "common/store_plan.h"
#include "common/answer.h"
#include "common/ask_network.h"
#include "common/ask_remote_set.h"

/* What of the command line a verb knows; bits. */
enum request_option {
	ASKS_BY = 1 << 0,
	ASKS_PROCESS = 1 << 1,
	ASKS_IP = 1 << 2,
	ASKS_PROTO = 1 << 3,
	ASKS_HOST = 1 << 4,
	ASKS_LIMIT = 1 << 5,
	ASKS_STEP = 1 << 6,
};

struct ask_request {
	const char *verb, *by;
	int64_t now, from, to;		/* Unix seconds, from < to */
	const char *process, *proto, *host, *step;	/* NULL: all */
	struct ask_network network;		/* .family 0: all */
	uint64_t limit;			/* rows; 0: all */
	const struct writer *writer;
	FILE *out;			/* where the answer goes */
};

/* A question under way. The first thing that goes wrong is kept; later calls do nothing. */
struct ask {
	const struct ask_request *request;
	sqlite3 *db;
	struct store_plan plan;
	int64_t *cuts;
	size_t n_cuts;
	struct remote_set remotes;	/* of the request's network */
	enum store_status status;
	const char *why;	/* as of store_open_reader() */
};

/* By an SQLite code; SQLITE_OK, _ROW and _DONE are none. True: nothing has gone wrong so far. */
bool ask_check(struct ask *a, int code);

/* What plans and filters hold. The question's status stays. */
void ask_free(struct ask *a);

/* Plans the range of the request as a whole. */
bool ask_plan(struct ask *a);

/* Plans the range in parts: n cuts, which become the question's. */
bool ask_plan_parts(struct ask *a, int64_t *cuts, size_t n);

/* Gives what the request says of the range, and what the plan covers. */
struct answer_head ask_head(const struct ask *a, const struct column *columns, size_t n);

/*
 * Prepares "SELECT <columns> FROM <fact>" over all slots of a segment, where the request's
 * filters hold; columns may name t.slot, s.end and the fact's own as t.NAME, of its keys those
 * in `keys` (bits: 1 << index): with few of them there is less to be read. Sums may come in
 * parts. NULL: it went wrong.
 */
sqlite3_stmt *ask_segment(struct ask *a, enum store_fact fact, unsigned int keys,
			  const struct store_segment *segment, const char *columns);

/* Prepares any other statement, and binds of :process :proto :host what it has. */
sqlite3_stmt *ask_prepare(struct ask *a, const char *sql);

#endif
