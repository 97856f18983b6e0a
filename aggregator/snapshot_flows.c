/* SPDX-License-Identifier: MIT */
/* Flows, in a snapshot and one a line. */
#include "aggregator/flow_facts.h"
#include "aggregator/snapshot_parts.h"
#include "aggregator/tcp_state.h"
#include "aggregator/top.h"
#include "common/protocol.h"

#define NS_PER_S 1000000000ull
#define TCP 6

static void put_tcp(struct text *t, const struct flow *f, u8 src)
{
	static const char letters[] = "FSRPAUEC";

	if (f->id.protocol != TCP) {
		text_put(t, ",\"state\":null,\"tcp_flags_src\":null,\"tcp_flags_dst\":null");
		return;
	}
	text_name(t, ",\"state\":", tcp_state_name(f->open_flags[src], f->open_flags[!src]));
	for (u8 side = 0; side < 2; side++) {
		u8 flags = f->tcp_flags[side ? !src : src];
		char text[9], *p = text;

		for (u32 bit = 0; bit < 8; bit++)
			if (flags & 1u << bit)
				*p++ = letters[bit];
		*p = '\0';
		text_name(t, side ? ",\"tcp_flags_dst\":" : ",\"tcp_flags_src\":", text);
	}
}

/*
 * Which way src sends on the interface: "ingress" comes from there, "egress" is on our
 * side of it. null where both are seen, as on the loopback.
 */
static void put_way(struct text *t, const struct flow *f, u8 src)
{
	u8 mine = f->ways >> 2 * src & 3, other = f->ways >> 2 * !src & 3;
	u8 in = (mine >> DIRECTION_INGRESS | other >> DIRECTION_EGRESS) & 1;
	u8 out = (mine >> DIRECTION_EGRESS | other >> DIRECTION_INGRESS) & 1;

	text_name_or_null(t, ",\"src_direction\":", in == out ? NULL : in ? "ingress" : "egress");
}

/* The keys of a flow, behind whatever opens its object. */
static void put_flow(struct text *t, const struct aggregate *a, const struct flow *f,
		     const struct amount *recent, u64 interval_ns)
{
	const struct interface *i = a->interfaces.all[f->id.interface];
	struct flow_facts facts;
	const struct flow_side *src, *dst;
	bool ports = f->id.flags & FLOW_PORTS, icmp = f->id.flags & FLOW_ICMP;
	char name[PROTOCOL_NAME_MAX];

	flow_facts(a, f, &facts);
	src = &f->side[facts.src];
	dst = &f->side[!facts.src];
	protocol_name(f->id.ip_version, f->id.protocol, name);
	text_string(t, "\"host\":", a->interfaces.hosts[i->host]);
	text_string(t, ",\"ifname\":", i->name);
	text_number_or_null(t, ",\"vlan\":", f->id.vlan != VLAN_NONE, f->id.vlan);
	text_number(t, ",\"ip_version\":", f->id.ip_version);
	text_name(t, ",\"proto\":", name);
	text_address(t, ",\"src_ip\":", f->id.ip_version, f->id.ip[facts.src]);
	text_number_or_null(t, ",\"src_port\":", ports, f->id.port[facts.src]);
	text_address(t, ",\"dst_ip\":", f->id.ip_version, f->id.ip[!facts.src]);
	text_number_or_null(t, ",\"dst_port\":", ports, f->id.port[!facts.src]);
	put_way(t, f, facts.src);
	text_number(t, ",\"packets\":", flow_packets(f));
	text_number(t, ",\"bytes\":", flow_bytes(f));
	text_number(t, ",\"src_packets\":", src->packets);
	text_number(t, ",\"src_bytes\":", src->bytes);
	text_number(t, ",\"dst_packets\":", dst->packets);
	text_number(t, ",\"dst_bytes\":", dst->bytes);
	text_time(t, ",\"first\":", flow_first(f));
	text_time(t, ",\"last\":", f->last_ns);
	put_tcp(t, f, facts.src);
	text_number_or_null(t, ",\"icmp_type\":", icmp, f->icmp_type);
	text_number_or_null(t, ",\"icmp_code\":", icmp, f->icmp_code);
	text_bool(t, ",\"fragment\":", f->id.flags & FLOW_FRAGMENT);
	text_number_or_null(t, ",\"pid\":", facts.pid, facts.pid);
	text_name16(t, ",\"command\":", facts.command);
	text_number_or_null(t, ",\"rtt_us\":", facts.rtt_us, facts.rtt_us);
	text_number_or_null(t, ",\"retransmits\":", facts.has_retransmits, facts.retransmits);
	text_number_or_null(t, ",\"drops\":", facts.has_drops, facts.drops);
	text_number(t, ",\"bps\":", text_rate(recent->bytes * 8, interval_ns));
	text_number(t, ",\"pps\":", text_rate(recent->packets, interval_ns));
}

