/* SPDX-License-Identifier: MIT */
/* Rows of a view in columns: which have room, how wide, what stands in them. */
#ifndef JOPIL_TOP_TABLE_H
#define JOPIL_TOP_TABLE_H

#include "top/frame.h"
#include "top/model.h"

#define TABLE_COLUMNS 16

struct table {
	const struct column *columns;
	short widths[TABLE_COLUMNS];	/* cells; 0: no room */
	double scale;			/* what a whole bar is */
	bool as_bytes;
	short sorted;			/* column, -1: none */
};

/* For the rows of the model, in so many cells. */
void table_layout(struct table *table, const struct model *model, int columns);

void table_heading(const struct table *table, struct frame *frame, int row);
void table_row(const struct table *table, struct frame *frame, int row, const json_t *values,
	       bool selected);

/* Two bars that meet in the middle of `width` cells; shares from 0 to 1. */
void table_bars(struct frame *frame, int row, int column, int width, double left, double right);

#endif
