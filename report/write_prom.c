/* SPDX-License-Identifier: MIT */
/*
 * prom: the text format of Prometheus: a gauge for each column that tells something, with
 * labels that tell rows apart, and the first time that is no label as timestamp.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/format.h"

static struct {
	const struct answer_head *head;
	struct kept_rows rows;
} state;

/* Backslash, quote and newline are escaped as the format says; other control bytes are \xNN. */
static void put_label(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n')
			fputs("\\n", state.head->out);
		else if (c == '"' || c == '\\')
			fprintf(state.head->out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(state.head->out, "\\\\x%02x", c);
		else
			putc(c, state.head->out);
	}
}

static void put_labels(const struct cell *cells)
{
	const char *before = "{";

	for (size_t i = 0; i < state.head->n; i++) {
		const struct column *column = &state.head->columns[i];

		if (!column->is_label)
			continue;
		fprintf(state.head->out, "%s%s=\"", before, column->name);
		before = ",";
		if (column->kind != CELL_TEXT && !cells[i].is_null)
			fprintf(state.head->out, "%" PRId64, cells[i].number);
		else if (column->kind == CELL_TEXT && cells[i].text)
			put_label(cells[i].text);
		putc('"', state.head->out);
	}
	if (*before == ',')
		putc('}', state.head->out);
}

static bool is_time(const struct column *column)
{
	return !column->is_label && (column->kind == CELL_TIME || column->kind == CELL_TIME_MS);
}

static void put_timestamp(const struct cell *cells)
{
	for (size_t i = 0; i < state.head->n; i++) {
		const struct column *column = &state.head->columns[i];

		if (!is_time(column))
			continue;
		fprintf(state.head->out, " %" PRId64,
			cells[i].number * (column->kind == CELL_TIME ? 1000 : 1));
		return;
	}
}

static void put_metric(size_t which)
{
	const struct column *column = &state.head->columns[which];
	char name[128];

	snprintf(name, sizeof(name), "jopil_report_%s_%s", state.head->verb, column->name);
	fprintf(state.head->out, "# HELP %s %s.\n# TYPE %s gauge\n", name, column->title, name);
	for (size_t i = 0; i < state.rows.n; i++) {
		const struct cell *cells = state.rows.cells + i * state.rows.columns;

		if (cells[which].is_null)
			continue;
		fputs(name, state.head->out);
		put_labels(cells);
		fprintf(state.head->out, " %" PRId64, cells[which].number);
		put_timestamp(cells);
		putc('\n', state.head->out);
	}
}

static void begin(const struct answer_head *head)
{
	state.head = head;
	state.rows = (struct kept_rows){ .columns = head->n };
}

static void row(const struct cell *cells)
{
	kept_rows_add(&state.rows, cells);
}

static void end(void)
{
	fprintf(state.head->out, "# covered: %" PRId64 " to %" PRId64 "\n", state.head->begin,
		state.head->end);
	for (size_t i = 0; i < state.head->n; i++) {
		const struct column *column = &state.head->columns[i];

		if (!column->is_label && !is_time(column) && column->kind != CELL_BAR &&
		    column->kind != CELL_TEXT)
			put_metric(i);
	}
	kept_rows_free(&state.rows);
}

const struct writer prom_writer = { "prom", begin, row, end };
