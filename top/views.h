/* SPDX-License-Identifier: MIT */
/* The views as tables of columns: where their rows are, and where more about a row is. */
#ifndef JOPIL_TOP_VIEWS_H
#define JOPIL_TOP_VIEWS_H

#include <stdbool.h>
#include <stddef.h>

enum column_kind {
	COLUMN_TEXT,		/* a string */
	COLUMN_NUMBER,		/* an integer as it is: pid, cpu */
	COLUMN_ENDPOINT,	/* member: address, second: port */
	COLUMN_COUNT,		/* an amount */
	COLUMN_SIZE,		/* bytes */
	COLUMN_RATE,		/* bits a second */
	COLUMN_DURATION,	/* milliseconds */
	COLUMN_MICROSECONDS,
	COLUMN_BARS,		/* member to the left, second to the right; one scale for all rows */
};

struct column {
	const char *title;	/* NULL ends the table */
	enum column_kind kind;
	const char *member, *second;
	short width;		/* cells at least */
	short most;		/* cells where there is room; 0: as width */
	short order;		/* leaves the sooner the larger it is; 0: stays */
};

enum view_id {
	VIEW_PROCESSES,
	VIEW_FLOWS,
	VIEW_REMOTES,
	VIEW_CONNECTIONS,
	VIEW_DROPS,
	VIEW_CPUS,
	VIEW_INTERFACES,
	VIEW_PROTOCOLS,
	VIEW_LATENCY,
	VIEWS_OF_KEYS,		/* those above have a key, 1 to 9 */
	VIEW_PROCESS_REMOTES = VIEWS_OF_KEYS,
	VIEW_DROP_FLOWS,
	VIEW_DETAILS,		/* every member of one row; has no columns */
	VIEWS,
};

/* A row and a row of the next view belong together when each pair says the same. */
struct link {
	const char *from;	/* member of the row; NULL ends */
	const char *to[3];	/* any of these members of a row of the next view */
};

#define VIEW_NAMES 5

struct view {
	const char *name;	/* one word */
	const char *tab;	/* the same, short */
	const char *array;	/* member of the snapshot */
	const char *nested;	/* rows are in this member of its rows; NULL: they are its rows */
	const char *key[VIEW_NAMES];	/* members that tell a row from others */
	const struct column *columns;
	short sort;		/* column; -1: as they come */
	enum view_id next;	/* what Enter shows */
	struct link links[4];
};

const struct view *view_of(enum view_id id);

/* VIEWS if there is none of that name. */
enum view_id view_by_name(const char *name);

static inline bool column_is_text(const struct column *column)
{
	return column->kind == COLUMN_TEXT || column->kind == COLUMN_ENDPOINT;
}

#endif
