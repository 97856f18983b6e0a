/* SPDX-License-Identifier: MIT */
/* The views as tables of columns. */
#include "top/views.h"

#include <string.h>

#define IP_MOST 39	/* the longest IPv6 address; with a port, [ ] and : more */

static const struct column process_columns[] = {
	{ "PID", COLUMN_NUMBER, "pid", NULL, 7, 0, 0 },
	{ "COMMAND", COLUMN_TEXT, "command", NULL, 12, 24, 0 },
	{ "UID", COLUMN_NUMBER, "uid", NULL, 5, 6, 4 },
	{ "IN", COLUMN_RATE, "rx_bps", NULL, 8, 9, 0 },
	{ "", COLUMN_BARS, "rx_bps", "tx_bps", 9, 61, 3 },
	{ "OUT", COLUMN_RATE, "tx_bps", NULL, 8, 9, 0 },
	{ "RECEIVED", COLUMN_SIZE, "rx_bytes", NULL, 8, 0, 1 },
	{ "SENT", COLUMN_SIZE, "tx_bytes", NULL, 7, 0, 1 },
	{ "CONN", COLUMN_COUNT, "connections", NULL, 4, 5, 2 },
	{ "HOST", COLUMN_TEXT, "host", NULL, 8, 24, 5 },
	{ .title = NULL },
};

static const struct column flow_columns[] = {
	{ "PROTO", COLUMN_TEXT, "proto", NULL, 5, 7, 0 },
	{ "FROM", COLUMN_ENDPOINT, "src_ip", "src_port", 19, IP_MOST + 8, 0 },
	{ "TO", COLUMN_ENDPOINT, "dst_ip", "dst_port", 19, IP_MOST + 8, 0 },
	{ "RATE", COLUMN_RATE, "bps", NULL, 8, 9, 0 },
	{ "PACKETS/S", COLUMN_COUNT, "pps", NULL, 9, 0, 5 },
	{ "BYTES", COLUMN_SIZE, "bytes", NULL, 7, 0, 1 },
	{ "PACKETS", COLUMN_COUNT, "packets", NULL, 7, 0, 6 },
	{ "COMMAND", COLUMN_TEXT, "command", NULL, 9, 20, 2 },
	{ "STATE", COLUMN_TEXT, "state", NULL, 11, 0, 4 },
	{ "RTT", COLUMN_MICROSECONDS, "rtt_us", NULL, 6, 7, 7 },
	{ "RETR", COLUMN_COUNT, "retransmits", NULL, 4, 0, 8 },
	{ "DROPS", COLUMN_COUNT, "drops", NULL, 5, 0, 9 },
	{ "IFACE", COLUMN_TEXT, "ifname", NULL, 8, 16, 10 },
	{ "HOST", COLUMN_TEXT, "host", NULL, 8, 20, 11 },
	{ .title = NULL },
};

static const struct column remote_columns[] = {
	{ "REMOTE", COLUMN_TEXT, "remote_ip", NULL, 16, IP_MOST, 0 },
	{ "IN", COLUMN_RATE, "rx_bps", NULL, 8, 9, 0 },
	{ "", COLUMN_BARS, "rx_bps", "tx_bps", 9, 61, 3 },
	{ "OUT", COLUMN_RATE, "tx_bps", NULL, 8, 9, 0 },
	{ "RECEIVED", COLUMN_SIZE, "rx_bytes", NULL, 8, 0, 1 },
	{ "SENT", COLUMN_SIZE, "tx_bytes", NULL, 7, 0, 1 },
	{ "PROC", COLUMN_COUNT, "processes", NULL, 4, 5, 2 },
	{ "CONN", COLUMN_COUNT, "connections", NULL, 4, 5, 2 },
	{ "HOST", COLUMN_TEXT, "host", NULL, 8, 24, 5 },
	{ .title = NULL },
};

static const struct column connection_columns[] = {
	{ "STATE", COLUMN_TEXT, "state", NULL, 10, 0, 0 },
	{ "PROTO", COLUMN_TEXT, "proto", NULL, 5, 0, 4 },
	{ "FROM", COLUMN_ENDPOINT, "src_ip", "src_port", 19, IP_MOST + 8, 0 },
	{ "TO", COLUMN_ENDPOINT, "dst_ip", "dst_port", 19, IP_MOST + 8, 0 },
	{ "AGE", COLUMN_DURATION, "duration_ms", NULL, 6, 0, 0 },
	{ "COMMAND", COLUMN_TEXT, "command", NULL, 9, 20, 1 },
	{ "PID", COLUMN_NUMBER, "pid", NULL, 7, 0, 6 },
	{ "RECEIVED", COLUMN_SIZE, "bytes_received", NULL, 8, 0, 3 },
	{ "SENT", COLUMN_SIZE, "bytes_sent", NULL, 7, 0, 3 },
	{ "RTT", COLUMN_MICROSECONDS, "rtt_us", NULL, 6, 7, 5 },
	{ "RETR", COLUMN_COUNT, "retransmits", NULL, 4, 0, 7 },
	{ "REASON", COLUMN_TEXT, "reason", NULL, 9, 12, 2 },
	{ "SERVICE", COLUMN_TEXT, "service", NULL, 8, 16, 8 },
	{ "HOST", COLUMN_TEXT, "host", NULL, 8, 20, 9 },
	{ .title = NULL },
};

