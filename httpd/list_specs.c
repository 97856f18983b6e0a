/* SPDX-License-Identifier: MIT */
/* The tables behind the lists: where they come from, which parameters they take. */
#include "httpd/lists.h"

#include <stdint.h>

#define NAMES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define PID_MAX INT32_MAX
#define COMMAND_MAX 64	/* a command has 15 bytes, each of which may have become three */
#define PROTO_MAX 15
#define REASON_MAX 64
#define MS_MAX 1000000000000000

#define LIMIT { "limit", PARAMETER_LIMIT, "at most so many rows, 1 to 10000 (default 100)", \
		.min = 1, .max = LIST_LIMIT_MAX, .preset = LIST_LIMIT_DEFAULT }
#define FIELDS { "fields", PARAMETER_FIELDS, "the members wanted of each row, as in a,b,c", .max = 0 }
#define SORT(text, ...) { "sort", PARAMETER_SORT, "largest first by " text, \
			  .words = NAMES(__VA_ARGS__) }
#define PID { "pid", PARAMETER_NUMBER, "the process, 1 to 2147483647", .keys = NAMES("pid"), \
	      .min = 1, .max = PID_MAX }
#define COMMAND { "command", PARAMETER_TEXT, "the name of the process, 1 to 64 bytes", \
		  .keys = NAMES("command"), .max = COMMAND_MAX }
#define PROTO { "proto", PARAMETER_NAME, "the protocol, as in the row, in any case of letters", \
		.keys = NAMES("proto"), .max = PROTO_MAX, .example = "TCP" }
#define REASON { "reason", PARAMETER_NAME, "the reason, as in the row, in any case of letters", \
		 .keys = NAMES("reason"), .max = REASON_MAX, .example = "NO_SOCKET" }
#define IP(text, ...) { "ip", PARAMETER_IP, "an address, or a network such as 10.0.0.0/8, of " text, \
			.keys = NAMES(__VA_ARGS__) }
#define PORT { "port", PARAMETER_NUMBER, "a port of either side, 0 to 65535", \
	       .keys = NAMES("src_port", "dst_port"), .max = UINT16_MAX }
#define DIRECTION { "direction", PARAMETER_WORD, "ingress or egress", .keys = NAMES("direction"), \
		    .words = NAMES("ingress", "egress") }
#define END { .name = NULL }

const struct parameter list_pid = PID;

const struct list_spec list_flows = { "flows", NULL };
const struct parameter flow_parameters[] = {
	LIMIT,
	SORT("bps, pps, bytes, packets, src_bytes, dst_bytes, src_packets, dst_packets, first, last, "
	     "rtt_us, retransmits or drops",
	     "bps", "pps", "bytes", "packets", "src_bytes", "dst_bytes", "src_packets",
	     "dst_packets", "first", "last", "rtt_us", "retransmits", "drops"),
	PROTO,
	IP("either side", "src_ip", "dst_ip"),
	PORT,
	PID,
	COMMAND,
	FIELDS,
	END,
};

const struct list_spec list_connections = { "connections", NAMES("connection_table") };
const struct parameter connection_parameters[] = {
	LIMIT,
	SORT("started, ended, duration_ms, bytes_sent, bytes_received, rtt_us, rtt_min_us or "
	     "retransmits",
	     "started", "ended", "duration_ms", "bytes_sent", "bytes_received", "rtt_us",
	     "rtt_min_us", "retransmits"),
	PID,
	COMMAND,
	IP("either side", "src_ip", "dst_ip"),
	PORT,
	{ "state", PARAMETER_WORD, "connecting, open, closed or failed",
	  .keys = NAMES("state"), .words = NAMES("connecting", "open", "closed", "failed") },
	{ "since", PARAMETER_SINCE, "started or ended at or after this Unix time in ms",
	  .keys = NAMES("started", "ended"), .max = MS_MAX },
	PROTO,
	FIELDS,
	END,
};

const struct list_spec list_packets = { "packets", NAMES("packets_left_out") };
const struct parameter packet_parameters[] = {
	LIMIT,
	SORT("timestamp, length or payload_length", "timestamp", "length", "payload_length"),
	PROTO,
	IP("either side", "src_ip", "dst_ip"),
	PORT,
	DIRECTION,
	FIELDS,
	END,
};

const struct list_spec list_connects = { "connects", NAMES("connects_left_out") };
const struct parameter connect_parameters[] = {
	LIMIT,
	SORT("opened or failed", "opened", "failed"),
	PID,
	COMMAND,
	PROTO,
	IP("the destination", "dst_ip"),
	DIRECTION,
	FIELDS,
	END,
};

const struct list_spec list_processes = { "processes", NAMES("unowned", "process_table") };
const struct parameter process_parameters[] = {
	LIMIT,
	SORT("tx_bytes, rx_bytes, tx_bps, rx_bps, tx_calls, rx_calls, connections, first or last",
	     "tx_bytes", "rx_bytes", "tx_bps", "rx_bps", "tx_calls", "rx_calls", "connections",
	     "first", "last"),
	PID,
	COMMAND,
	FIELDS,
	END,
};

const struct list_spec list_remotes = { "remotes", NULL };
const struct parameter remote_parameters[] = {
	LIMIT,
	SORT("tx_bytes, rx_bytes, tx_bps, rx_bps, processes or connections",
	     "tx_bytes", "rx_bytes", "tx_bps", "rx_bps", "processes", "connections"),
	IP("the remote side", "remote_ip"),
	FIELDS,
	END,
};

const struct list_spec list_latency = { "latency", NAMES("latency_table") };
const struct parameter latency_parameters[] = {
	LIMIT,
	SORT("count, p50, p95, p99, max or total_count",
	     "count", "p50", "p95", "p99", "max", "total_count"),
	{ "network", PARAMETER_NETWORK, "a network such as 10.0.0.0/24, an address, or host for "
	  "all of them together", .keys = NAMES("network") },
	FIELDS,
	END,
};

const struct parameter drop_parameters[] = {
	LIMIT,
	SORT("packets, bytes, recent or last", "packets", "bytes", "recent", "last"),
	IP("either side", "src_ip", "dst_ip"),
	REASON,
	FIELDS,
	END,
};

const struct parameter protocol_parameters[] = {
	LIMIT,
	SORT("packets, bytes, pps, bps, tx_bytes, rx_bytes, tx_calls, rx_calls, tx_bps or rx_bps",
	     "packets", "bytes", "pps", "bps", "tx_bytes", "rx_bytes", "tx_calls", "rx_calls",
	     "tx_bps", "rx_bps"),
	PROTO,
	FIELDS,
	END,
};

const struct parameter program_parameters[] = {
	LIMIT,
	SORT("event_count", "event_count"),
	FIELDS,
	END,
};
