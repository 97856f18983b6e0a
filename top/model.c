/* SPDX-License-Identifier: MIT */
/* What is shown and how. */
#include "top/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top/value.h"

#define KEY_TEXT (VIEW_NAMES * 600)

void model_init(struct model *model, enum view_id view)
{
	memset(model, 0, sizeof(*model));
	for (enum view_id id = 0; id < VIEWS; id++)
		model->orders[id].column = view_of(id)->sort;
	model->depth = 1;
	model->places[0].view = view;
	model->stale = true;
}

static struct place *place(struct model *model)
{
	return &model->places[model->depth - 1];
}

static void place_clear(struct place *p)
{
	json_decref(p->parent);
	json_decref(p->selected);
	memset(p, 0, sizeof(*p));
}

void model_free(struct model *model)
{
	while (model->depth)
		place_clear(&model->places[--model->depth]);
	json_decref(model->snapshot);
	json_decref(model->ranks);
	free(model->rows);
	memset(model, 0, sizeof(*model));
}

const struct place *model_place(const struct model *model)
{
	return &model->places[model->depth - 1];
}

const struct view *model_view(const struct model *model)
{
	return view_of(model_place(model)->view);
}

json_t *model_key(const struct view *view, const json_t *row)
{
	char text[KEY_TEXT], value[VALUE_TEXT];
	size_t length = 0;

	for (int i = 0; i < VIEW_NAMES && view->key[i]; i++) {
		size_t n;

		value_text(json_object_get(row, view->key[i]), value, sizeof(value));
		n = strlen(value);
		if (length + n + 2 > sizeof(text))
			n = sizeof(text) - length - 2;
		memcpy(text + length, value, n);
		length += n;
		text[length++] = '\n';	/* clean text has none */
	}
	return json_stringn_nocheck(text, length);
}

/* ---- which rows ------------------------------------------------------------ */

static bool belongs(const struct view *from, const json_t *parent, const json_t *row)
{
	for (const struct link *link = from->links; link->from; link++) {
		json_t *want = json_object_get(parent, link->from);
		bool same = false;

		for (size_t i = 0; i < 3 && link->to[i]; i++)
			same |= json_equal(want, json_object_get(row, link->to[i]));
		if (!same && want)
			return false;
	}
	return true;
}

static bool contains(const char *text, const char *word, size_t length)
{
	for (; *text; text++)
		if (!strncasecmp(text, word, length))
			return true;
	return false;
}

/* True if some cell of the row has the word. */
static bool row_has(const struct model *model, const json_t *row, const char *word, size_t length)
{
	char text[VALUE_TEXT];

	for (const struct column *c = model_view(model)->columns; c->title; c++) {
		value_cell(row, c, model->as_bytes, text, sizeof(text));
		if (contains(text, word, length))
			return true;
	}
	return false;
}

/* Every word of the filter must be there; one with ! before it must not. */
static bool passes(const struct model *model, const json_t *row)
{
	const char *at = model_place(model)->filter;

	while (*(at += strspn(at, " "))) {
		size_t length = strcspn(at, " ");
		bool not = *at == '!';

		if (length > not && row_has(model, row, at + not, length - not) == not)
			return false;
		at += length;
	}
	return true;
}

