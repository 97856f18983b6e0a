/* SPDX-License-Identifier: MIT */
/* A picture of the screen: cells with styles, made without a terminal. */
#ifndef JOPIL_TOP_FRAME_H
#define JOPIL_TOP_FRAME_H

#include <stddef.h>
#include <stdint.h>

/* Terminals beyond are used in part. */
#define FRAME_ROWS_MAX 1000
#define FRAME_COLUMNS_MAX 1000

enum style {
	STYLE_PLAIN,
	STYLE_STRONG,
	STYLE_FAINT,
	STYLE_BAR,	/* a line of its own: headings, the foot */
	STYLE_SELECTED,
	STYLE_IN,
	STYLE_OUT,
	STYLE_WARNING,
	STYLES,
};

struct cell {
	char bytes[5];	/* one character, NUL-terminated; empty: right half of a wide one */
	uint8_t style;
};

struct frame {
	int rows, columns;
	struct cell *cells;
};

/* An empty picture of that size, cut to the limits; forgets the old one. 0 or -ENOMEM. */
int frame_init(struct frame *frame, int rows, int columns);
void frame_clear(struct frame *frame);
void frame_free(struct frame *frame);

/*
 * Puts clean text (top/text.h) at a place, at most `width` cells, what lies outside of the
 * frame left out. Text that is cut ends in '~'. Returns the cells it took.
 */
int frame_put(struct frame *frame, int row, int column, int width, enum style style,
	      const char *text);

/* The same, ending at column + width. */
void frame_put_right(struct frame *frame, int row, int column, int width, enum style style,
		     const char *text);

/* Gives cells from column on a style, and leaves their text. */
void frame_style(struct frame *frame, int row, int column, int width, enum style style);

/* A row as text without trailing blanks; returns its length. Cut at size. */
size_t frame_line(const struct frame *frame, int row, char *ret_text, size_t size);

#endif
