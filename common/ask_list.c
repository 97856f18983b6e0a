/* SPDX-License-Identifier: MIT */
/* Lists of sums, the largest first. */
#include "common/questions.h"

#include <stdio.h>

void process_cells(struct ask_names *names, int64_t id, struct cell *cells)
{
	const struct known_name *process = ask_names_of(names, NAME_PROCESS, id);

	cells[0] = CELL_OF_TEXT(process->text);
	cells[1] = CELL_OF(process->uid);
	cells[2] = CELL_OF_TEXT(process->host);
}

struct cell name_cell(struct ask_names *names, enum store_name kind, int64_t id)
{
	const char *text = ask_names_of(names, kind, id)->text;

	return CELL_OF_TEXT(text && *text ? text : NULL);
}

static void write_rows(struct ask *a, const struct ask_list *list, const struct tally *tally)
{
	struct answer_head head = ask_head(a, list->columns, list->n);
	uint64_t limit = a->request->limit ? a->request->limit : UINT64_MAX;
	struct cell cells[ANSWER_COLUMNS_MAX];
	struct ask_names names;

	ask_names_init(&names, a);
	a->request->writer->begin(&head);
	for (size_t i = 0; i < tally->n && i < limit && a->status == STORE_OK && !ferror(head.out); i++) {
		list->row(&names, &tally->rows[i], cells);
		a->request->writer->row(cells);
	}
	a->request->writer->end();
	ask_names_free(&names);
}

bool ask_list_run(struct ask *a, const struct ask_list *list)
{
	struct tally tally = { 0 };

	if (ask_plan(a) && tally_fact(&tally, a, list->fact, list->keys)) {
		tally_sort(&tally, list->value, list->other);
		write_rows(a, list, &tally);
	}
	tally_free(&tally);
	return a->status == STORE_OK;
}
