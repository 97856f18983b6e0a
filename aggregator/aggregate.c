/* SPDX-License-Identifier: MIT */
/* What a line adds to all that the aggregator knows. */
#include "aggregator/aggregate.h"

#include <errno.h>
#include <string.h>

#include "aggregator/control.h"
#include "aggregator/host_lines.h"
#include "aggregator/packet_lines.h"

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
	a->first_host = (struct line_text){ "", 0 };
	packet_feed_init(&a->feed, NS_PER_S);
	err = flow_table_init(&a->flows, limits->flows);
	a->flows.interval = a->interval;
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

u16 aggregate_told_host(struct aggregate *a)
{
	return interfaces_host(&a->interfaces, a->reader.host.text ? a->reader.host : a->first_host);
}

void aggregate_set_clock(struct aggregate *a, u64 unix_ns)
{
	a->latest_ns = unix_ns + AHEAD_NS;
}

void aggregate_next_second(struct aggregate *a)
{
	/* What is under way is of the seconds before. */
	aggregate_settle(a);
	a->newest_s = a->newest_ns / NS_PER_S;
	a->next_s_ns = (a->newest_s + 1) * NS_PER_S;
	if (a->idle_ns && a->newest_ns > a->idle_ns)
		a->idle_before_s = (a->newest_ns - a->idle_ns) / NS_PER_S;
	a->has_idle = true;
}

static void expire(struct aggregate *a, u32 most)
{
	a->has_idle = flow_table_expire(&a->flows, a->idle_before_s, most) == most;
}

void aggregate_expire(struct aggregate *a)
{
	expire(a, EXPIRE_A_LINE);
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
	{ { "packet", 6 }, packet_lines_packet, true, 0 },
	{ { "flow", 4 }, packet_lines_flow, true, 0 },
	{ { "counters", 8 }, add_counters_line, false, PRINT_COUNTERS },
	{ { "hello", 5 }, add_hello_line, false, PRINT_PASSED },
	{ { "connection", 10 }, host_lines_connection, true, PRINT_CONNECTION },
	{ { "process", 7 }, host_lines_process, true, PRINT_PROCESS },
	{ { "drop", 4 }, host_lines_drop, true, 0 },
	{ { "latency", 7 }, host_lines_latency, false, PRINT_LATENCY },
	{ { "probe", 5 }, host_lines_probe, false, 0 },
	{ { "drop_counters", 13 }, host_lines_drop_counters, false, PRINT_COUNTERS },
};

/* Rare, so it does not make aggregate_line() save registers for it. */
static __attribute__((noinline)) enum line_status add_by_type(struct aggregate *a, const char *line,
							     size_t length)
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
	a->flows.interval = ++a->interval;
	packet_feed_clear(&a->feed);
	a->recent_flows = 0;
	expire(a, EXPIRE_A_SNAPSHOT);
	if (a->idle_ns && a->newest_ns > a->idle_ns)
		connections_expire(&a->connections, &a->processes, a->newest_ns - a->idle_ns,
				   EXPIRE_A_SNAPSHOT);
	connections_next_interval(&a->connections);
	drops_next_interval(&a->drops);
}
