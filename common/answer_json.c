/* SPDX-License-Identifier: MIT */
/* json: one object; ndjson: what it is about, then a line a row. */
#include "common/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/line_write.h"

static struct {
	const struct answer_head *head;
	FILE *out;
	bool is_later;		/* not the first row */
} state;

static void put_text(const char *text)
{
	size_t length = strlen(text);
	char *quoted = malloc(6 * length + 2);

	if (!quoted) {
		fputs("null", state.out);
		return;
	}
	fwrite(quoted, 1, (size_t)(line_put_string(quoted, text, length) - quoted), state.out);
	free(quoted);
}

static void put_cell(const struct column *column, const struct cell *cell)
{
	if (column->kind == CELL_TEXT && cell->text)
		put_text(cell->text);
	else if (column->kind == CELL_TEXT || cell->is_null)
		fputs("null", state.out);
	else
		fprintf(state.out, "%" PRId64, cell->number);
}

static void put_members(const struct cell *cells, bool follows)
{
	for (size_t i = 0; i < state.head->n; i++) {
		const struct column *column = &state.head->columns[i];

		if (column->kind == CELL_BAR)
			continue;
		fprintf(state.out, "%s\"%s\":", follows ? "," : "", column->name);
		put_cell(column, &cells[i]);
		follows = true;
	}
}

static void put_head(const struct answer_head *head)
{
	state.head = head;
	state.out = head->out;
	state.is_later = false;
	fprintf(state.out, "\"report\":\"%s\",\"by\":", head->verb);
	fprintf(state.out, head->by ? "\"%s\"" : "null", head->by);
	fprintf(state.out, ",\"from\":%" PRId64 ",\"to\":%" PRId64, head->from, head->to);
	if (head->begin == head->end)
		fputs(",\"covered_from\":null,\"covered_to\":null", state.out);
	else
		fprintf(state.out, ",\"covered_from\":%" PRId64 ",\"covered_to\":%" PRId64, head->begin,
			head->end);
}

static void json_begin(const struct answer_head *head)
{
	putc('{', head->out);
	put_head(head);
	fputs(",\"rows\":[", state.out);
}

static void json_row(const struct cell *cells)
{
	fputs(state.is_later ? ",\n{" : "\n{", state.out);
	state.is_later = true;
	put_members(cells, false);
	putc('}', state.out);
}

static void json_end(void)
{
	fputs("]}\n", state.out);
}

static void ndjson_begin(const struct answer_head *head)
{
	fputs("{\"type\":\"report\",", head->out);
	put_head(head);
	fputs("}\n", state.out);
}

static void ndjson_row(const struct cell *cells)
{
	fputs("{\"type\":\"row\"", state.out);
	put_members(cells, true);
	fputs("}\n", state.out);
}

static void ndjson_end(void)
{
}

const struct writer json_writer = { "json", json_begin, json_row, json_end };
const struct writer ndjson_writer = { "ndjson", ndjson_begin, ndjson_row, ndjson_end };
