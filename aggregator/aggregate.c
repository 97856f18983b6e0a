/* SPDX-License-Identifier: MIT */
/* What a line adds to all that the aggregator knows. */
#include "aggregator/aggregate.h"

#include <errno.h>
#include <string.h>

#include "aggregator/control.h"
#include "aggregator/host_lines.h"

#define NS_PER_S 1000000000ull
#define EXPIRE_A_LINE 4		/* idle flows dropped when time moves on: more than a line makes */
#define EXPIRE_A_SNAPSHOT 100000	/* bounds its time */
#define AHEAD_NS (86400 * NS_PER_S)	/* a time that far ahead is of a wrong clock */

static void leave(const struct flow *flow, void *data)
{
	struct aggregate *a = data;

	if (flow->interval == a->interval)
		aggregate_count_port(a, flow);
	if (a->flow_leaves)
		a->flow_leaves(flow, a->flow_leaves_data);
}

void aggregate_count_port(struct aggregate *a, const struct flow *flow)
{
	if (ports_add(&a->ports, flow, a->interfaces.all[flow->id.interface]->host))
		a->no_memory++;
}

int aggregate_init(struct aggregate *a, const struct aggregate_limits *limits)
{
	int err;

	memset(a, 0, sizeof(*a));
	line_reader_init(&a->reader);
	a->interval = 1;
	packet_feed_init(&a->feed, NS_PER_S);
	err = flow_table_init(&a->flows, limits->flows);
	a->flows.leave = leave;
	a->flows.leave_data = a;
	if (!err)
		err = ports_init(&a->ports);
	if (!err)
		err = processes_init(&a->processes, limits->processes);
	if (!err)
		err = connections_init(&a->connections, limits->connections);
	if (!err)
		err = drops_init(&a->drops);
	if (!err)
		err = latencies_init(&a->latencies);
	if (!err)
		err = probes_init(&a->probes);
	return err;
}

void aggregate_free(struct aggregate *a)
{
	line_reader_free(&a->reader);
	interfaces_free(&a->interfaces);
	flow_table_free(&a->flows);
	ports_free(&a->ports);
	processes_free(&a->processes);
	connections_free(&a->connections);
	drops_free(&a->drops);
	latencies_free(&a->latencies);
	probes_free(&a->probes);
}

/* Lines merged from several hosts say whose they are; else it was the last hello. */
u16 aggregate_host(struct aggregate *a)
{
	struct line_text nobody = { "", 0 };

	if (a->reader.host.text)
		return interfaces_host(&a->interfaces, a->reader.host);
	if (!a->interfaces.n_hosts)
		return interfaces_host(&a->interfaces, nobody);
	return a->host;
}

void aggregate_set_clock(struct aggregate *a, u64 unix_ns)
{
	a->latest_ns = unix_ns + AHEAD_NS;
}

static void expire(struct aggregate *a, u32 most)
{
	if (a->idle_ns && a->newest_ns > a->idle_ns)
		flow_table_expire(&a->flows, (a->newest_ns - a->idle_ns) / NS_PER_S, most);
}

bool aggregate_see_time(struct aggregate *a, u64 ns)
{
	if (a->latest_ns && ns > a->latest_ns)
		return false;
	if (ns > a->newest_ns) {
		a->newest_ns = ns;
		expire(a, EXPIRE_A_LINE);
	}
	return true;
}

/* The flow's id, low side first; returns the side that sends. */
static u8 make_id(const struct flow_key *key, u16 interface, struct flow_id *id)
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

static void add_to_flow(struct aggregate *a, const struct flow_key *key, u16 interface,
			struct flow_addition *add)
{
	struct flow_id id;
	struct flow *f;
	bool is_new;

	add->from = make_id(key, interface, &id);
	add->direction = key->direction;
	add->interval = a->interval;
	add->used_s = (u32)(a->newest_ns / NS_PER_S);
	f = flow_table_get(&a->flows, &id, &is_new);
	if (!f) {
		a->no_memory++;
		return;
	}
	/* A gap in the flow's own time, if no clock is wrong. */
	if (!is_new && a->idle_ns && add->first_ns > f->last_ns + a->idle_ns &&
	    add->last_ns <= a->newest_ns) {
		flow_table_renew(&a->flows, f);
		is_new = true;
	}
	a->recent_flows += f->interval != a->interval;
	if (is_new && key->flags & FLOW_ICMP) {
		f->icmp_type = (u8)__builtin_bswap16(key->src_port_be);
		f->icmp_code = (u8)__builtin_bswap16(key->dst_port_be);
	}
	flow_add(f, add);
}

/* What packets of one key add to the interface, the history and their flow. */
static void add_packets(struct aggregate *a, const struct flow_key *key, struct interface *i,
			u16 number, struct flow_addition *add)
{
	struct amount amount = { add->packets, add->bytes };

	amount_add(&i->lines.direction[key->direction], &amount);
	amount_add(&i->lines.row[key->direction][total_row(key->ip_version, key->protocol)], &amount);
	if (aggregate_see_time(a, add->last_ns) && !i->counters_seen)
		history_add(&a->history, add->last_ns, key->direction, add->packets, add->bytes);
	if (key->ip_version && !(key->flags & FLOW_NO_ADDRESS))
		add_to_flow(a, key, number, add);
}

/* The interface of the line just read; NULL, and counted, without memory. */
static struct interface *interface_of_line(struct aggregate *a, u16 *ret_number)
{
	int number = interfaces_find(&a->interfaces, aggregate_host(a), a->reader.ifname);

