/* SPDX-License-Identifier: MIT */
/* Rows of a view in columns. */
#include "top/table.h"

#include <string.h>

#include "top/text.h"
#include "top/value.h"

#define GAP 1	/* between columns */

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static double largest(const struct model *model, const struct column *columns)
{
	double most = 0;

	for (const struct column *c = columns; c->title; c++) {
		if (c->kind != COLUMN_BARS)
			continue;
		for (size_t i = 0; i < model->n_rows; i++)
			most = larger(most, larger(value_number(model->rows[i], c->member),
						   value_number(model->rows[i], c->second)));
	}
	return most;
}

static int used(const struct table *table)
{
	int sum = 0;

	for (int i = 0; i < TABLE_COLUMNS && table->columns[i].title; i++)
		if (table->widths[i])
			sum += table->widths[i] + GAP;
	return sum - GAP;
}

/* The column that leaves next; -1: all that are left stay. */
static int least_wanted(const struct table *table)
{
	int least = -1;

	for (int i = 0; i < TABLE_COLUMNS && table->columns[i].title; i++)
		if (table->widths[i] && table->columns[i].order &&
		    (least < 0 || table->columns[i].order > table->columns[least].order))
			least = i;
	return least;
}

/* What is left goes a cell at a time to those that can take it. */
static void widen(struct table *table, int room)
{
	bool taken = true;

	while (room > 0 && taken) {
		taken = false;
		for (int i = 0; i < TABLE_COLUMNS && table->columns[i].title && room > 0; i++)
			if (table->widths[i] && table->widths[i] < table->columns[i].most) {
				table->widths[i]++;
				room--;
				taken = true;
			}
	}
}

void table_layout(struct table *table, const struct model *model, int columns)
{
	const struct view *view = model_view(model);
	bool one_host = json_array_size(json_object_get(model->snapshot, "hosts")) < 2;
	int i;

	memset(table, 0, sizeof(*table));
	table->columns = view->columns;
	table->as_bytes = model->as_bytes;
	table->scale = largest(model, view->columns);
	table->sorted = model->orders[model_place(model)->view].column;
	for (i = 0; i < TABLE_COLUMNS && view->columns[i].title; i++)
		if (!one_host || strcmp(view->columns[i].title, "HOST"))
			table->widths[i] = view->columns[i].width;
	while (used(table) > columns && (i = least_wanted(table)) >= 0)
		table->widths[i] = 0;
	widen(table, columns - used(table));
}

void table_heading(const struct table *table, struct frame *frame, int row)
{
	int at = 0;

	frame_style(frame, row, 0, frame->columns, STYLE_BAR);
	for (int i = 0; i < TABLE_COLUMNS && table->columns[i].title; i++) {
		const struct column *c = &table->columns[i];
		enum style style = i == table->sorted ? STYLE_SELECTED : STYLE_BAR;

		if (!table->widths[i])
			continue;
		if (column_is_text(c))
			frame_put(frame, row, at, table->widths[i], style, c->title);
		else
			frame_put_right(frame, row, at, table->widths[i], style, c->title);
		at += table->widths[i] + GAP;
	}
}

static void bar(struct frame *frame, int row, int column, int width, int cells, enum style style)
{
	for (int i = 0; i < cells && i < width; i++)
		frame_put(frame, row, column + i, 1, style, "|");
}

/* Something is never nothing: the least is one cell. */
static int cells_of(double share, int width)
{
	int cells = share > 0 ? (int)(share * width + 0.5) : 0;

	return share > 0 && !cells ? 1 : cells > width ? width : cells;
}

void table_bars(struct frame *frame, int row, int column, int width, double left, double right)
{
	int half = (width - 1) / 2, cells = cells_of(left, half);

	frame_put(frame, row, column + half, 1, STYLE_FAINT, ":");
	bar(frame, row, column + half - cells, cells, cells, STYLE_IN);
	bar(frame, row, column + half + 1, half, cells_of(right, half), STYLE_OUT);
}

static void cell_bars(const struct table *table, const struct column *c, struct frame *frame, int row,
		      int at, int width, const json_t *values)
{
	double scale = table->scale > 0 ? table->scale : 1;
	double right = value_number(values, c->second) / scale;

	if (c->member)
		table_bars(frame, row, at, width, value_number(values, c->member) / scale, right);
	else
		bar(frame, row, at, width, cells_of(right, width), STYLE_OUT);
}

void table_row(const struct table *table, struct frame *frame, int row, const json_t *values,
	       bool selected)
{
	char text[VALUE_TEXT * 2];
	int at = 0;

	for (int i = 0; i < TABLE_COLUMNS && table->columns[i].title; i++) {
		const struct column *c = &table->columns[i];
		int width = table->widths[i];

		if (!width)
			continue;
		value_cell(values, c, table->as_bytes, text, sizeof(text));
		if (c->kind == COLUMN_BARS)
			cell_bars(table, c, frame, row, at, width, values);
		else if (column_is_text(c))
			frame_put(frame, row, at, width, STYLE_PLAIN, text);
		else
			frame_put_right(frame, row, at, width, STYLE_PLAIN, text);
		at += width + GAP;
	}
	if (selected)
		frame_style(frame, row, 0, frame->columns, STYLE_SELECTED);
}
