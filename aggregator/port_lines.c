/* SPDX-License-Identifier: MIT */
/* What flows moved in one interval, a line a service port. */
#include "aggregator/snapshot.h"
#include "common/protocol.h"

/* As for the snapshot's first rows: a million idle flows are not looked at. */
static void count_flows(struct aggregate *a)
{
	const struct flow_table *table = &a->flows;

	if (a->recent_flows > table->used / 16) {
		for (u32 i = 0; i < table->used; i++)
			if (flow_at(table, i)->interval == a->interval)
				aggregate_count_port(a, flow_at(table, i));
		return;
	}
	FLOW_EACH_WHILE(table, at, flow_at(table, at)->interval == a->interval)
		aggregate_count_port(a, flow_at(table, at));
}

static void put_port(struct text *t, const struct aggregate *a, const struct port_row *row, u64 now_ns)
{
	bool has_port = row->port != PORT_NONE;
	char name[PROTOCOL_NAME_MAX];

	protocol_name(row->ip_version, row->protocol, name);
	text_put(t, "{\"type\":\"port\"");
	text_time(t, ",\"timestamp\":", now_ns);
	text_string(t, ",\"host\":", a->interfaces.hosts[row->host]);
	text_name(t, ",\"proto\":", name);
	text_number_or_null(t, ",\"port\":", has_port, has_port ? row->port : 0);
	text_number(t, ",\"packets\":", row->moved.packets);
	text_number(t, ",\"bytes\":", row->moved.bytes);
	text_put(t, "}\n");
}

void port_lines_write(struct text *t, struct aggregate *a, const struct snapshot_request *q)
{
	/* Of a recorded stream the time is its own. */
	u64 now_ns = a->newest_ns ? a->newest_ns : q->now_ns;

	count_flows(a);
	for (u32 i = 0; i < a->ports.n; i++)
		put_port(t, a, &a->ports.rows[i], now_ns);
	ports_clear(&a->ports);
}
