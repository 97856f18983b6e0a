/* SPDX-License-Identifier: MIT */
/* Keys as a table. */
#include "top/keys.h"

#include <limits.h>
#include <string.h>

#define MOST (LONG_MAX / 4)

/* False: the end. `argument` is the row's; page: rows on the screen. */
typedef bool action(struct model *model, long argument, int page);

static bool quit(struct model *model, long argument, int page)
{
	(void)model, (void)argument, (void)page;
	return false;
}

static bool show(struct model *model, long view, int page)
{
	(void)page;
	model_show(model, (enum view_id)view);
	return true;
}

static bool turn(struct model *model, long step, int page)
{
	enum view_id view = model->places[0].view;

	(void)page;
	if (view >= VIEWS_OF_KEYS)
		view = VIEW_PROCESSES;
	model_show(model, (enum view_id)(((long)view + step + VIEWS_OF_KEYS) % VIEWS_OF_KEYS));
	return true;
}

static bool move(struct model *model, long rows, int page)
{
	(void)page;
	model_move(model, rows);
	return true;
}

static bool move_page(struct model *model, long pages, int page)
{
	model_move(model, pages * (page > 1 ? page - 1 : 1));
	return true;
}

static bool enter(struct model *model, long details, int page)
{
	(void)page;
	if (details)
		model_enter_details(model);
	else
		model_enter(model);
	return true;
}

/* One step back; where there is none, the filter goes. */
static bool leave(struct model *model, long argument, int page)
{
	(void)argument, (void)page;
	if (!model_leave(model))
		model->places[0].filter[0] = '\0';
	return true;
}

static bool filter(struct model *model, long argument, int page)
{
	struct place *place = &model->places[model->depth - 1];

	(void)argument, (void)page;
	if (place->view == VIEW_DETAILS)
		return true;
	model->asking = true;
	memcpy(model->old_filter, place->filter, sizeof(model->old_filter));
	return true;
}

static bool sort(struct model *model, long step, int page)
{
	(void)page;
	model_sort_next(model, (int)step);
	return true;
}

static bool reverse(struct model *model, long argument, int page)
{
	(void)argument, (void)page;
	model_reverse(model);
	return true;
}

static bool freeze(struct model *model, long argument, int page)
{
	(void)argument, (void)page;
	model_freeze(model);
	return true;
}

static bool pause_or_go(struct model *model, long argument, int page)
{
	(void)argument, (void)page;
	model->paused = !model->paused;
	return true;
}

static bool units(struct model *model, long argument, int page)
{
	(void)argument, (void)page;
	model->as_bytes = !model->as_bytes;
	return true;
}

static bool help(struct model *model, long argument, int page)
{
	(void)argument, (void)page;
	model->help = true;
	return true;
}

static const struct key_row {
	int keys[4];
	action *act;
	long argument;
	const char *names, *what;	/* NULL: in the row before */
} rows[] = {
	{ { '1' }, show, VIEW_PROCESSES, "1 ... 9", "processes, flows, remotes, connections, drops, CPUs," },
	{ { '2' }, show, VIEW_FLOWS, "", "interfaces, protocols, latency" },
	{ { '3' }, show, VIEW_REMOTES, NULL, NULL },
	{ { '4' }, show, VIEW_CONNECTIONS, NULL, NULL },
	{ { '5' }, show, VIEW_DROPS, NULL, NULL },
	{ { '6' }, show, VIEW_CPUS, NULL, NULL },
	{ { '7' }, show, VIEW_INTERFACES, NULL, NULL },
	{ { '8' }, show, VIEW_PROTOCOLS, NULL, NULL },
	{ { '9' }, show, VIEW_LATENCY, NULL, NULL },
	{ { KEYS_TAB, KEYS_RIGHT, 'l' }, turn, 1, "Tab, Right  Left", "the next view, the one before" },
	{ { KEYS_BACK_TAB, KEYS_LEFT }, turn, -1, NULL, NULL },
	{ { KEYS_UP, 'k' }, move, -1, "Up Down, k j", "select a row; it stays selected wherever it goes" },
	{ { KEYS_DOWN, 'j' }, move, 1, NULL, NULL },
	{ { KEYS_PAGE_UP }, move_page, -1, "PgUp PgDn, Home End", "by pages; the first row, the last" },
	{ { KEYS_PAGE_DOWN }, move_page, 1, NULL, NULL },
	{ { KEYS_HOME, 'g' }, move, -MOST, NULL, NULL },
	{ { KEYS_END, 'G' }, move, MOST, NULL, NULL },
	{ { KEYS_ENTER }, enter, 0, "Enter", "more about the row: its remotes, its flows, all of it" },
	{ { 'i' }, enter, 1, "i", "all that is known of the row" },
	{ { KEYS_ESCAPE, KEYS_BACKSPACE }, leave, 0, "Esc, Backspace", "back; at the top: no filter" },
	{ { '/' }, filter, 0, "/", "filter: words that rows must have; !word: must not" },
	{ { 's', '>', '.' }, sort, 1, "s >  S <", "sort by the next column, by the one before" },
	{ { 'S', '<', ',' }, sort, -1, NULL, NULL },
	{ { 'r' }, reverse, 0, "r", "the other way round" },
	{ { 'f' }, freeze, 0, "f", "freeze the order of rows; numbers go on" },
	{ { 'p', ' ' }, pause_or_go, 0, "p, Space", "pause: nothing changes; the newest comes after it" },
	{ { 'u' }, units, 0, "u", "rates in bits or bytes a second" },
	{ { '?', 'h' }, help, 0, "?, h", "this help" },
	{ { 'q' }, quit, 0, "q, ^C", "end" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

const struct keys_help *keys_help_row(size_t n)
{
	static struct keys_help help_row;

	for (size_t i = 0; i < ROWS; i++) {
		if (!rows[i].names || n--)
			continue;
		help_row = (struct keys_help){ rows[i].names, rows[i].what };
		return &help_row;
	}
	return NULL;
}

static void end_asking(struct model *model, bool keep)
{
	struct place *place = &model->places[model->depth - 1];

	model->asking = false;
	if (!keep)
		memcpy(place->filter, model->old_filter, sizeof(place->filter));
}

/* A filter is typed, and at once in force. Only what UTF-8 gives in one byte. */
static void type(struct model *model, int key)
{
	char *text = model->places[model->depth - 1].filter;
	size_t length = strlen(text);

	if (key == KEYS_ENTER || key == KEYS_ESCAPE)
		end_asking(model, key == KEYS_ENTER);
	else if (key == KEYS_BACKSPACE && length)
		text[length - 1] = '\0';
	else if (key >= ' ' && key < 0x7f && length < MODEL_FILTER - 1)
		text[length] = (char)key, text[length + 1] = '\0';
}

bool keys_press(struct model *model, int key, int page)
{
	if (model->help) {
		model->help = false;
		return key != 'q';
	}
	if (model->asking) {
		type(model, key);
		return true;
	}
	for (size_t i = 0; i < ROWS; i++)
		for (size_t k = 0; k < 4; k++)
			if (rows[i].keys[k] == key && key)
				return rows[i].act(model, rows[i].argument, page);
	return true;
}
