/* SPDX-License-Identifier: MIT */
/*
 * What is shown and how: the newest snapshot, a view of it, its order, filter, selected
 * row, and the way that led here. Pure: no terminal, no clock, no input.
 */
#ifndef JOPIL_TOP_MODEL_H
#define JOPIL_TOP_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "top/views.h"

#define MODEL_DEPTH 8		/* of drilling down; deeper is refused */
#define MODEL_FILTER 64		/* bytes of a filter and its NUL */

/* Where one looks: a view, of all rows or those that belong to a row of the one before. */
struct place {
	enum view_id view;
	json_t *parent;		/* that row, as it was when Enter was hit; NULL: all rows */
	enum view_id parent_view;
	json_t *selected;	/* key of the selected row; NULL: the first one, whichever it is */
	size_t index, top;	/* of the selected row and of the first one shown */
	char filter[MODEL_FILTER];
};

struct order {
	short column;		/* -1: as they come */
	bool reversed;		/* texts fall, numbers rise */
};

struct model {
	json_t *snapshot;	/* NULL: none yet */
	struct place places[MODEL_DEPTH];
	size_t depth;		/* the last of them is shown */
	struct order orders[VIEWS];
	bool paused, frozen, as_bytes, help, over;
	bool asking;		/* a filter is being typed: old_filter comes back with Esc */
	char old_filter[MODEL_FILTER];
	json_t *ranks;		/* frozen: key to place in the order */
	size_t height;		/* rows that are on the screen */

	/* Made by model_update(); borrowed from snapshot. */
	bool stale;		/* they are to be made anew */
	json_t **rows;
	size_t n_rows, rows_size;
	size_t n_unfiltered;	/* how many there are without the filter */
	bool gone;		/* details of a row that is no more */
};

void model_init(struct model *model, enum view_id view);
void model_free(struct model *model);

/* Takes a snapshot over. 0 or -ENOMEM. */
int model_take(struct model *model, json_t *snapshot);

/* Makes the rows anew, if anything has changed them. 0 or -ENOMEM. */
int model_update(struct model *model);

const struct place *model_place(const struct model *model);
const struct view *model_view(const struct model *model);

/* The row of VIEW_DETAILS: as the newest snapshot has it, else as it was (.gone). */
const json_t *model_details(const struct model *model);

/* The key of a row, as one text; a new reference. */
json_t *model_key(const struct view *view, const json_t *row);

/* ---- what keys do; each is followed by model_update() ---- */

void model_show(struct model *model, enum view_id view);	/* forgets the way */
void model_enter(struct model *model);		/* what the selected row leads to */
void model_enter_details(struct model *model);
bool model_leave(struct model *model);		/* one step back; false: there is none */
void model_move(struct model *model, long rows);
void model_sort_next(struct model *model, int step);
void model_reverse(struct model *model);
void model_freeze(struct model *model);		/* or thaws */
void model_filter(struct model *model, const char *words);	/* cut at MODEL_FILTER */
void model_change_units(struct model *model);

/* There are `height` rows: moves what is shown so that the selected one is among them. */
void model_scroll(struct model *model, size_t height);

#endif
