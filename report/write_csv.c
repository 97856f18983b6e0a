/* SPDX-License-Identifier: MIT */
/* csv (RFC 4180): a line of names, then a line a row; what is not known is empty. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/answer.h"

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
		putchar('"');
	if (*text && strchr("=+-@", *text))
		putchar('\'');
	for (; *text; text++) {
		if (is_control((unsigned char)*text))
			printf("\\x%02x", (unsigned char)*text);
		else
			fputs((char[]){ *text, *text == '"' ? '"' : '\0', '\0' }, stdout);
	}
	if (is_quoted)
		putchar('"');
}

static void end_line(void)
{
	fputs("\r\n", stdout);
}

static void begin(const struct answer_head *head)
{
	const char *comma = "";

	csv_head = head;
	for (size_t i = 0; i < head->n; i++) {
		if (head->columns[i].kind == CELL_BAR)
			continue;
		printf("%s%s", comma, head->columns[i].name);
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
		fputs(comma, stdout);
		comma = ",";
		if (column->kind == CELL_TEXT && cells[i].text)
			put_text(cells[i].text);
		else if (column->kind != CELL_TEXT && !cells[i].is_null)
			printf("%" PRId64, cells[i].number);
	}
	end_line();
}

static void end(void)
{
}

const struct writer csv_writer = { "csv", begin, row, end };
