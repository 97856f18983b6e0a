/* SPDX-License-Identifier: MIT */
/* The formats, and rows that they keep. */
#ifndef JOPIL_REPORT_FORMAT_H
#define JOPIL_REPORT_FORMAT_H

#include "common/answer.h"

extern const struct writer table_writer, csv_writer, prom_writer;

/* NULL: there is no such format. */
const struct writer *writer_find(const char *name);

/* Rows kept until all are there. */
struct kept_rows {
	struct cell *cells;	/* n * columns; texts are copies */
	size_t columns, n, allocated;
	bool is_full;		/* no memory: later rows are missing */
};

void kept_rows_add(struct kept_rows *rows, const struct cell *cells);
void kept_rows_free(struct kept_rows *rows);

/* There was no memory for what a writer keeps, since the start. */
bool answer_is_cut(void);

#endif