static int add_row(struct model *model, json_t *row)
{
	if (!json_is_object(row))
		return 0;
	model->n_unfiltered++;
	if (!passes(model, row))
		return 0;
	if (model->n_rows == model->rows_size) {
		size_t size = model->rows_size ? 2 * model->rows_size : 256;
		json_t **rows = realloc(model->rows, size * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		model->rows = rows;
		model->rows_size = size;
	}
	model->rows[model->n_rows++] = row;
	return 0;
}

/* Rows of a view, or of the one array within them that belongs to the parent. */
static int add_rows(struct model *model)
{
	const struct place *p = model_place(model);
	const struct view *view = view_of(p->view);
	json_t *row, *inner;
	size_t i, k;
	int err = 0;

	json_array_foreach(json_object_get(model->snapshot, view->array), i, row) {
		if (p->parent && !belongs(view_of(p->parent_view), p->parent, row))
			continue;
		if (!view->nested)
			err = add_row(model, row);
		else
			json_array_foreach(json_object_get(row, view->nested), k, inner)
				err = err ? err : add_row(model, inner);
		if (err)
			return err;
	}
	return 0;
}

/* ---- in which order -------------------------------------------------------- */

struct sorting {
	const struct view *view;
	const struct column *column;	/* NULL: as they come */
	bool rising;
};

struct ranked {
	json_t *row;
	json_int_t rank;	/* in the frozen order */
	size_t position;	/* as they came */
};

static int compare(const void *x, const void *y, void *arg)
{
	const struct ranked *a = x, *b = y;
	const struct sorting *s = arg;
	int order = 0;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (s->column)
		order = value_compare(a->row, b->row, s->column);
	if (!order)
		return a->position < b->position ? -1 : 1;
	return s->rising ? order : -order;
}

/* Rows that were not there when the order was frozen come behind the others. */
static json_int_t rank_of(const struct model *model, const json_t *row)
{
	json_t *key, *rank;

	if (!model->frozen || !model->ranks)
		return 0;
	key = model_key(model_view(model), row);
	rank = json_object_get(model->ranks, json_string_value(key));
	json_decref(key);
	return rank ? json_integer_value(rank) : (json_int_t)1 << 40;
}

static int sort_rows(struct model *model)
{
	const struct view *view = model_view(model);
	const struct order *order = &model->orders[model_place(model)->view];
	const struct column *column = order->column >= 0 ? &view->columns[order->column] : NULL;
	struct sorting s = { view, column, column && column_is_text(column) != order->reversed };
	struct ranked *ranked = calloc(model->n_rows + 1, sizeof(*ranked));

	if (!ranked)
		return -ENOMEM;
	for (size_t i = 0; i < model->n_rows; i++)
		ranked[i] = (struct ranked){ model->rows[i], rank_of(model, model->rows[i]), i };
	qsort_r(ranked, model->n_rows, sizeof(*ranked), compare, &s);
	for (size_t i = 0; i < model->n_rows; i++)
		model->rows[i] = ranked[i].row;
	free(ranked);
	return 0;
}

/* ---- which one is selected -------------------------------------------------- */

static bool has_key(const struct view *view, const json_t *row, const json_t *wanted)
{
	json_t *key = model_key(view, row);
	bool same = json_equal(key, wanted);

	json_decref(key);
	return same;
}

/* The selected row stays selected wherever it went; one that is gone leaves its place. */
static void find_selected(struct model *model)
{
	struct place *p = place(model);

	if (p->selected)
		for (size_t i = 0; i < model->n_rows; i++)
			if (has_key(view_of(p->view), model->rows[i], p->selected)) {
				p->index = i;
				return;
			}
	if (p->index >= model->n_rows)
		p->index = model->n_rows ? model->n_rows - 1 : 0;
}

static void select_index(struct model *model, size_t index)
{
	struct place *p = place(model);

	json_decref(p->selected);
	p->selected = NULL;
	p->index = index;
	if (index < model->n_rows && index)
		p->selected = model_key(view_of(p->view), model->rows[index]);
}

/* ---- details ---------------------------------------------------------------- */

static json_t *find_in(json_t *rows, const struct view *view, const json_t *wanted)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (has_key(view, row, wanted))
			return row;
	return NULL;
}

/* Keeps the newest of what the row was. */
static void update_details(struct model *model)
{
	struct place *p = place(model);
	const struct place *above = &model->places[model->depth - 2];	/* details are never first */
	const struct view *view = view_of(p->parent_view);
	json_t *key, *row = NULL, *outer;
	size_t i;

	key = model_key(view, p->parent);
	if (!view->nested)
		row = find_in(json_object_get(model->snapshot, view->array), view, key);
	else
		json_array_foreach(json_object_get(model->snapshot, view->array), i, outer)
			if (!row && belongs(view_of(above->parent_view), above->parent, outer))
				row = find_in(json_object_get(outer, view->nested), view, key);
	json_decref(key);
	model->gone = !row;
	if (row && row != p->parent) {
		json_decref(p->parent);
		p->parent = json_incref(row);
	}
}

const json_t *model_details(const struct model *model)
{
	return model_place(model)->parent;
}

/* ---- the whole --------------------------------------------------------------- */

