/* SPDX-License-Identifier: MIT */
/* The whole screen from the model. */
#include "top/compose.h"

#include <errno.h>
#include <string.h>

#include "top/keys.h"
#include "top/table.h"
#include "top/text.h"
#include "top/value.h"

#define ROWS_FOR_OVERVIEW 10	/* less: the first line of it only */
#define ROWS_FOR_GRAPH 34
#define CELLS_FOR_TABS 76
#define NAME_CELLS 22		/* of members, of keys in the help */
#define LINE_TEXT (VALUE_TEXT * 2)
#define FILTER_TEXT (MODEL_FILTER * TEXT_GROWTH)

/* ---- where one is ------------------------------------------------------------ */

/* What a row is called on the way down: the key's last words. */
static int put_name(struct frame *frame, int row, int at, const struct place *p)
{
	const struct view *view = view_of(p->parent_view);
	char text[VALUE_TEXT];

	at += frame_put(frame, row, at, 3, STYLE_FAINT, " > ");
	for (int i = 0; i < VIEW_NAMES && view->key[i]; i++) {
		if (!strcmp(view->key[i], "host"))
			continue;
		value_text(json_object_get(p->parent, view->key[i]), text, sizeof(text));
		at += frame_put(frame, row, at, 40, STYLE_STRONG, text);
		at += frame_put(frame, row, at, 1, STYLE_PLAIN, " ");
	}
	return at;
}

static void put_way(struct frame *frame, const struct model *model, int row)
{
	int at = 0;

	for (size_t i = 0; i < model->depth; i++) {
		const struct place *p = &model->places[i];
		const char *tab = view_of(p->view)->tab;

		if (i)
			at = put_name(frame, row, at, p);
		else
			at += frame_put(frame, row, at, frame->columns - at, STYLE_PLAIN, tab);
	}
	if (model->gone)
		frame_put_right(frame, row, frame->columns - 8, 8, STYLE_WARNING, " (gone)");
}

static void put_tabs(struct frame *frame, const struct model *model, int row)
{
	enum view_id here = model->places[0].view, id = 0;
	int at = 0;

	if (model->depth > 1) {
		put_way(frame, model, row);
		return;
	}
	/* Where there is no room for all, the first is the one that is shown. */
	if (frame->columns < CELLS_FOR_TABS && here < VIEWS_OF_KEYS)
		id = here;
	for (; id < VIEWS_OF_KEYS; id++) {
		char text[32];

		snprintf(text, sizeof(text), "%d %s", id + 1, view_of(id)->tab);
		at += frame_put(frame, row, at, frame->columns - at,
				id == here ? STYLE_SELECTED : STYLE_PLAIN, text);
		at += frame_put(frame, row, at, 1, STYLE_PLAIN, " ");
	}
}

/* ---- the foot ---------------------------------------------------------------- */

static void describe_rows(const struct model *model, char *text, size_t size)
{
	const struct place *p = model_place(model);
	const struct order *order = &model->orders[p->view];
	const struct column *c = order->column >= 0 ? &model_view(model)->columns[order->column] : NULL;
	char filter[FILTER_TEXT], with[FILTER_TEXT + 32] = "";

	if (p->view == VIEW_DETAILS) {
		snprintf(text, size, "Esc back");
		return;
	}
	text_clean(p->filter, strlen(p->filter), filter, sizeof(filter));
	if (filter[0])
		snprintf(with, sizeof(with), " of %zu with %s", model->n_unfiltered, filter);
	snprintf(text, size, "%zu/%zu%s  %s%s%s", model->n_rows ? p->index + 1 : 0, model->n_rows, with,
		 c ? "by " : "as they come", c ? c->title : "", order->reversed ? " reversed" : "");
}

static void put_foot(struct frame *frame, const struct model *model, int row)
{
	static const char hints[] = "? help  / filter  s sort  Enter more  q end";
	char text[FILTER_TEXT + 128];
	int at;

	frame_style(frame, row, 0, frame->columns, STYLE_BAR);
	if (model->asking) {
		const char *filter = model_place(model)->filter;

		text_clean(filter, strlen(filter), text, FILTER_TEXT);
		at = frame_put(frame, row, 0, frame->columns, STYLE_BAR, "filter: ");
		at += frame_put(frame, row, at, frame->columns - at, STYLE_BAR, text);
		frame_put(frame, row, at, 1, STYLE_SELECTED, "_");
		return;
	}
	describe_rows(model, text, sizeof(text));
	at = frame_put(frame, row, 0, frame->columns, STYLE_BAR, text) + 2;
	if (frame->columns - at >= (int)sizeof(hints))
		frame_put_right(frame, row, at, frame->columns - at, STYLE_BAR, hints);
	else
		frame_put_right(frame, row, at, frame->columns - at, STYLE_BAR, "? help");
}