static const struct column drop_columns[] = {
	{ "REASON", COLUMN_TEXT, "reason", NULL, 24, 48, 0 },
	{ "PROTO", COLUMN_TEXT, "proto", NULL, 7, 0, 0 },
	{ "PACKETS/S", COLUMN_COUNT, "pps", NULL, 9, 0, 0 },
	{ "LAST", COLUMN_COUNT, "interval_packets", NULL, 7, 0, 1 },
	{ "PACKETS", COLUMN_COUNT, "packets", NULL, 7, 0, 0 },
	{ "BYTES", COLUMN_SIZE, "bytes", NULL, 7, 0, 0 },
	{ "HOST", COLUMN_TEXT, "host", NULL, 8, 24, 5 },
	{ .title = NULL },
};

static const struct column drop_flow_columns[] = {
	{ "REASON", COLUMN_TEXT, "reason", NULL, 12, 32, 3 },
	{ "PROTO", COLUMN_TEXT, "proto", NULL, 5, 7, 0 },
	{ "FROM", COLUMN_ENDPOINT, "src_ip", "src_port", 19, IP_MOST + 8, 0 },
	{ "TO", COLUMN_ENDPOINT, "dst_ip", "dst_port", 19, IP_MOST + 8, 0 },
	{ "LAST", COLUMN_COUNT, "recent", NULL, 6, 7, 0 },
	{ "PACKETS", COLUMN_COUNT, "packets", NULL, 7, 0, 0 },
	{ "WHERE", COLUMN_TEXT, "location", NULL, 14, 40, 1 },
	{ "IFACE", COLUMN_TEXT, "ifname", NULL, 8, 16, 2 },
	{ "HOST", COLUMN_TEXT, "host", NULL, 8, 20, 5 },
	{ .title = NULL },
};

static const struct column cpu_columns[] = {
	{ "CPU", COLUMN_NUMBER, "cpu", NULL, 5, 0, 0 },
	{ "PACKETS/S", COLUMN_COUNT, "pps", NULL, 9, 0, 0 },
	{ "RATE", COLUMN_RATE, "bps", NULL, 8, 9, 0 },
	{ "", COLUMN_BARS, NULL, "pps", 12, 61, 0 },
	{ "PACKETS", COLUMN_COUNT, "packets", NULL, 7, 0, 0 },
	{ "BYTES", COLUMN_SIZE, "bytes", NULL, 7, 0, 0 },
	{ "HOST", COLUMN_TEXT, "host", NULL, 8, 24, 5 },
	{ .title = NULL },
};

static const struct column interface_columns[] = {
	{ "IFACE", COLUMN_TEXT, "ifname", NULL, 10, 16, 0 },
	{ "IN", COLUMN_RATE, "ingress_bps", NULL, 8, 9, 0 },
	{ "", COLUMN_BARS, "ingress_bps", "egress_bps", 9, 61, 3 },
	{ "OUT", COLUMN_RATE, "egress_bps", NULL, 8, 9, 0 },
	{ "IN/S", COLUMN_COUNT, "ingress_pps", NULL, 6, 0, 1 },
	{ "OUT/S", COLUMN_COUNT, "egress_pps", NULL, 6, 0, 1 },
	{ "RECEIVED", COLUMN_SIZE, "ingress_bytes", NULL, 8, 0, 0 },
	{ "SENT", COLUMN_SIZE, "egress_bytes", NULL, 7, 0, 0 },
	{ "UNATTR", COLUMN_COUNT, "unattributed", NULL, 6, 0, 4 },
	{ "RINGFULL", COLUMN_COUNT, "ring_full", NULL, 8, 0, 6 },
	{ "MALFORMED", COLUMN_COUNT, "malformed", NULL, 9, 0, 7 },
	{ "HOST", COLUMN_TEXT, "host", NULL, 8, 24, 5 },
	{ .title = NULL },
};

static const struct column protocol_columns[] = {
	{ "PROTO", COLUMN_TEXT, "proto", NULL, 10, 0, 0 },
	{ "PACKETS/S", COLUMN_COUNT, "pps", NULL, 9, 0, 0 },
	{ "RATE", COLUMN_RATE, "bps", NULL, 8, 9, 0 },
	{ "", COLUMN_BARS, NULL, "bps", 12, 61, 0 },
	{ "PACKETS", COLUMN_COUNT, "packets", NULL, 7, 0, 0 },
	{ "BYTES", COLUMN_SIZE, "bytes", NULL, 7, 0, 0 },
	{ .title = NULL },
};

