/* SPDX-License-Identifier: MIT */
/* flows: large flows that ended in the range, the largest first. */
#include "common/questions.h"

#include <stdio.h>

#define SQL_MAX 2048

/* As the SELECT below has them. */
const struct column flow_columns[FLOW_COLUMNS] = {
	{ "proto", "proto", CELL_TEXT, true, false },
	{ "src_ip", "source", CELL_TEXT, true, false },
	{ "src_port", "port", CELL_PLAIN, true, false },
	{ "dst_ip", "destination", CELL_TEXT, true, false },
	{ "dst_port", "port", CELL_PLAIN, true, false },
	{ "bytes", "total", CELL_BYTES, false, false },
	{ "src_bytes", "sent", CELL_BYTES, false, true },
	{ "dst_bytes", "received", CELL_BYTES, false, true },
	{ "command", "process", CELL_TEXT, true, true },
	{ "last_ms", "ended", CELL_TIME_MS, false, true },
	{ "pid", "pid", CELL_PLAIN, true, true },
	{ "src_packets", "packets sent", CELL_COUNT, false, true },
	{ "dst_packets", "packets received", CELL_COUNT, false, true },
	{ "first_ms", "began", CELL_TIME_MS, true, true },
	{ "ifname", "interface", CELL_TEXT, true, true },
	{ "host", "host", CELL_TEXT, true, true },
	{ "vlan", "VLAN", CELL_PLAIN, true, true },
	{ "state", "state", CELL_TEXT, true, true },
	{ "rtt_us", "round trip", CELL_US, false, true },
	{ "retransmits", "retransmits", CELL_COUNT, false, true },
	{ "drops", "drops", CELL_COUNT, false, true },
};

const struct answer_shape flows_shapes[] = {
	{ NULL, flow_columns, FLOW_COLUMNS },
	{ NULL, NULL, 0 },
};

static void make_sql(const struct ask_request *r, char sql[SQL_MAX])
{
	snprintf(sql, SQL_MAX,
		 "SELECT q.name, src_ip, src_port, dst_ip, dst_port, src_bytes + dst_bytes AS bytes,"
		 " src_bytes, dst_bytes, command, last_ms, pid, src_packets, dst_packets, first_ms, i.name,"
		 " h.name, vlan, state, rtt_us, retransmits, drops FROM flow f"
		 " JOIN protocol q ON q.id=f.protocol"
		 " JOIN interface i ON i.id=f.interface JOIN host h ON h.id=f.host"
		 " WHERE last_ms>=%lld AND last_ms<%lld%s%s%s%s ORDER BY bytes DESC, f.id LIMIT %lld",
		 (long long)r->from * 1000, (long long)r->to * 1000,
		 r->process ? " AND command=:process" : "",
		 r->proto ? " AND q.name=:proto COLLATE NOCASE" : "", r->host ? " AND h.name=:host" : "",
		 r->network.family ? " AND (in_network(src_ip) OR in_network(dst_ip))" : "",
		 r->limit ? (long long)r->limit : -1ll);
}

static void put_row(const struct ask_request *r, sqlite3_stmt *statement)
{
	struct cell cells[FLOW_COLUMNS];

	for (size_t i = 0; i < FLOW_COLUMNS; i++) {
		cells[i] = flow_columns[i].kind == CELL_TEXT
			? CELL_OF_TEXT((const char *)sqlite3_column_text(statement, (int)i))
			: CELL_OF(sqlite3_column_int64(statement, (int)i));
		cells[i].is_null = sqlite3_column_type(statement, (int)i) == SQLITE_NULL;
	}
	r->writer->row(cells);
}

bool flows_run(struct ask *a)
{
	const struct ask_request *r = a->request;
	struct answer_head head = ask_head(a, flow_columns, FLOW_COLUMNS);
	sqlite3_stmt *statement;
	char sql[SQL_MAX];
	int code;

	make_sql(r, sql);
	statement = ask_prepare(a, sql);
	if (!statement)
		return false;
	/* Flows are kept one by one: what is covered is the range itself. */
	head.begin = r->from;
	head.end = r->to;
	r->writer->begin(&head);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW && !ferror(a->request->out))
		put_row(r, statement);
	ask_check(a, code);
	r->writer->end();
	sqlite3_finalize(statement);
	return a->status == STORE_OK;
}
