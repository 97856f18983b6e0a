/* SPDX-License-Identifier: MIT */
/* Connections, and what was opened in this interval, in a snapshot. */
#include <stdio.h>

#include "aggregator/snapshot_parts.h"
#include "aggregator/top.h"
#include "common/names.h"
#include "common/protocol.h"

static void put_protocol(struct text *t, u16 protocol)
{
	char name[PROTOCOL_NAME_MAX];

	protocol_name(4, protocol, name);
	text_name(t, ",\"proto\":", name);
}

static void put_reason(struct text *t, const struct connection *c)
{
	const char *name = connection_reason_name(c->reason);
	char error[32];

	if (!name && c->reason == REASON_ERROR) {
		snprintf(error, sizeof(error), REASON_ERROR_PREFIX "%u", c->error);
		name = error;
	}
	text_name_or_null(t, ",\"reason\":", name);
}

/* Of what ended as it was said, of what is open until now; null before that. */
static void put_duration(struct text *t, const struct aggregate *a, const struct connection *c)
{
	u64 since_ns = c->established_ns ? c->established_ns : c->begun_ns;

	if (c->ended_ns && c->duration_ns != DURATION_NONE)
		text_time(t, ",\"duration_ms\":", c->duration_ns);
	else if (c->state == CONNECTION_OPEN && since_ns)
		text_time(t, ",\"duration_ms\":", a->newest_ns > since_ns ? a->newest_ns - since_ns : 0);
	else
		text_put(t, ",\"duration_ms\":null");
}

static void put_endpoints(struct text *t, const struct connection *c)
{
	const struct connection_id *id = &c->id;
	bool is_src = c->direction == DIRECTION_EGRESS;

	text_name(t, ",\"direction\":", is_src ? "egress" : "ingress");
	text_number(t, ",\"ip_version\":", id->ip_version);
	put_protocol(t, id->protocol);
	text_address(t, ",\"src_ip\":", id->ip_version, is_src ? id->local_ip : id->remote_ip);
	text_number(t, ",\"src_port\":", is_src ? id->local_port : id->remote_port);
	text_address(t, ",\"dst_ip\":", id->ip_version, is_src ? id->remote_ip : id->local_ip);
	text_number(t, ",\"dst_port\":", is_src ? id->remote_port : id->local_port);
	text_name_or_null(t, ",\"service\":", *c->service ? c->service : NULL);
}

static void put_times(struct text *t, const struct aggregate *a, const struct connection *c)
{
	u64 started_ns = c->begun_ns ? c->begun_ns : c->established_ns;

	text_time(t, ",\"started\":", started_ns ? started_ns : c->changed_ns);
	if (c->ended_ns)
		text_time(t, ",\"ended\":", c->ended_ns);
	else
		text_put(t, ",\"ended\":null");
	put_duration(t, a, c);
}

static void put_connection(struct text *t, const struct aggregate *a, const struct connection *c)
{
	static const char *const states[CONNECTION_STATES] = {
		[CONNECTION_CONNECTING] = "connecting",
		[CONNECTION_OPEN] = "open",
		[CONNECTION_CLOSED] = "closed",
		[CONNECTION_FAILURE] = "failed",
	};

	text_string(t, "{\"host\":", a->interfaces.hosts[c->id.host]);
	text_name(t, ",\"state\":", states[c->state]);
	put_reason(t, c);
	text_bool(t, ",\"existing\":", c->existing);
	snapshot_owner(t, c->owner.pid, c->owner.command, c->owner.uid);
	text_name_or_null(t, ",\"cgroup\":", c->cgroup);
	text_number(t, ",\"cgroup_id\":", c->owner.cgroup_id);
	text_number(t, ",\"netns\":", c->id.netns);
	put_endpoints(t, c);
	put_times(t, a, c);
	text_number(t, ",\"bytes_sent\":", c->bytes_sent);
	text_number(t, ",\"bytes_received\":", c->bytes_received);
	text_number_or_null(t, ",\"rtt_us\":", c->rtt_us, c->rtt_us);
	text_number_or_null(t, ",\"rtt_min_us\":", c->rtt_min_us, c->rtt_min_us);
	text_number(t, ",\"retransmits\":", c->retransmits);
	text_put(t, "}");
}