void flow_total_write(struct text *t, const struct aggregate *a, const struct flow *f)
{
	u64 life_ns = f->last_ns > flow_first(f) ? f->last_ns - flow_first(f) : NS_PER_S;
	struct amount all = { flow_packets(f), flow_bytes(f) };

	text_put(t, "{\"type\":\"flow_total\",");
	put_flow(t, a, f, &all, life_ns);
	text_put(t, "}\n");
}

/*
 * The flows of this interval are the newest in the list, so a million idle ones are not
 * looked at. Where there are many, the list leads all over the memory: a million take
 * 140 ms that way, 8 ms in the order in which they lie there.
 */
static void collect_top(const struct aggregate *a, struct top *top)
{
	const struct flow_table *table = &a->flows;

	if (a->recent_flows > table->used / 16) {
		for (u32 i = 0; i < table->used; i++)
			if (flow_at(table, i)->interval == a->interval)
				top_offer(top, flow_at(table, i));
		return;
	}
	FLOW_EACH_WHILE(table, at, flow_at(table, at)->interval == a->interval)
		top_offer(top, flow_at(table, at));
}

/* The first from here on that was not used in this interval. */
static u32 skip_recent(const struct aggregate *a, u32 at)
{
	while (at != FLOW_NONE && flow_at(&a->flows, at)->interval == a->interval)
		at = flow_older(&a->flows, at);
	return at;
}

/* What room there is goes to those used last, of both lists. */
static void collect_idle(const struct aggregate *a, struct top *top)
{
	const struct flow_table *table = &a->flows;
	u32 fresh = FLOW_NONE, kept = FLOW_NONE;

	if (top->n < top->most) {
		fresh = skip_recent(a, table->lists[FLOWS_NEW].newest);
		kept = skip_recent(a, table->lists[FLOWS_KEPT].newest);
	}
	while (top->n < top->most && (fresh != FLOW_NONE || kept != FLOW_NONE)) {
		bool is_fresh = kept == FLOW_NONE || (fresh != FLOW_NONE && flow_at(table, fresh)->last_ns >
								     flow_at(table, kept)->last_ns);
		u32 *at = is_fresh ? &fresh : &kept;

		top->rows[top->n++] = flow_at(table, *at);
		*at = flow_older(table, *at);
	}
}

static bool is_smaller(const void *one, const void *other, const void *data)
{
	const struct flow *a = one, *b = other;

	(void)data;
	if (a->recent_bytes != b->recent_bytes)
		return a->recent_bytes < b->recent_bytes;
	return flow_bytes(a) < flow_bytes(b);
}

static void put_rows(struct text *t, const struct aggregate *a, const struct top *top, u64 interval_ns)
{
	for (u32 i = 0; i < top->n; i++) {
		const struct flow *f = top->rows[i];
		bool active = f->interval == a->interval;
		struct amount recent = { active ? f->recent_packets : 0, active ? f->recent_bytes : 0 };

		text_put(t, i ? ",{" : "{");
		put_flow(t, a, f, &recent, interval_ns);
		text_put(t, "}");
	}
}

static void put_flows(struct text *t, const struct aggregate *a, const struct snapshot_request *q)
{
	struct top top;

	if (top_init(&top, q->top, is_smaller, NULL)) {
		t->failed = true;
		return;
	}
	collect_top(a, &top);
	top_sort(&top);
	collect_idle(a, &top);
	text_put(t, ",\"flows\":[");
	put_rows(t, a, &top, q->interval_ns);
	text_put(t, "]");
	top_free(&top);
}

static void put_flow_table(struct text *t, const struct aggregate *a)
{
	const struct flow_table *f = &a->flows;

	text_number(t, ",\"flow_table\":{\"active\":", f->active);
	text_number_or_null(t, ",\"limit\":", f->limit, f->limit);
	text_number(t, ",\"created\":", f->created);
	text_number(t, ",\"evicted\":", f->evicted);
	text_number(t, ",\"expired\":", f->expired);
	text_number(t, ",\"totals\":", a->flow_totals);
	text_number(t, ",\"totals_left_out\":", a->flow_totals_left_out);
	text_put(t, "}");
}

void snapshot_flows(struct text *t, const struct aggregate *a, const struct snapshot_request *q)
{
	put_flows(t, a, q);
	put_flow_table(t, a);
}
