/* SPDX-License-Identifier: MIT */
/* csv (RFC 4180): a line of names, then a line a row; what is not known is empty. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/format.h"

static const struct answer_head *csv_head;

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

/*
 * Control bytes are \xNN: a row is a line, and harmless in a terminal. What a spreadsheet
 * takes for the start of a formula gets an apostrophe in front: names come from outside.
 */
static void put_text(const char *text)
{
	bool is_quoted = strpbrk(text, ",\" ") != NULL;

	if (is_quoted)
		putc('"', csv_head->out);
	if (*text && strchr("=+-@", *text))
		putc('\'', csv_head->out);
	for (; *text; text++) {
		if (is_control((unsigned char)*text))
			fprintf(csv_head->out, "\\x%02x", (unsigned char)*text);
		else
			fputs((char[]){ *text, *text == '"' ? '"' : '\0', '\0' }, csv_head->out);
	}
	if (is_quoted)
		putc('"', csv_head->out);
}

static void end_line(void)
{
	fputs("\r\n", csv_head->out);
}

static void begin(const struct answer_head *head)
{
	const char *comma = "";

	csv_head = head;
	for (size_t i = 0; i < head->n; i++) {
		if (head->columns[i].kind == CELL_BAR)
			continue;
		fprintf(csv_head->out, "%s%s", comma, head->columns[i].name);
		comma = ",";
	}
	end_line();
}

static void row(const struct cell *cells)
{
	const char *comma = "";

	for (size_t i = 0; i < csv_head->n; i++) {
		const struct column *column = &csv_head->columns[i];

		if (column->kind == CELL_BAR)
			continue;
		fputs(comma, csv_head->out);
		comma = ",";
		if (column->kind == CELL_TEXT && cells[i].text)
			put_text(cells[i].text);
		else if (column->kind != CELL_TEXT && !cells[i].is_null)
			fprintf(csv_head->out, "%" PRId64, cells[i].number);
	}
	end_line();
}

static void end(void)
{
}

const struct writer csv_writer = { "csv", begin, row, end };