/* ---- what is between ---------------------------------------------------------- */

static bool is_time(const char *member)
{
	static const char *const names[] = { "first", "last", "started", "timestamp" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], member))
			return true;
	return false;
}

static void describe(const char *member, const json_t *value, char *text, size_t size)
{
	double ms = json_is_number(value) ? json_number_value(value) : -1;

	if (is_time(member) && value_time(ms, true, text, size))
		return;
	if (json_is_array(value) || json_is_object(value))
		snprintf(text, size, "(%zu)", json_is_array(value) ? json_array_size(value)
								    : json_object_size(value));
	else
		value_text(value, text, size);
}

static void put_details(struct frame *frame, const struct model *model, int row, int height)
{
	size_t at = 0, top = model_place(model)->top;
	json_t *details = (json_t *)model_details(model), *value;
	char name[128], text[LINE_TEXT];
	const char *member;

	json_object_foreach(details, member, value) {
		if (at++ < top || at > top + (size_t)height)
			continue;
		text_clean(member, strlen(member), name, sizeof(name));
		describe(member, value, text, sizeof(text));
		frame_put(frame, row, 0, NAME_CELLS, STYLE_FAINT, name);
		frame_put(frame, row++, NAME_CELLS + 1, frame->columns - NAME_CELLS - 1, STYLE_PLAIN, text);
	}
}

static void put_table(struct frame *frame, const struct model *model, int row, int height)
{
	const struct place *p = model_place(model);
	struct table table;

	table_layout(&table, model, frame->columns);
	table_heading(&table, frame, row++);
	for (size_t i = p->top; i < model->n_rows && i < p->top + (size_t)height; i++)
		table_row(&table, frame, row++, model->rows[i], i == p->index);
	if (!model->n_rows && model->snapshot && height > 0)
		frame_put(frame, row, 0, frame->columns, STYLE_FAINT,
			  model->n_unfiltered ? "no row passes the filter" : "nothing here");
}

static void put_help(struct frame *frame)
{
	const struct keys_help *help;
	int row = 0;

	frame_style(frame, row, 0, frame->columns, STYLE_BAR);
	frame_put(frame, row++, 0, frame->columns, STYLE_BAR, "jopil top: keys (any key: back)");
	for (size_t i = 0; (help = keys_help_row(i)); i++, row++) {
		frame_put(frame, row, 1, NAME_CELLS, STYLE_STRONG, help->keys);
		frame_put(frame, row, NAME_CELLS + 1, frame->columns - NAME_CELLS - 1, STYLE_PLAIN,
			  help->what);
	}
	frame_put(frame, row + 1, 1, frame->columns - 1, STYLE_FAINT,
		  "Prefixes are of 1000; ~ stands where text is cut, - where nothing is known.");
}

void compose_screen(struct frame *frame, struct model *model, const struct feed_facts *facts)
{
	int row = 1, height;

	if (model->help) {
		put_help(frame);
		return;
	}
	if (frame->rows >= ROWS_FOR_OVERVIEW)
		row = overview_put(frame, model, facts, frame->rows >= ROWS_FOR_GRAPH);
	else
		overview_title(frame, model, facts);
	put_tabs(frame, model, row++);
	height = frame->rows - row - 2;
	if (height < 0)
		height = 0;
	if (model_place(model)->view == VIEW_DETAILS) {
		model_scroll(model, (size_t)height + 1);
		put_details(frame, model, row, height + 1);
	} else {
		model_scroll(model, (size_t)height);
		put_table(frame, model, row, height);
	}
	if (frame->rows > 2)
		put_foot(frame, model, frame->rows - 1);
}

static void print_line(FILE *out, const struct frame *frame, int row)
{
	char line[FRAME_COLUMNS_MAX * 5];

	frame_line(frame, row, line, sizeof(line));
	fprintf(out, "%s\n", line);
}

int compose_plain(FILE *out, struct model *model, const struct feed_facts *facts, int columns)
{
	struct frame frame = { 0 };
	struct table table;

	if (frame_init(&frame, OVERVIEW_ROWS + 1, columns))
		return -ENOMEM;
	overview_put(&frame, model, facts, false);
	table_layout(&table, model, columns);
	table_heading(&table, &frame, OVERVIEW_ROWS);
	for (int i = 0; i <= OVERVIEW_ROWS; i++)
		print_line(out, &frame, i);
	for (size_t i = 0; i < model->n_rows; i++) {
		frame_clear(&frame);
		table_row(&table, &frame, 0, model->rows[i], false);
		print_line(out, &frame, 0);
	}
	fputc('\n', out);
	frame_free(&frame);
	return 0;
}
