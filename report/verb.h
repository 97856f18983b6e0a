/* SPDX-License-Identifier: MIT */
/* What can be asked: a file each. Each plans, asks, and writes its answer; false: it went wrong (ask). */
#ifndef JOPIL_REPORT_VERB_H
#define JOPIL_REPORT_VERB_H

#include "report/ask.h"
#include "report/names.h"
#include "report/tally.h"

struct verb {
	const char *name, *help;
	unsigned int options;	/* enum request_option */
	const char *const *bys;	/* of --by, the first is the default; ends with NULL */
	uint64_t limit;		/* rows, unless told; 0: all */
	bool (*run)(struct ask *a);
};

bool top_run(struct ask *a);
bool history_run(struct ask *a);
bool protocols_run(struct ask *a);
bool remotes_run(struct ask *a);
bool drops_run(struct ask *a);
bool latency_run(struct ask *a);
bool flows_run(struct ask *a);
bool export_run(struct ask *a);

extern const char *const top_bys[], *const export_bys[];

/*
 * A list: a fact's sums by keys, the largest first, as many as the request wants. row fills
 * cells, one for each column.
 */
struct list {
	enum store_fact fact;
	unsigned int keys;	/* TALLY_KEY() */
	size_t value, other;	/* sorted by their sum; the same twice is fine */
	const struct column *columns;
	size_t n;
	void (*row)(struct names *names, const struct tally_row *row, struct cell *cells);
};

bool list_run(struct ask *a, const struct list *list);

extern const struct list top_by_remote;

/* The host, command and user of a process; cells[0] to [2]. */
void process_cells(struct names *names, int64_t id, struct cell *cells);

/* A name's text; not known where it is empty. */
struct cell name_cell(struct names *names, enum store_name kind, int64_t id);

#endif
