/* SPDX-License-Identifier: MIT */
/* What the kernel dropped, in a snapshot. */
#include <string.h>

#include "aggregator/snapshot_parts.h"
#include "aggregator/top.h"
#include "common/protocol.h"

static u64 more(u64 now, u64 then)
{
	return now > then ? now - then : 0;
}

static u64 recent_packets(const struct drop_row *row)
{
	return more(drop_row_total(row)->packets, row->then.packets);
}

static bool is_unspecified(const struct drop_row *row)
{
	return !strcmp(row->reason, DROP_UNSPECIFIED);
}

static bool row_less(const void *one, const void *other, const void *data)
{
	const struct drop_row *a = one, *b = other;

	(void)data;
	if (recent_packets(a) != recent_packets(b))
		return recent_packets(a) < recent_packets(b);
	return drop_row_total(a)->packets < drop_row_total(b)->packets;
}

static void put_row(struct text *t, const struct aggregate *a, const struct drop_row *row, u64 interval_ns)
{
	const struct amount *total = drop_row_total(row);
	char name[PROTOCOL_NAME_MAX];

	if (row->id.row != DROP_ROW_UNKNOWN)
		protocol_row_name(row->id.row, name);
	text_string(t, "{\"host\":", a->interfaces.hosts[row->id.host]);
	text_name(t, ",\"reason\":", row->reason);
	text_number(t, ",\"reason_code\":", row->id.reason);
	text_name_or_null(t, ",\"proto\":", row->id.row != DROP_ROW_UNKNOWN ? name : NULL);
	text_number(t, ",\"packets\":", total->packets);
	text_number(t, ",\"bytes\":", total->bytes);
	text_number(t, ",\"pps\":", text_rate(recent_packets(row), interval_ns));
	text_number(t, ",\"interval_packets\":", recent_packets(row));
	text_put(t, "}");
}

/* Fills a top, and sums up what says no reason. */
static void collect(const struct lru_table *rows, struct top *top, struct amount *ret_unspecified,
		    u64 *ret_recent)
{
	for (const struct drop_row *row = lru_newest(rows, 0); row; row = lru_older(rows, row)) {
		if (is_unspecified(row)) {
			amount_add(ret_unspecified, drop_row_total(row));
			*ret_recent += recent_packets(row);
		} else if (drop_row_total(row)->packets) {
			top_offer(top, row);
		}
	}
	top_sort(top);
}

static void put_rows(struct text *t, const struct aggregate *a, const struct snapshot_request *q)
{
	struct amount unspecified = { 0, 0 };
	u64 recent = 0;
	struct top top;

	if (top_init(&top, q->top, row_less, NULL)) {
		t->failed = true;
		return;
	}
	collect(&a->drops.rows, &top, &unspecified, &recent);
	text_put(t, ",\"drops\":[");
	for (u32 i = 0; i < top.n; i++) {
		text_put(t, i ? "," : "");
		put_row(t, a, top.rows[i], q->interval_ns);
	}
	text_number(t, "],\"drops_unspecified\":{\"packets\":", unspecified.packets);
	text_number(t, ",\"bytes\":", unspecified.bytes);
	text_number(t, ",\"pps\":", text_rate(recent, q->interval_ns));
	text_put(t, "}");
	top_free(&top);
}

/* ---- flows ------------------------------------------------------------------------------------ */

static bool flow_less(const void *one, const void *other, const void *data)
{
	const struct drop_flow *a = one, *b = other;
	u32 interval = *(const u32 *)data;
	u64 recent = a->interval == interval ? a->recent : 0;
	u64 recent_b = b->interval == interval ? b->recent : 0;

	if (recent != recent_b)
		return recent < recent_b;
	return a->last_ns < b->last_ns;
}

static void put_endpoints(struct text *t, const struct drop_flow_id *id)
{
	bool known = !(id->flags & FLOW_NO_ADDRESS), ports = id->flags & FLOW_PORTS;
	char name[PROTOCOL_NAME_MAX];

	text_number_or_null(t, ",\"ip_version\":", id->ip_version, id->ip_version);
	if (id->ip_version || id->protocol)
		protocol_name(id->ip_version, id->protocol, name);
	text_name_or_null(t, ",\"proto\":", id->ip_version || id->protocol ? name : NULL);
	text_address(t, ",\"src_ip\":", known ? id->ip_version : 0, id->src_ip);
	text_number_or_null(t, ",\"src_port\":", ports, id->src_port);
	text_address(t, ",\"dst_ip\":", known ? id->ip_version : 0, id->dst_ip);
	text_number_or_null(t, ",\"dst_port\":", ports, id->dst_port);
}

static void put_flow(struct text *t, const struct aggregate *a, const struct drop_flow *f)
{
	const struct drop_flow_id *id = &f->id;

	text_string(t, "{\"host\":", a->interfaces.hosts[id->host]);
	text_name16(t, ",\"ifname\":", id->ifname[0] ? id->ifname : NULL);
	text_number(t, ",\"netns\":", id->netns);
	put_endpoints(t, id);
	text_name(t, ",\"reason\":", f->reason);
	text_number(t, ",\"reason_code\":", id->reason);
	text_name_or_null(t, ",\"location\":", id->location[0] ? id->location : NULL);
	text_number(t, ",\"packets\":", f->total.packets);
	text_number(t, ",\"bytes\":", f->total.bytes);
	text_number(t, ",\"recent\":", f->interval == a->interval ? f->recent : 0);
	text_time(t, ",\"last\":", f->last_ns);
	text_put(t, "}");
}

static void put_flows(struct text *t, const struct aggregate *a, const struct snapshot_request *q)
{
	const struct lru_table *table = &a->drops.flows;
	struct top top;

	if (top_init(&top, q->top, flow_less, &a->interval)) {
		t->failed = true;
		return;
	}
	for (const void *row = lru_newest(table, 0); row; row = lru_older(table, row))
		top_offer(&top, row);
	top_sort(&top);
	text_put(t, ",\"drop_flows\":[");
	for (u32 i = 0; i < top.n; i++) {
		text_put(t, i ? "," : "");
		put_flow(t, a, top.rows[i]);
	}
	text_put(t, "]");
	top_free(&top);
}

void snapshot_drops(struct text *t, const struct aggregate *a, const struct snapshot_request *q)
{
	put_rows(t, a, q);
	put_flows(t, a, q);
}

void snapshot_drops_interval(struct text *t, const struct aggregate *a)
{
	const struct lru_table *rows = &a->drops.rows;
	u64 specified = 0, unspecified = 0;

	for (const struct drop_row *row = lru_newest(rows, 0); row; row = lru_older(rows, row))
		*(is_unspecified(row) ? &unspecified : &specified) += recent_packets(row);
	text_number(t, ",\"drops\":", specified);
	text_number(t, ",\"drops_unspecified\":", unspecified);
}
