/* SPDX-License-Identifier: MIT */
/* table: for people; aligned to the terminal's width, numbers rounded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store.h"
#include "report/format.h"
#include "report/text.h"

#define GAP 2
#define TEXT_MIN 12		/* texts are cut to this before columns are left out */
#define BAR_MIN 10
#define BAR_GOOD 30		/* spare columns leave for it */
#define BAR_MAX 60

static struct {
	const struct answer_head *head;
	struct kept_rows rows;	/* as shown: texts; of bars the numbers */
	size_t width[ANSWER_COLUMNS_MAX];
	bool is_out[ANSWER_COLUMNS_MAX];
	int64_t largest;	/* of bars */
} state;

/* ---- cells as text --------------------------------------------------------- */

static void show_number(enum cell_kind kind, int64_t number, char text[TEXT_TIME_MAX])
{
	switch (kind) {
	case CELL_COUNT:
		text_number(number, "", text);
		break;
	case CELL_BYTES:
		text_number(number, "B", text);
		break;
	case CELL_US:
		text_duration_us(number, text);
		break;
	case CELL_TIME:
		text_time(number, number % 60 != 0, text);
		break;
	case CELL_TIME_MS:
		text_time(number / 1000, true, text);
		break;
	default:
		snprintf(text, TEXT_TIME_MAX, "%lld", (long long)number);
		break;
	}
}

static struct cell shown_cell(const struct column *column, const struct cell *cell, char text[TEXT_TIME_MAX])
{
	if (column->kind == CELL_BAR)
		return *cell;
	strcpy(text, "-");
	if (column->kind != CELL_TEXT && !cell->is_null)
		show_number(column->kind, cell->number, text);
	return CELL_OF_TEXT(text);
}

static void row(const struct cell *cells)
{
	char texts[ANSWER_COLUMNS_MAX][TEXT_TIME_MAX], *clean[ANSWER_COLUMNS_MAX];
	struct cell shown[ANSWER_COLUMNS_MAX] = { 0 };
	const size_t n = state.head->n;

	for (size_t i = 0; i < n; i++) {
		const struct column *column = &state.head->columns[i];
		bool is_text = column->kind == CELL_TEXT && cells[i].text && *cells[i].text;

		clean[i] = is_text ? text_for_terminal(cells[i].text) : NULL;
		shown[i] = clean[i] ? CELL_OF_TEXT(clean[i]) : shown_cell(column, &cells[i], texts[i]);
		if (column->kind == CELL_BAR && !cells[i].is_null && cells[i].number > state.largest)
			state.largest = cells[i].number;
	}
	kept_rows_add(&state.rows, shown);
	for (size_t i = 0; i < n; i++)
		free(clean[i]);
}

/* ---- widths ---------------------------------------------------------------- */

static const char *text_at(size_t r, size_t i)
{
	return state.rows.cells[r * state.rows.columns + i].text;
}

static void measure(void)
{
	for (size_t i = 0; i < state.head->n; i++) {
		size_t widest = text_width(state.head->columns[i].title);

		for (size_t r = 0; r < state.rows.n; r++) {
			size_t width = text_at(r, i) ? text_width(text_at(r, i)) : 0;

			widest = width > widest ? width : widest;
		}
		if (state.head->columns[i].kind == CELL_BAR && widest < BAR_MIN)
			widest = BAR_MIN;
		state.width[i] = widest;
		state.is_out[i] = false;
	}
}

static size_t total_width(void)
{
	size_t total = 0;

	for (size_t i = 0; i < state.head->n; i++)
		if (!state.is_out[i])
			total += state.width[i] + (total ? GAP : 0);
	return total;
}

/* The widest column of texts; its number, or n. */
static size_t widest_text(void)
{
	size_t best = state.head->n;

	for (size_t i = 0; i < state.head->n; i++)
		if (state.head->columns[i].kind == CELL_TEXT && !state.is_out[i] &&
		    state.width[i] > TEXT_MIN &&
		    (best == state.head->n || state.width[i] > state.width[best]))
			best = i;
	return best;
}

static bool leave_out_last_spare(void)
{
	for (size_t i = state.head->n; i-- > 0;)
		if (state.head->columns[i].is_spare && !state.is_out[i]) {
			state.is_out[i] = true;
			return true;
		}
	return false;
}

/* The column of bars, or n. */
static size_t bars(void)
{
	size_t i = 0;

	while (i < state.head->n && state.head->columns[i].kind != CELL_BAR)
		i++;
	return i;
}

/* Spare columns go first, then texts are cut; a bar takes what is left. */
static void fit(size_t terminal)
{
	size_t wanted = bars() < state.head->n ? BAR_GOOD - BAR_MIN : 0, i;

	while (total_width() + wanted > terminal && leave_out_last_spare())
		;
	while (total_width() > terminal && (i = widest_text()) < state.head->n)
		state.width[i]--;
	for (i = 0; i < state.head->n; i++) {
		size_t total = total_width(), room = total < terminal ? terminal - total : 0;

		if (state.head->columns[i].kind != CELL_BAR)
			continue;
		state.width[i] += room;
		if (state.width[i] > BAR_MAX)
			state.width[i] = BAR_MAX;
	}
}

