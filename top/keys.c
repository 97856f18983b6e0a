/* SPDX-License-Identifier: MIT */
/* Keys as a table. */
#include "top/keys.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "top/text.h"

#define MOST (LONG_MAX / 4)

/* `argument` is that of the row. */
typedef void action(struct model *model, long argument);

static void quit(struct model *model, long argument)
{
	(void)argument;
	model->over = true;
}

static void show(struct model *model, long view)
{
	model_show(model, (enum view_id)view);
}

static void turn(struct model *model, long step)
{
	enum view_id view = model->places[0].view;

	if (view >= VIEWS_OF_KEYS)
		view = VIEW_PROCESSES;
	model_show(model, (enum view_id)(((long)view + step + VIEWS_OF_KEYS) % VIEWS_OF_KEYS));
}

static void move(struct model *model, long rows)
{
	model_move(model, rows);
}

static void move_page(struct model *model, long pages)
{
	model_move(model, pages * (model->height > 1 ? (long)model->height - 1 : 1));
}

static void enter(struct model *model, long details)
{
	if (details)
		model_enter_details(model);
	else
		model_enter(model);
}

/* One step back; where there is none, the filter goes. */
static void leave(struct model *model, long argument)
{
	(void)argument;
	if (!model_leave(model))
		model_filter(model, "");
}

static void ask_filter(struct model *model, long argument)
{
	(void)argument;
	if (model_place(model)->view == VIEW_DETAILS)
		return;
	model->asking = true;
	memcpy(model->old_filter, model_place(model)->filter, sizeof(model->old_filter));
}

static void sort(struct model *model, long step)
{
	model_sort_next(model, (int)step);
}

static void reverse(struct model *model, long argument)
{
	(void)argument;
	model_reverse(model);
}

static void freeze(struct model *model, long argument)
{
	(void)argument;
	model_freeze(model);
}

static void pause_or_go(struct model *model, long argument)
{
	(void)argument;
	model->paused = !model->paused;
}

static void change_units(struct model *model, long argument)
{
	(void)argument;
	model_change_units(model);
}

static void help(struct model *model, long argument)
{
	(void)argument;
	model->help = true;
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
	{ { '/' }, ask_filter, 0, "/", "filter: words that rows must have; !word: must not" },
	{ { 's', '>', '.' }, sort, 1, "s >  S <", "sort by the next column, by the one before" },
	{ { 'S', '<', ',' }, sort, -1, NULL, NULL },
	{ { 'r' }, reverse, 0, "r", "the other way round" },
	{ { 'f' }, freeze, 0, "f", "freeze the order of rows; numbers go on" },
	{ { 'p', ' ' }, pause_or_go, 0, "p, Space", "pause: nothing changes; the newest comes after it" },
	{ { 'u' }, change_units, 0, "u", "rates in bits or bytes a second" },
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

/* The last character of UTF-8 goes. */
static void cut_last(char *text)
{
	size_t length = strlen(text);

	while (length && (text[--length] & 0xc0) == 0x80)
		;
	text[length] = '\0';
}

/* A filter is typed, and at once in force. */
static void type(struct model *model, int key)
{
	char text[MODEL_FILTER + TEXT_ENCODED];
	size_t length = (size_t)snprintf(text, sizeof(text), "%s", model_place(model)->filter);

	if (key == KEYS_ENTER || key == KEYS_ESCAPE)
		model->asking = false;
	if (key == KEYS_ESCAPE)
		memcpy(text, model->old_filter, sizeof(model->old_filter));
	else if (key == KEYS_BACKSPACE)
		cut_last(text);
	else if (key >= ' ' && key < KEYS_UP)
		text_encode((uint32_t)key, text + length);
	if (strlen(text) < MODEL_FILTER)
		model_filter(model, text);
}

void keys_press(struct model *model, int key)
{
	if (model->help) {
		model->help = false;
		model->over = key == 'q';
		return;
	}
	if (model->asking) {
		type(model, key);
		return;
	}
	for (size_t i = 0; i < ROWS; i++)
		for (size_t k = 0; k < 4; k++)
			if (rows[i].keys[k] == key && key)
				rows[i].act(model, rows[i].argument);
}