	if (number < 0) {
		a->no_memory++;
		return NULL;
	}
	*ret_number = (u16)number;
	return a->interfaces.all[number];
}

static enum line_status add_packet_line(struct aggregate *a, const char *line, size_t length)
{
	struct feed_entry *entry = packet_feed_next(&a->feed);
	struct packet_record *r = &entry->packet;
	enum line_status status = packet_line_read(&a->reader, line, length, r);
	struct flow_addition add;
	struct interface *i;

	if (status != LINE_OK)
		return status;
	i = interface_of_line(a, &entry->interface);
	if (!i)
		return LINE_OK;
	packet_feed_add(&a->feed);
	a->packet_lines++;
	i->packet_lines++;
	add = (struct flow_addition){ .packets = 1, .bytes = r->length, .first_ns = r->time_ns,
				      .last_ns = r->time_ns, .tcp_flags = r->tcp_flags };
	if (r->cpu < CPUS_MAX)
		amount_add(&i->lines.cpu[r->cpu], &(struct amount){ 1, r->length });
	add_packets(a, &r->key, i, entry->interface, &add);
	return LINE_OK;
}

static enum line_status add_flow_line(struct aggregate *a, const char *line, size_t length)
{
	struct flow_record r;
	enum line_status status = flow_line_read(&a->reader, line, length, &r);
	struct flow_addition add;
	struct interface *i;
	u16 number;

	if (status != LINE_OK)
		return status;
	i = interface_of_line(a, &number);
	if (!i)
		return LINE_OK;
	a->flow_lines++;
	i->flow_packets += r.packets;
	add = (struct flow_addition){ .packets = r.packets, .bytes = r.bytes, .first_ns = r.first_ns,
				      .last_ns = r.last_ns, .tcp_flags = r.tcp_flags };
	add_packets(a, &r.key, i, number, &add);
	return LINE_OK;
}

static enum line_status add_hello_line(struct aggregate *a, const char *line, size_t length)
{
	enum line_status status = control_hello(a, line, length);

	a->hello_lines += status == LINE_OK;
	return status;
}

static enum line_status add_counters_line(struct aggregate *a, const char *line, size_t length)
{
	enum line_status status = control_counters(a, line, length);

	a->counters_lines += status == LINE_OK;
	return status;
}

/*
 * What to do with a line, by its type. Others are counted and passed over. The most
 * frequent first; those that are read without looking at the type are wary of it.
 */
static const struct {
	struct line_text type;
	enum line_status (*add)(struct aggregate *a, const char *line, size_t length);
	bool is_wary;	/* says LINE_OTHER_TYPE where the type is another */
	u32 printed;	/* PRINT_*: which of them makes it go on as it came */
} types[] = {
	{ { "packet", 6 }, add_packet_line, true, 0 },
	{ { "flow", 4 }, add_flow_line, true, 0 },
	{ { "counters", 8 }, add_counters_line, false, PRINT_COUNTERS },
	{ { "hello", 5 }, add_hello_line, false, PRINT_PASSED },
	{ { "connection", 10 }, host_lines_connection, true, PRINT_CONNECTION },
	{ { "process", 7 }, host_lines_process, true, PRINT_PROCESS },
	{ { "drop", 4 }, host_lines_drop, true, 0 },
	{ { "latency", 7 }, host_lines_latency, false, PRINT_LATENCY },
	{ { "probe", 5 }, host_lines_probe, false, 0 },
	{ { "drop_counters", 13 }, host_lines_drop_counters, false, PRINT_COUNTERS },
};

static enum line_status add_by_type(struct aggregate *a, const char *line, size_t length)
{
	struct line_text type;
	enum line_status status = line_type(line, length, &type);

	if (status != LINE_OK)
		return status;
	for (u32 i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type.length != type.length ||
		    memcmp(types[i].type.text, type.text, type.length))
			continue;
		if (types[i].is_wary)
			a->guess = i;
		a->printed = types[i].printed;
		status = types[i].add(a, line, length);
		/* "type" stands twice, and differs. */
		return status == LINE_OTHER_TYPE ? LINE_WRONG_TYPE : status;
	}
	a->unknown_type++;
	a->printed = 0;
	return LINE_OK;
}

int aggregate_line(struct aggregate *a, const char *line, size_t length)
{
	enum line_status status = types[a->guess].add(a, line, length);

	a->lines++;
	a->printed = types[a->guess].printed;
	if (status == LINE_OTHER_TYPE)
		status = add_by_type(a, line, length);
	if (__builtin_expect(status == LINE_OK, 1))
		return -1;
	a->bad[status == LINE_NOT_JSON ? BAD_JSON : BAD_TYPE]++;
	return status == LINE_NOT_JSON ? BAD_JSON : BAD_TYPE;
}

void aggregate_next_interval(struct aggregate *a)
{
	for (u32 i = 0; i < a->interfaces.n; i++)
		interface_mark(a->interfaces.all[i]);
	a->interval++;
	packet_feed_clear(&a->feed);
	a->recent_flows = 0;
	expire(a, EXPIRE_A_SNAPSHOT);
	if (a->idle_ns && a->newest_ns > a->idle_ns)
		connections_expire(&a->connections, &a->processes, a->newest_ns - a->idle_ns,
				   EXPIRE_A_SNAPSHOT);
	connections_next_interval(&a->connections);
	drops_next_interval(&a->drops);
}
