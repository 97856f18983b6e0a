/* SPDX-License-Identifier: MIT */
/* drops: what the kernel dropped, and why. */
#include "common/questions.h"

static const struct column columns[] = {
	{ "reason", "reason", CELL_TEXT, true, false },
	{ "proto", "protocol", CELL_TEXT, true, false },
	{ "host", "host", CELL_TEXT, true, true },
	{ "packets", "packets", CELL_COUNT, false, false },
	{ "bytes", "bytes", CELL_BYTES, false, false },
};

const struct answer_shape drops_shapes[] = {
	{ NULL, columns, sizeof(columns) / sizeof(columns[0]) },
	{ NULL, NULL, 0 },
};

static void row_of(struct ask_names *names, const struct tally_row *row, struct cell *cells)
{
	cells[0] = name_cell(names, NAME_REASON, row->key[1]);
	cells[1] = name_cell(names, NAME_PROTOCOL, row->key[2]);
	cells[2] = name_cell(names, NAME_HOST, row->key[0]);
	cells[3] = CELL_OF(row->sum[0]);
	cells[4] = CELL_OF(row->sum[1]);
}

bool drops_run(struct ask *a)
{
	const struct ask_list list = { FACT_DROP, TALLY_KEY(0) | TALLY_KEY(1) | TALLY_KEY(2), 0, 0, columns,
				   sizeof(columns) / sizeof(columns[0]), row_of };

	return ask_list_run(a, &list);
}
