/* SPDX-License-Identifier: MIT */
/* The lines of packets, and of packets folded: what they add to interfaces, the history and flows. */
#include "aggregator/packet_lines.h"

#include <string.h>

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* ---- flows: some lines later, when they have come from memory --------------------------- */

/* The flow's id, low side first; returns the side that sends. */
static ALWAYS_INLINE u8 make_id(const struct flow_key *key, u16 interface, struct flow_id *id)
{
	bool has_ports = key->flags & FLOW_PORTS;
	u16 src = has_ports ? __builtin_bswap16(key->src_port_be) : 0;
	u16 dst = has_ports ? __builtin_bswap16(key->dst_port_be) : 0;
	u64 s[2], d[2];
	u8 from;

	/* Any order will do, if it is always the same. */
	memcpy(s, key->src_ip, 16);
	memcpy(d, key->dst_ip, 16);
	if (s[0] != d[0])
		from = s[0] > d[0];
	else if (s[1] != d[1])
		from = s[1] > d[1];
	else
		from = src > dst;
	memcpy(id->ip[from], key->src_ip, 16);
	memcpy(id->ip[!from], key->dst_ip, 16);
	id->port[from] = src;
	id->port[!from] = dst;
	id->protocol = key->protocol;
	id->vlan = key->vlan;
	id->interface = interface;
	id->ip_version = key->ip_version;
	id->flags = key->flags & (FLOW_PORTS | FLOW_ICMP | FLOW_FRAGMENT);
	return from;
}

static void add_to_flow(struct aggregate *a, struct addition *x)
{
	struct flow_addition *add = &x->add;
	struct flow *f;

	if (a->has_idle)
		aggregate_expire(a);
	f = flow_table_get(&a->flows, &x->id, x->hash);
	if (!f) {
		a->no_memory++;
		return;
	}
	/* A gap in the flow's own time, if no clock is wrong. */
	if (!flow_is_new(f) && a->idle_ns && add->first_ns > f->last_ns + a->idle_ns &&
	    add->last_ns <= a->newest_ns)
		flow_table_renew(&a->flows, f);
	a->recent_flows += f->interval != a->interval;
	if (flow_is_new(f) && x->id.flags & FLOW_ICMP) {
		f->icmp_type = x->icmp_type;
		f->icmp_code = x->icmp_code;
	}
	add->interval = a->interval;
	add->used_s = (u32)a->newest_s;
	flow_add(f, add);
}

void aggregate_settle(struct aggregate *a)
{
	struct addition *x;

	while ((x = additions_take(&a->additions)))
		add_to_flow(a, x);
}

/* Sends what is in additions_next() on its way; what has been under way for long arrives. */
static ALWAYS_INLINE void give_to_flow(struct aggregate *a, struct addition *x, const struct flow_key *key,
				u16 interface)
{
	x->add.from = make_id(key, interface, &x->id);
	x->add.direction = key->direction;
	if (key->flags & FLOW_ICMP) {
		x->icmp_type = (u8)__builtin_bswap16(key->src_port_be);
		x->icmp_code = (u8)__builtin_bswap16(key->dst_port_be);
	}
	additions_give(&a->additions, &a->flows);
	if (additions_are_due(&a->additions))
		add_to_flow(a, additions_take_due(&a->additions));
}

/* ---- lines ------------------------------------------------------------------------------ */

/* The interface of the line just read; NULL, and counted, without memory. */
static inline struct interface *interface_of_line(struct aggregate *a, u16 *ret_number)
{
	int number = interfaces_find(&a->interfaces, aggregate_host(a), &a->reader);

	if (number < 0) {
		a->no_memory++;
		return NULL;
	}
	*ret_number = (u16)number;
	return a->interfaces.all[number];
}

/* What packets of one key add to the interface and the history; whether there is a flow to them. */
static ALWAYS_INLINE bool count_packets(struct aggregate *a, struct interface *i, const struct flow_key *key,
				 u64 time_ns, u64 packets, u64 bytes)
{
	struct amount amount = { packets, bytes };

	amount_add(&i->lines.direction[key->direction], &amount);
	amount_add(&i->lines.row[key->direction][total_row(key->ip_version, key->protocol)], &amount);
	if (aggregate_see_time(a, time_ns) && !i->counters_seen)
		history_add(&a->history, time_ns, key->direction, packets, bytes);
	return key->ip_version && !(key->flags & FLOW_NO_ADDRESS);
}

enum line_status packet_lines_packet(struct aggregate *a, const char *line, size_t length)
{
	struct feed_entry *entry = packet_feed_next(&a->feed);
	struct packet_record *r = &entry->packet;
	enum line_status status = packet_line_read(&a->reader, line, length, r);
	struct addition *x;
	struct interface *i;

	if (status != LINE_OK)
		return status;
	i = interface_of_line(a, &entry->interface);
	if (!i)
		return LINE_OK;
	packet_feed_add(&a->feed);
	a->packet_lines++;
	i->packet_lines++;
	if (r->cpu < CPUS_MAX)
		amount_add(&i->lines.cpu[r->cpu], &(struct amount){ 1, r->length });
	if (!count_packets(a, i, &r->key, r->time_ns, 1, r->length))
		return LINE_OK;
	x = additions_next(&a->additions);
	x->add = (struct flow_addition){ .packets = 1, .bytes = r->length, .first_ns = r->time_ns,
					 .last_ns = r->time_ns, .tcp_flags = r->tcp_flags };
	give_to_flow(a, x, &r->key, entry->interface);
	return LINE_OK;
}

enum line_status packet_lines_flow(struct aggregate *a, const char *line, size_t length)
{
	struct flow_record r;
	enum line_status status = flow_line_read(&a->reader, line, length, &r);
	struct addition *x;
	struct interface *i;
	u16 number;

	if (status != LINE_OK)
		return status;
	i = interface_of_line(a, &number);
	if (!i)
		return LINE_OK;
	a->flow_lines++;
	i->flow_packets += r.packets;
	if (!count_packets(a, i, &r.key, r.last_ns, r.packets, r.bytes))
		return LINE_OK;
	x = additions_next(&a->additions);
	x->add = (struct flow_addition){ .packets = r.packets, .bytes = r.bytes, .first_ns = r.first_ns,
					 .last_ns = r.last_ns, .tcp_flags = r.tcp_flags };
	give_to_flow(a, x, &r.key, number);
	return LINE_OK;
}