int model_update(struct model *model)
{
	int err;

	if (!model->stale)
		return 0;
	model->stale = false;
	model->n_rows = model->n_unfiltered = 0;
	model->gone = false;
	if (model_place(model)->view == VIEW_DETAILS) {
		update_details(model);
		return 0;
	}
	err = add_rows(model);
	if (!err)
		err = sort_rows(model);
	if (!err)
		find_selected(model);
	return err;
}

int model_take(struct model *model, json_t *snapshot)
{
	json_decref(model->snapshot);
	model->snapshot = snapshot;
	model->stale = true;
	return model_update(model);
}

/* Rows in another order, or other rows. */
static void thaw(struct model *model)
{
	model->stale = true;
	model->frozen = false;
	json_decref(model->ranks);
	model->ranks = NULL;
}

void model_show(struct model *model, enum view_id view)
{
	thaw(model);
	while (model->depth)
		place_clear(&model->places[--model->depth]);
	model->depth = 1;
	model->places[0].view = view;
}

static void go_down(struct model *model, enum view_id view)
{
	struct place *p = place(model), *next;
	json_t *row = p->index < model->n_rows ? model->rows[p->index] : NULL;

	if (!row || p->view == VIEW_DETAILS || model->depth == MODEL_DEPTH)
		return;
	thaw(model);
	select_index(model, p->index);
	next = &model->places[model->depth++];
	next->view = view;
	next->parent = json_incref(row);
	next->parent_view = p->view;
}

void model_enter(struct model *model)
{
	go_down(model, model_view(model)->next);
}

void model_enter_details(struct model *model)
{
	go_down(model, VIEW_DETAILS);
}

bool model_leave(struct model *model)
{
	if (model->depth == 1)
		return false;
	thaw(model);
	place_clear(&model->places[--model->depth]);
	return true;
}

void model_move(struct model *model, long rows)
{
	struct place *p = place(model);
	long last = (long)model->n_rows - 1, to;

	if (p->view == VIEW_DETAILS) {
		to = (long)p->top + rows;
		p->top = to < 0 ? 0 : (size_t)to;	/* the last line is model_scroll()'s */
		return;
	}
	to = (long)p->index + rows;
	if (to > last)
		to = last;
	select_index(model, to < 0 ? 0 : (size_t)to);
}

static short columns_of(const struct view *view)
{
	short n = 0;

	while (view->columns && view->columns[n].title)
		n++;
	return n;
}

/* Through "as they come" as well; bars sort as nothing else does, and are passed over. */
void model_sort_next(struct model *model, int step)
{
	const struct view *view = model_view(model);
	struct order *order = &model->orders[model_place(model)->view];
	short n = columns_of(view);

	if (!n)
		return;
	do {
		order->column = (short)((order->column + 1 + step + n + 1) % (n + 1) - 1);
	} while (order->column >= 0 && view->columns[order->column].kind == COLUMN_BARS);
	order->reversed = false;
	thaw(model);
}

void model_reverse(struct model *model)
{
	struct order *order = &model->orders[model_place(model)->view];

	order->reversed = !order->reversed;
	thaw(model);
}

void model_freeze(struct model *model)
{
	if (model->frozen) {
		thaw(model);
		return;
	}
	model->ranks = json_object();
	model->frozen = model->ranks != NULL;
	for (size_t i = 0; i < model->n_rows; i++) {
		json_t *key = model_key(model_view(model), model->rows[i]);

		json_object_set_new(model->ranks, json_string_value(key), json_integer((json_int_t)i));
		json_decref(key);
	}
}

void model_filter(struct model *model, const char *words)
{
	snprintf(place(model)->filter, MODEL_FILTER, "%s", words);
	model->stale = true;
}

/* A filter looks at what is shown. */
void model_change_units(struct model *model)
{
	model->as_bytes = !model->as_bytes;
	model->stale = true;
}

void model_scroll(struct model *model, size_t height)
{
	struct place *p = place(model);
	size_t lines = p->view == VIEW_DETAILS ? json_object_size(p->parent) : model->n_rows;
	size_t most = lines > height ? lines - height : 0;

	model->height = height;
	if (p->view != VIEW_DETAILS) {
		if (p->index < p->top)
			p->top = p->index;
		if (height && p->index >= p->top + height)
			p->top = p->index - height + 1;
	}
	if (p->top > most)
		p->top = most;
}
