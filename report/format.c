/* SPDX-License-Identifier: MIT */
/* The formats, and rows that are kept. */
#include "report/format.h"

#include <stdlib.h>
#include <string.h>

static bool is_cut;

static const struct writer *const writers[] = {
	&table_writer, &json_writer, &ndjson_writer, &csv_writer, &prom_writer,
};

const struct writer *writer_find(const char *name)
{
	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++)
		if (!strcmp(writers[i]->name, name))
			return writers[i];
	return NULL;
}

bool answer_is_cut(void)
{
	return is_cut;
}

static bool make_room(struct kept_rows *rows)
{
	size_t allocated = rows->allocated ? 2 * rows->allocated : 64;
	struct cell *cells;

	if (rows->n < rows->allocated)
		return true;
	cells = reallocarray(rows->cells, allocated, rows->columns * sizeof(*cells));
	if (!cells)
		return false;
	rows->cells = cells;
	rows->allocated = allocated;
	return true;
}

void kept_rows_add(struct kept_rows *rows, const struct cell *cells)
{
	struct cell *to;

	if (rows->is_full || !make_room(rows)) {
		rows->is_full = is_cut = true;
		return;
	}
	to = rows->cells + rows->n++ * rows->columns;
	for (size_t i = 0; i < rows->columns; i++) {
		to[i] = cells[i];
		if (!cells[i].text)
			continue;
		to[i].text = strdup(cells[i].text);
		is_cut |= !to[i].text;
	}
}

void kept_rows_free(struct kept_rows *rows)
{
	for (size_t i = 0; i < rows->n * rows->columns; i++)
		free((char *)rows->cells[i].text);
	free(rows->cells);
	*rows = (struct kept_rows){ 0 };
}
