/* SPDX-License-Identifier: MIT */
/* An answer: columns and rows, written in one of several formats. */
#ifndef JOPIL_ANSWER_H
#define JOPIL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ANSWER_COLUMNS_MAX 24

enum cell_kind {
	CELL_TEXT,
	CELL_PLAIN,	/* a number that counts nothing: a port, a user */
	CELL_COUNT,
	CELL_BYTES,
	CELL_US,	/* microseconds */
	CELL_TIME,	/* Unix seconds */
	CELL_TIME_MS,	/* Unix milliseconds */
	CELL_BAR,	/* for tables only: as long as the number, against the largest one */
};

struct column {
	const char *name;	/* in exact formats */
	const char *title;	/* in tables */
	enum cell_kind kind;
	bool is_label;		/* tells rows apart; else it is what is told of them */
	bool is_spare;		/* left out of tables where the terminal is too narrow */
};

/* What rows of an answer have. */
struct answer_shape {
	const char *by;		/* NULL: whatever they are told apart by */
	const struct column *columns;	/* NULL ends a table */
	size_t n;
};

struct cell {
	const char *text;	/* CELL_TEXT; any bytes. NULL: not known */
	int64_t number;
	bool is_null;
};

#define CELL_OF(n) ((struct cell){ .number = (n) })
#define CELL_OF_TEXT(t) ((struct cell){ .text = (t) })
#define CELL_NULL ((struct cell){ .is_null = true })

struct answer_head {
	const char *verb, *by;	/* by: NULL: there is no choice */
	int64_t from, to;	/* asked for, Unix seconds */
	int64_t begin, end;	/* covered; both 0: nothing was recorded */
	const struct column *columns;
	size_t n;
	FILE *out;		/* where it is written */
};

/* One format. Writers hold what they need in one static state: there is one answer. */
struct writer {
	const char *name;
	void (*begin)(const struct answer_head *head);
	void (*row)(const struct cell *cells);
	void (*end)(void);
};

extern const struct writer json_writer, ndjson_writer;

#endif