/* ---- lines ----------------------------------------------------------------- */

static void pad(size_t n)
{
	while (n--)
		putc(' ', state.head->out);
}

static void put_cut(const char *text, size_t width)
{
	bool is_whole = text_width(text) <= width;
	const char *ellipsis = text_is_utf8() ? "\u2026" : "~";

	if (is_whole)
		fputs(text, state.head->out);
	else
		fprintf(state.head->out, "%.*s%s", (int)text_cut(text, width - 1), text, ellipsis);
}

static void put_text(const char *text, size_t width, bool to_the_right, bool is_last)
{
	size_t used = text_width(text) < width ? text_width(text) : width;

	if (to_the_right)
		pad(width - used);
	put_cut(text, width);
	if (!to_the_right && !is_last)
		pad(width - used);
}

/* Eighths of a column where there are such characters. */
static void put_bar(const struct cell *cell, size_t width)
{
	static const char *const eighths[] = { "", "\u258f", "\u258e", "\u258d", "\u258c",
					       "\u258b", "\u258a", "\u2589" };
	bool is_utf8 = text_is_utf8();
	double share = state.largest > 0 ? (double)cell->number / (double)state.largest : 0;
	size_t parts = is_utf8 ? 8 : 1, n = (size_t)(share * (double)(width * parts) + 0.5);

	if (cell->is_null)
		return;
	if (!n && cell->number > 0)
		n = 1;
	for (size_t i = 0; i < n / parts; i++)
		fputs(is_utf8 ? "\u2588" : "#", state.head->out);
	fputs(eighths[n % parts], state.head->out);
}

static bool is_right(enum cell_kind kind)
{
	return kind != CELL_TEXT && kind != CELL_TIME && kind != CELL_TIME_MS && kind != CELL_BAR;
}

/* r: the row; n: the titles. */
static void put_line(size_t r)
{
	size_t last = state.head->n;
	bool is_later = false;

	while (last > 0 && state.is_out[last - 1])
		last--;
	for (size_t i = 0; i < last; i++) {
		const struct column *column = &state.head->columns[i];

		if (state.is_out[i])
			continue;
		if (is_later)
			pad(GAP);
		is_later = true;
		if (r == state.rows.n)
			put_text(column->title, state.width[i], is_right(column->kind), i + 1 == last);
		else if (column->kind == CELL_BAR)
			put_bar(&state.rows.cells[r * state.rows.columns + i], state.width[i]);
		else
			put_text(text_at(r, i) ? text_at(r, i) : "-", state.width[i],
				 is_right(column->kind), i + 1 == last);
	}
	putc('\n', state.head->out);
}

static void put_range(const char *before, int64_t from, int64_t to, const char *after)
{
	bool has_seconds = from % 60 || to % 60;
	char begin[TEXT_TIME_MAX], end[TEXT_TIME_MAX];

	text_time(from, has_seconds, begin);
	text_time(to, has_seconds, end);
	fprintf(state.head->out, "%s%s to %s%s", before, begin, end, after);
}

static bool is_watched(size_t r)
{
	size_t i = bars();

	return i == state.head->n || !state.rows.cells[r * state.rows.columns + i].is_null;
}

/* Time at either end that nobody watched is left out: the line above says so. */
static void put_rows(void)
{
	size_t first = 0, end = state.rows.n;

	while (first < end && !is_watched(first))
		first++;
	while (end > first && !is_watched(end - 1))
		end--;
	for (size_t r = first; r < end; r++)
		put_line(r);
}

/* What came since the last slot ended is not worth a line. */
static bool is_all_there(const struct answer_head *head)
{
	return head->begin == head->from && head->end <= head->to &&
	       head->to - head->end <= STORE_RAW_SECONDS;
}

static void begin(const struct answer_head *head)
{
	state.head = head;
	state.largest = 0;
	state.rows = (struct kept_rows){ .columns = head->n };
}

static void end(void)
{
	const struct answer_head *head = state.head;

	fprintf(state.head->out, "%s%s%s", head->verb, head->by ? " by " : "", head->by ? head->by : "");
	put_range(", ", head->from, head->to, "\n");
	if (head->begin == head->end)
		fputs("nothing was recorded\n", state.head->out);
	else if (!is_all_there(head))
		put_range("recorded: ", head->begin, head->end, "\n");
	putc('\n', state.head->out);
	measure();
	fit(text_terminal_width());
	put_line(state.rows.n);
	put_rows();
	kept_rows_free(&state.rows);
}

const struct writer table_writer = { "table", begin, row, end };
