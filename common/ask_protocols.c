/* SPDX-License-Identifier: MIT */
/* protocols: what was on the wire, by protocol and way. */
#include "common/questions.h"

static const struct column columns[] = {
	{ "proto", "protocol", CELL_TEXT, true, false },
	{ "host", "host", CELL_TEXT, true, true },
	{ "bytes", "total", CELL_BYTES, false, false },
	{ "ingress_bytes", "in", CELL_BYTES, false, false },
	{ "egress_bytes", "out", CELL_BYTES, false, false },
	{ "ingress_packets", "packets in", CELL_COUNT, false, false },
	{ "egress_packets", "packets out", CELL_COUNT, false, false },
};

const struct answer_shape protocols_shapes[] = {
	{ NULL, columns, sizeof(columns) / sizeof(columns[0]) },
	{ NULL, NULL, 0 },
};

static void row_of(struct ask_names *names, const struct tally_row *row, struct cell *cells)
{
	cells[0] = name_cell(names, NAME_PROTOCOL, row->key[1]);
	cells[1] = name_cell(names, NAME_HOST, row->key[0]);
	cells[2] = CELL_OF(row->sum[1] + row->sum[3]);
	cells[3] = CELL_OF(row->sum[1]);
	cells[4] = CELL_OF(row->sum[3]);
	cells[5] = CELL_OF(row->sum[0]);
	cells[6] = CELL_OF(row->sum[2]);
}

bool protocols_run(struct ask *a)
{
	const struct ask_list list = { FACT_PROTOCOL, TALLY_KEY(0) | TALLY_KEY(1), 1, 3, columns,
				   sizeof(columns) / sizeof(columns[0]), row_of };

	return ask_list_run(a, &list);
}