/* How early it is shown: failed now, changed now, others. */
static u32 rank(const struct connection *c, u32 interval)
{
	if (c->interval != interval)
		return 0;
	return c->state == CONNECTION_FAILURE ? 2 : 1;
}

static bool is_less(const void *one, const void *other, const void *data)
{
	const struct connection *a = one, *b = other;
	u32 interval = *(const u32 *)data;

	if (rank(a, interval) != rank(b, interval))
		return rank(a, interval) < rank(b, interval);
	return a->changed_ns < b->changed_ns;
}

static void put_connections(struct text *t, const struct aggregate *a, const struct snapshot_request *q)
{
	const struct lru_table *table = &a->connections.table;
	struct top top;

	if (top_init(&top, q->top, is_less, &a->interval)) {
		t->failed = true;
		return;
	}
	for (u8 list = 0; list < LRU_LISTS; list++)
		for (const void *row = lru_newest(table, list); row; row = lru_older(table, row))
			top_offer(&top, row);
	top_sort(&top);
	text_put(t, ",\"connections\":[");
	for (u32 i = 0; i < top.n; i++) {
		text_put(t, i ? "," : "");
		put_connection(t, a, top.rows[i]);
	}
	text_put(t, "]");
	top_free(&top);
}

static void put_table(struct text *t, const struct connections *c)
{
	text_number(t, ",\"connection_table\":{\"active\":", c->table.active);
	text_number(t, ",\"open\":", c->table.lists[LIST_OPEN].n + c->table.lists[LIST_OPEN_DATAGRAM].n);
	text_number(t, ",\"limit\":", c->table.limit);
	text_number(t, ",\"evicted\":", c->table.evicted);
	text_number(t, ",\"connects\":", c->n_connects);
	text_number(t, ",\"accepts\":", c->accepts);
	text_number(t, ",\"closed\":", c->closed);
	text_number(t, ",\"failed\":", c->failed);
	text_put(t, "}");
}

static void put_connect(struct text *t, const struct aggregate *a, const struct connect *c)
{
	text_string(t, "{\"host\":", a->interfaces.hosts[c->id.host]);
	snapshot_owner(t, c->id.pid, c->id.command, c->id.uid);
	put_protocol(t, c->id.protocol);
	text_address(t, ",\"dst_ip\":", c->id.ip_version, c->id.dst_ip);
	text_number(t, ",\"dst_port\":", c->id.dst_port);
	text_name(t, ",\"direction\":", c->id.direction == DIRECTION_EGRESS ? "egress" : "ingress");
	text_number(t, ",\"opened\":", c->opened);
	text_number(t, ",\"failed\":", c->failed);
	text_put(t, "}");
}

/* All of them: whoever adds them up over time needs them all. */
static void put_connects(struct text *t, const struct aggregate *a)
{
	const struct lru_table *table = &a->connections.connects;
	const char *between = "";

	text_put(t, ",\"connects\":[");
	for (const void *row = lru_newest(table, 0); row; row = lru_older(table, row), between = ",") {
		text_put(t, between);
		put_connect(t, a, row);
	}
	text_number(t, "],\"connects_left_out\":", a->connections.connects_left_out);
}

void snapshot_connections(struct text *t, const struct aggregate *a, const struct snapshot_request *q)
{
	put_connections(t, a, q);
	put_table(t, &a->connections);
	put_connects(t, a);
}

void snapshot_connections_interval(struct text *t, const struct aggregate *a)
{
	const struct connections *c = &a->connections;

	text_number(t, ",\"connects\":", c->n_connects - c->then.connects);
	text_number(t, ",\"accepts\":", c->accepts - c->then.accepts);
	text_number(t, ",\"closed\":", c->closed - c->then.closed);
	text_number(t, ",\"failed\":", c->failed - c->then.failed);
}
