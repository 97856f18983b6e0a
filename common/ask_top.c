/* SPDX-License-Identifier: MIT */
/* top: who moved most. */
#include "common/questions.h"

#include <string.h>

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* What processes moved, behind the labels; see put_traffic(). */
#define TRAFFIC_COLUMNS \
	{ "bytes", "total", CELL_BYTES, false, false }, \
	{ "tx_bytes", "sent", CELL_BYTES, false, false }, \
	{ "rx_bytes", "received", CELL_BYTES, false, false }, \
	{ "connections", "connections", CELL_COUNT, false, true }, \
	{ "failed", "failed", CELL_COUNT, false, true }, \
	{ "tx_calls", "sends", CELL_COUNT, false, true }, \
	{ "rx_calls", "receives", CELL_COUNT, false, true }

static void put_traffic(const struct tally_row *row, struct cell *cells)
{
	cells[0] = CELL_OF(row->sum[0] + row->sum[1]);
	cells[1] = CELL_OF(row->sum[0]);
	cells[2] = CELL_OF(row->sum[1]);
	cells[3] = CELL_OF(row->sum[4]);
	cells[4] = CELL_OF(row->sum[5]);
	cells[5] = CELL_OF(row->sum[2]);
	cells[6] = CELL_OF(row->sum[3]);
}

static const struct column process_columns[] = {
	{ "command", "process", CELL_TEXT, true, false },
	{ "uid", "user", CELL_PLAIN, true, false },
	{ "host", "host", CELL_TEXT, true, true },
	TRAFFIC_COLUMNS,
};

static void process_row(struct ask_names *names, const struct tally_row *row, struct cell *cells)
{
	process_cells(names, row->key[0], cells);
	put_traffic(row, cells + 3);
}

static const struct column remote_columns[] = {
	{ "remote_ip", "remote", CELL_TEXT, true, false },
	TRAFFIC_COLUMNS,
};

static void remote_row(struct ask_names *names, const struct tally_row *row, struct cell *cells)
{
	cells[0] = name_cell(names, NAME_REMOTE, row->key[1]);
	put_traffic(row, cells + 1);
}

static const struct column protocol_columns[] = {
	{ "proto", "protocol", CELL_TEXT, true, false },
	TRAFFIC_COLUMNS,
};

static void protocol_row(struct ask_names *names, const struct tally_row *row, struct cell *cells)
{
	cells[0] = name_cell(names, NAME_PROTOCOL, row->key[2]);
	put_traffic(row, cells + 1);
}

static const struct column port_columns[] = {
	{ "proto", "protocol", CELL_TEXT, true, false },
	{ "port", "port", CELL_PLAIN, true, false },
	{ "host", "host", CELL_TEXT, true, true },
	{ "bytes", "bytes", CELL_BYTES, false, false },
	{ "packets", "packets", CELL_COUNT, false, false },
};

static void port_row(struct ask_names *names, const struct tally_row *row, struct cell *cells)
{
	cells[0] = name_cell(names, NAME_PROTOCOL, row->key[1]);
	cells[1] = row->key[2] == STORE_NO_PORT ? CELL_NULL : CELL_OF(row->key[2]);
	cells[2] = name_cell(names, NAME_HOST, row->key[0]);
	cells[3] = CELL_OF(row->sum[1]);
	cells[4] = CELL_OF(row->sum[0]);
}

const struct answer_shape top_shapes[] = {
	{ "process", process_columns, N(process_columns) },
	{ "remote", remote_columns, N(remote_columns) },
	{ "protocol", protocol_columns, N(protocol_columns) },
	{ "port", port_columns, N(port_columns) },
	{ "flow", flow_columns, FLOW_COLUMNS },
	{ NULL, NULL, 0 },
};

const struct answer_shape remotes_shapes[] = {
	{ NULL, remote_columns, N(remote_columns) },
	{ NULL, NULL, 0 },
};

const char *const top_bys[] = { "process", "remote", "protocol", "port", "flow", NULL };

static const struct ask_list by_process = {
	FACT_TRAFFIC, TALLY_KEY(0), 0, 1, process_columns, N(process_columns), process_row,
};

const struct ask_list top_by_remote = {
	FACT_TRAFFIC, TALLY_KEY(1), 0, 1, remote_columns, N(remote_columns), remote_row,
};

static const struct ask_list by_protocol = {
	FACT_TRAFFIC, TALLY_KEY(2), 0, 1, protocol_columns, N(protocol_columns), protocol_row,
};

static const struct ask_list by_port = {
	FACT_PORT, TALLY_KEY(0) | TALLY_KEY(1) | TALLY_KEY(2), 1, 1, port_columns, N(port_columns), port_row,
};

/* As top_bys; flows are no sums. */
static const struct ask_list *const lists[] = { &by_process, &top_by_remote, &by_protocol, &by_port };

bool top_run(struct ask *a)
{
	for (size_t i = 0; i < N(lists); i++)
		if (!strcmp(a->request->by, top_bys[i]))
			return ask_list_run(a, lists[i]);
	return flows_run(a);
}
