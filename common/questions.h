/* SPDX-License-Identifier: MIT */
/* What can be asked: a file each. Each plans, asks, and writes its answer; false: it went wrong (ask). */
#ifndef JOPIL_QUESTIONS_H
#define JOPIL_QUESTIONS_H

#include "common/ask.h"
#include "common/ask_names.h"
#include "common/ask_tally.h"

struct question {
	const char *name, *help;
	unsigned int options;	/* enum request_option */
	const char *const *bys;	/* of --by, the first is the default; ends with NULL */
	uint64_t limit;		/* rows, unless told; 0: all */
	bool (*run)(struct ask *a);
	const struct answer_shape *shapes;	/* that answers have; ends with .columns NULL */
};

#define QUESTIONS 7

extern const struct question questions[QUESTIONS];

/* What of its options a question has where rows are told apart by that (NULL: it has no choice). */
unsigned int question_options(const struct question *question, const char *by);

/* A range of time as people write it (common/when.h); NULL: not given. */
struct question_range {
	const char *from, *last, *to;
};

#define QUESTION_LAST "24h"	/* unless told */

/*
 * Sets from, to and now of a request (Unix seconds), and looks whether its step fits. An end of
 * now holds the second that has begun, and what lasts so long still begins that long before now. 0,
 * or -EINVAL with the name of the one at fault ("last") and what is wrong about it.
 */
int question_range(const struct question_range *range, int64_t now, struct ask_request *r,
		   const char **ret_name, const char **ret_why);

/*
 * Asks it, all of it as of one moment, whatever is written meanwhile; a->request and a->db are
 * there. False: it went wrong (ask).
 */
bool question_run(const struct question *question, struct ask *a);

bool top_run(struct ask *a);
bool history_run(struct ask *a);
bool protocols_run(struct ask *a);
bool remotes_run(struct ask *a);
bool drops_run(struct ask *a);
bool latency_run(struct ask *a);
bool flows_run(struct ask *a);

extern const char *const top_bys[];
extern const struct answer_shape top_shapes[], history_shapes[], protocols_shapes[], remotes_shapes[],
	drops_shapes[], latency_shapes[], flows_shapes[];

#define FLOW_COLUMNS 21
extern const struct column flow_columns[FLOW_COLUMNS];

/*
 * A list: a fact's sums by keys, the largest first, as many as the request wants. row fills
 * cells, one for each column.
 */
struct ask_list {
	enum store_fact fact;
	unsigned int keys;	/* TALLY_KEY() */
	size_t value, other;	/* sorted by their sum; the same twice is fine */
	const struct column *columns;
	size_t n;
	void (*row)(struct ask_names *names, const struct tally_row *row, struct cell *cells);
};

bool ask_list_run(struct ask *a, const struct ask_list *list);

extern const struct ask_list top_by_remote;

/* The host, command and user of a process; cells[0] to [2]. */
void process_cells(struct ask_names *names, int64_t id, struct cell *cells);

/* A name's text; not known where it is empty. */
struct cell name_cell(struct ask_names *names, enum store_name kind, int64_t id);

#endif
