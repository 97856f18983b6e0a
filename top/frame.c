/* SPDX-License-Identifier: MIT */
/* A picture of the screen: cells with styles, made without a terminal. */
#include "top/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "top/text.h"

static int within(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

int frame_init(struct frame *frame, int rows, int columns)
{
	rows = within(rows, 1, FRAME_ROWS_MAX);
	columns = within(columns, 1, FRAME_COLUMNS_MAX);
	if (!frame->cells || rows != frame->rows || columns != frame->columns) {
		frame_free(frame);
		frame->cells = calloc((size_t)rows * (size_t)columns, sizeof(*frame->cells));
		if (!frame->cells)
			return -ENOMEM;
		frame->rows = rows;
		frame->columns = columns;
	}
	frame_clear(frame);
	return 0;
}

void frame_clear(struct frame *frame)
{
	for (int i = 0; i < frame->rows * frame->columns; i++)
		frame->cells[i] = (struct cell){ " ", STYLE_PLAIN };
}

void frame_free(struct frame *frame)
{
	free(frame->cells);
	memset(frame, 0, sizeof(*frame));
}

static struct cell *cell_at(struct frame *frame, int row, int column)
{
	if (row < 0 || row >= frame->rows || column < 0 || column >= frame->columns)
		return NULL;
	return &frame->cells[row * frame->columns + column];
}

static void set(struct frame *frame, int row, int column, enum style style, const char *text,
		size_t length)
{
	struct cell *cell = cell_at(frame, row, column);

	if (!cell)
		return;
	/* Half of a wide character is none. */
	if (!cell->bytes[0] && length)
		memcpy(cell[-1].bytes, " ", 2);
	if (column + 1 < frame->columns && !cell[1].bytes[0])
		memcpy(cell[1].bytes, " ", 2);
	memset(cell->bytes, 0, sizeof(cell->bytes));
	memcpy(cell->bytes, text, length);
	cell->style = (uint8_t)style;
}

int frame_put(struct frame *frame, int row, int column, int width, enum style style,
	      const char *text)
{
	int room = frame->columns - column < width ? frame->columns - column : width, used = 0, cells;
	int cut = text_width(text) > room;
	size_t length;

	if (room <= 0)
		return 0;
	while (cells = text_glyph(text, &length), length) {
		if (used + cells > room - cut)
			break;
		set(frame, row, column + used, style, text, length);
		if (cells == 2)
			set(frame, row, column + used + 1, style, "", 0);
		used += cells;
		text += length;
	}
	if (cut)
		set(frame, row, column + used++, style, "~", 1);
	return used;
}

void frame_put_right(struct frame *frame, int row, int column, int width, enum style style,
		     const char *text)
{
	int cells = text_width(text), left = cells < width ? width - cells : 0;

	frame_put(frame, row, column + left, width - left, style, text);
}

void frame_style(struct frame *frame, int row, int column, int width, enum style style)
{
	for (int i = 0; i < width; i++) {
		struct cell *cell = cell_at(frame, row, column + i);

		if (cell)
			cell->style = (uint8_t)style;
	}
}

size_t frame_line(const struct frame *frame, int row, char *ret_text, size_t size)
{
	size_t length = 0, end = 0;

	for (int i = 0; i < frame->columns; i++) {
		const char *bytes = frame->cells[row * frame->columns + i].bytes;
		size_t n = strlen(bytes);

		if (length + n >= size)
			break;
		memcpy(ret_text + length, bytes, n);
		length += n;
		if (n && strcmp(bytes, " "))
			end = length;
	}
	ret_text[end] = '\0';
	return end;
}