static const struct column latency_columns[] = {
	{ "NETWORK", COLUMN_TEXT, "network", NULL, 20, 44, 0 },
	{ "NAME", COLUMN_TEXT, "name", NULL, 8, 12, 1 },
	{ "SAMPLES", COLUMN_COUNT, "count", NULL, 7, 0, 0 },
	{ "P50", COLUMN_MICROSECONDS, "p50", NULL, 7, 0, 0 },
	{ "P95", COLUMN_MICROSECONDS, "p95", NULL, 7, 0, 0 },
	{ "P99", COLUMN_MICROSECONDS, "p99", NULL, 7, 0, 0 },
	{ "MAX", COLUMN_MICROSECONDS, "max", NULL, 7, 0, 0 },
	{ "HOST", COLUMN_TEXT, "host", NULL, 8, 24, 5 },
	{ .title = NULL },
};

static const struct column process_remote_columns[] = {
	{ "PROTO", COLUMN_TEXT, "proto", NULL, 7, 0, 0 },
	{ "REMOTE", COLUMN_ENDPOINT, "remote_ip", "remote_port", 22, IP_MOST + 8, 0 },
	{ "IN", COLUMN_RATE, "rx_bps", NULL, 8, 9, 0 },
	{ "", COLUMN_BARS, "rx_bps", "tx_bps", 9, 61, 3 },
	{ "OUT", COLUMN_RATE, "tx_bps", NULL, 8, 9, 0 },
	{ "RECEIVED", COLUMN_SIZE, "rx_bytes", NULL, 8, 0, 0 },
	{ "SENT", COLUMN_SIZE, "tx_bytes", NULL, 7, 0, 0 },
	{ .title = NULL },
};

static const struct view views[VIEWS] = {
	[VIEW_PROCESSES] = {
		"processes", "Procs", "processes", NULL, { "host", "pid", "command" }, process_columns, 3,
		VIEW_PROCESS_REMOTES,
		{ { "host", { "host" } }, { "pid", { "pid" } }, { "command", { "command" } } },
	},
	[VIEW_FLOWS] = {
		"flows", "Flows", "flows", NULL, { "src_ip", "src_port", "dst_ip", "dst_port", "proto" },
		flow_columns, 3, VIEW_DETAILS, { { NULL } },
	},
	[VIEW_REMOTES] = {
		"remotes", "Remotes", "remotes", NULL, { "host", "remote_ip" }, remote_columns, 1,
		VIEW_FLOWS, { { "remote_ip", { "src_ip", "dst_ip" } } },
	},
	[VIEW_CONNECTIONS] = {
		"connections", "Conns", "connections", NULL,
		{ "src_ip", "src_port", "dst_ip", "dst_port", "started" }, connection_columns, -1,
		VIEW_DETAILS, { { NULL } },
	},
	[VIEW_DROPS] = {
		"drops", "Drops", "drops", NULL, { "host", "reason", "proto" }, drop_columns, 2,
		VIEW_DROP_FLOWS, { { "host", { "host" } }, { "reason", { "reason" } },
				   { "proto", { "proto" } } },
	},
	[VIEW_CPUS] = {
		"cpus", "CPUs", "cpus", NULL, { "host", "cpu" }, cpu_columns, -1, VIEW_DETAILS, { { NULL } },
	},
	[VIEW_INTERFACES] = {
		"interfaces", "Ifaces", "interfaces", NULL, { "host", "ifname" }, interface_columns, 1,
		VIEW_FLOWS, { { "host", { "host" } }, { "ifname", { "ifname" } } },
	},
	[VIEW_PROTOCOLS] = {
		"protocols", "Protos", "protocols", NULL, { "proto" }, protocol_columns, 2,
		VIEW_FLOWS, { { "proto", { "proto" } } },
	},
	[VIEW_LATENCY] = {
		"latency", "Latency", "latency", NULL, { "host", "name", "network" }, latency_columns, 2,
		VIEW_DETAILS, { { NULL } },
	},
	[VIEW_PROCESS_REMOTES] = {
		"process-remotes", "Remotes", "processes", "remotes", { "proto", "remote_ip", "remote_port" },
		process_remote_columns, 2, VIEW_FLOWS,
		{ { "remote_ip", { "src_ip", "dst_ip" } }, { "remote_port", { "src_port", "dst_port" } },
		  { "proto", { "proto" } } },
	},
	[VIEW_DROP_FLOWS] = {
		"drop-flows", "Dropped", "drop_flows", NULL,
		{ "src_ip", "src_port", "dst_ip", "dst_port", "location" }, drop_flow_columns, 4,
		VIEW_DETAILS, { { NULL } },
	},
	[VIEW_DETAILS] = { "details", "Details", NULL, NULL, { NULL }, NULL, -1, VIEW_DETAILS, { { NULL } } },
};

const struct view *view_of(enum view_id id)
{
	return &views[id];
}

enum view_id view_by_name(const char *name)
{
	enum view_id id = 0;

	while (id < VIEW_DETAILS && strcmp(views[id].name, name))
		id++;
	return id < VIEW_DETAILS && id != VIEW_PROCESS_REMOTES ? id : VIEWS;
}
