/* SPDX-License-Identifier: MIT */
/* What the answers in JSON hold: their schemas, as tables. */
#include "httpd/answers.h"

#include <stddef.h>

#include "httpd/bounds.h"

#define END { .key = NULL }
#define HEAD \
	{ "timestamp", "null:unix_ms", .what = "Unix time in milliseconds of the snapshot" }, \
	{ "stale", "boolean", \
	  .what = "whether the input has ended or is late: the snapshot is an old one" }
#define COUNTS \
	{ "total", "integer", .what = "rows of the snapshot" }, \
	{ "matched", "integer", .what = "rows that pass the filters, whatever the limit" }

const struct member problem_members[] = {
	{ "type", "{\"type\":\"string\",\"format\":\"uri-reference\"}",
	  .what = "about:blank: the status says it" },
	{ "title", "string", .what = "the words of the status" },
	{ "status", "{\"type\":\"integer\",\"minimum\":400,\"maximum\":599}",
	  .what = "the status" },
	{ "detail", "string",
	  .what = "what is wrong, in a sentence for people; begins with the name of the "
	  "parameter at fault, if it is one" },
	END,
};

const struct member health_members[] = {
	{ "status", "word:ok waiting stale",
	  .what = "waiting: no snapshot yet; stale: none for five intervals, "
	  "or the input has ended" },
	{ "version", "string", .what = "of httpd" },
	END,
};

static const struct member client_members[] = {
	{ "sse", "integer", .what = "of /events" },
	{ "websocket", "integer", .what = "of /ws" },
	END,
};

static const struct member limits_members[] = {
#define LIMIT_MEMBER(id, name, limit) { #name, .kind = "object:limit hits" },
	BOUNDS(LIMIT_MEMBER)
#undef LIMIT_MEMBER
	END,
};

static const struct member sandbox_members[] = {
	{ "seccomp", "boolean", .what = "whether system calls are filtered" },
	{ "landlock", "integer", .what = "its ABI; 0: not in force" },
	{ "system_calls", "integer", .what = "that are left" },
	END,
};

static const struct member database_members[] = {
	{ "running", "boolean", .what = "whether the process that reads it is there" },
	{ "oldest", "null:integer", .what = "Unix time in milliseconds: since when there is something" },
	{ "newest", "null:integer", .what = "until when" },
	{ "asked", "integer", .what = "questions since the start" },
	{ "answered", "integer", .what = "of those" },
	{ "refused", "integer", .what = "of those: it is missing, damaged, newer, or no database" },
	{ "late", "integer", .what = "of those: took too long, or were too large" },
	{ "shared", "integer", .what = "questions that had just been asked by others" },
	{ "restarts", "integer", .what = "of the process, after a crash" },
	END,
};

const struct member httpd_members[] = {
	{ "clients", "object", .what = "stream clients that are connected", client_members },
	{ "frames_sent", "integer", .what = "to stream clients" },
	{ "frames_lost", "integer", .what = "that stream clients were too slow for" },
	{ "messages", "integer", .what = "from WebSocket clients" },
	{ "connections", "integer", .what = "that are open" },
	{ "requests", "integer", .what = "since the start" },
	{ "lines", "integer", .what = "of the input, blank ones apart" },
	{ "snapshots", "integer", .what = "of the input" },
	{ "bad_lines", "integer", .what = "of the input: too long, not JSON, or without a type" },
	{ "other_lines", "integer", .what = "of the input: hello, and types not known" },
	{ "stale", "boolean", .what = "as in /health" },
	{ "snapshot_age_ms", "integer", .what = "milliseconds since it came in" },
	{ "sandbox", "object", .what = "what keeps httpd from files, sockets and programs",
	  sandbox_members },
	{ "database", "null:object", .what = "the recorder's (--db); null: there is none",
	  database_members },
	{ "limits", "object",
	  .what = "what outsiders can make grow: the limit (null: none), and how often it was hit",
	  limits_members },
	END,
};

const struct member flows_members[] = { HEAD, COUNTS, { "flows", .kind = "list:flows" }, END };

const struct member connections_members[] = {
	HEAD, COUNTS,
	{ "connection_table", "null:snapshot:connection_table",
	  .what = "null: the snapshot has none" },
	{ "connections", .kind = "list:connections" },
	END,
};

const struct member processes_members[] = {
	HEAD, COUNTS,
	{ "unowned", "null:snapshot:unowned",
	  .what = "what the interfaces saw less what processes account for; "
	  "null: the snapshot has none" },
	{ "process_table", "null:snapshot:process_table", .what = "null: the snapshot has none" },
	{ "processes", .kind = "list:processes" },
	END,
};

const struct member process_members[] = {
	HEAD,
	{ "process", "row:processes", .what = "the one that moved most, if there "
	  "are several" },
	{ "others", "snapshot:processes",
	  .what = "further ones that had the number: on other hosts, under "
	  "other names" },
	{ "connections", "snapshot:connections", .what = "its connections" },
	END,
};

const struct member packets_members[] = {
	HEAD, COUNTS,
	{ "packets_left_out", "null:snapshot:packets_left_out", .what = "packet lines of the interval "
	  "that are in no row; null: the snapshot does not say" },
	{ "packets", .kind = "list:packets" },
	END,
};

const struct member connects_members[] = {
	HEAD, COUNTS,
	{ "connects_left_out", "null:snapshot:connects_left_out", .what = "events of the interval that "
	  "are in no row; null: the snapshot does not say" },
	{ "connects", .kind = "list:connects" },
	END,
};

const struct member remotes_members[] = { HEAD, COUNTS, { "remotes", .kind = "list:remotes" }, END };

#define OR_NULL "{\"type\":[\"integer\",\"null\"],\"minimum\":0}"

static const struct member protocol_members[] = {
	{ "proto", "proto", .what = "as in common names, see docs/EVENTS.md" },
	{ "packets", OR_NULL, .what = "packets; null: no interface saw it" },
	{ "bytes", OR_NULL, .what = "bytes of frames" },
	{ "pps", OR_NULL, .what = "packets a second" },
	{ "bps", OR_NULL, .what = "bits a second" },
	{ "tx_bytes", OR_NULL, .what = "bytes that processes sent; null: no process used it" },
	{ "rx_bytes", OR_NULL, .what = "bytes that processes received" },
	{ "tx_calls", OR_NULL, .what = "system calls" },
	{ "rx_calls", OR_NULL, .what = "system calls" },
	{ "tx_bps", OR_NULL, .what = "bits a second" },
	{ "rx_bps", OR_NULL, .what = "bits a second" },
	END,
};

const struct member protocols_members[] = {
	HEAD, COUNTS,
	{ "protocols", "list",
	  .what = "packets of interfaces joined with bytes of processes", protocol_members },
	END,
};

const struct member drops_members[] = {
	HEAD, COUNTS,
	{ "drops", .kind = "list:drops" },
	{ "unspecified", "null:snapshot:drops_unspecified",
	  .what = "those the kernel gives no reason for; null: "
	  "the snapshot has none" },
	{ "drop_flows", .kind = "list:drop_flows" },
	END,
};

const struct member latency_members[] = {
	HEAD, COUNTS,
	{ "latency_table", "null:snapshot:latency_table", .what = "null: the snapshot has none" },
	{ "latency", .kind = "list:latency" },
	END,
};

static const struct member program_members[] = {
	{ "name", "string", .what = "packet, connection, process, drop, latency" },
	{ "type", "word:network tracing", .what = "network: at an interface" },
	{ "description", .kind = "string" },
	{ "status", .kind = "const:active" },
	{ "running", .kind = "boolean" },
	{ "host", .kind = "string_or_null" },
	{ "ifname", "string_or_null", .what = "of the packet probe; null: of the whole host" },
	{ "event_count", OR_NULL, .what = "of its main counter; null: it has none" },
	{ "counters", "{\"type\":\"object\",\"additionalProperties\":" OR_NULL "}",
	  .what = "by name: docs/EVENTS.md has their meaning" },
	END,
};

const struct member programs_members[] = {
	HEAD,
	{ "matched", "integer", .what = "programs, whatever the limit" },
	{ "programs", "list", .what = "the packet probe of each interface, then the host's probes",
	  program_members },
	{ "total", "integer", .what = "programs" },
	{ "total_count", "integer", .what = "the same" },
	{ "message", "string", .what = "the same, for people" },
	END,
};

/* ---- summaries ------------------------------------------------------------- */

#define MOMENT "{\"type\":\"string\",\"format\":\"date-time\"}"

static const struct member question_members[] = {
	{ "pid", "owner_pid", .what = "null: of everybody" },
	{ "command", "string_or_null", .what = "null: of everybody" },
	{ "duration", "integer", .what = "seconds" },
	END,
};

#define SUMMARY_HEAD(counted) \
	{ "timestamp", "unix_ms", .what = "Unix time in milliseconds of the snapshot" }, \
	{ "stale", "boolean", .what = "whether that is an old one" }, \
	{ "count", "integer", .what = counted }, \
	{ "total", "integer", .what = "the same" }, \
	{ "pid", "integer", .what = "as asked; 0: none" }, \
	{ "command", "string", .what = "as asked; empty: none" }, \
	{ "duration", "integer", .what = "seconds, as asked" }, \
	{ "duration_seconds", "integer", .what = "the same" }, \
	{ "query_time", MOMENT, .what = "now" }, \
	{ "message", "string", .what = "the answer in words" }, \
	{ "query", "object", .what = "what was asked", question_members }, \
	{ "since", "integer", \
	  .what = "Unix time in milliseconds from which is counted: later than asked for if " \
	  "less is known" }, \
	{ "until", "integer", .what = "Unix time in milliseconds until which is counted" }

#define DESTINATION \
	{ "dst_ip", .kind = "dst_ip" }, { "dst_port", .kind = "dst_port" }, \
	{ "proto", .kind = "proto_or_null" }
#define PROCESS \
	{ "pid", .kind = "owner_pid" }, { "command", .kind = "string_or_null" }
#define ATTEMPTS \
	{ "opened", "integer", .what = "connections" }, \
	{ "failed", "integer", .what = "connections" }

static const struct member connects_by_destination[] = {
	DESTINATION, { "direction", "direction", .what = "ingress: to this host" }, ATTEMPTS, END,
};
static const struct member connects_by_protocol[] = {
	{ "proto", .kind = "proto_or_null" }, ATTEMPTS, END,
};
static const struct member connects_by_process[] = { PROCESS, ATTEMPTS, END };

const struct member connection_summary_members[] = {
	SUMMARY_HEAD("connections begun"),
	{ "total_attempts", "integer", .what = "the same" },
	{ "begun", "integer", .what = "the same" },
	{ "accepted", "integer", .what = "connections" },
	{ "failed", "integer", .what = "connections" },
	{ "complete", "boolean", .what = "false: snapshots had no row for some" },
	{ "left_out", "integer", .what = "events without a row" },
	{ "by_destination", "rows", .what = "the 100 largest", connects_by_destination },
	{ "by_protocol", "rows", .what = "the 100 largest", connects_by_protocol },
	{ "by_process", "rows", .what = "the 100 largest", connects_by_process },
	END,
};

static const struct member drops_by_reason[] = {
	{ "reason", "string_or_null", .what = "the kernel's word" },
	{ "packets", .kind = "integer" }, { "bytes", .kind = "integer" }, END,
};
static const struct member drops_by_protocol[] = {
	{ "proto", .kind = "proto_or_null" },
	{ "packets", .kind = "integer" }, { "bytes", .kind = "integer" }, END,
};
static const struct member drops_by_destination[] = { DESTINATION, { "packets", .kind = "integer" }, END };
static const struct member drops_by_process[] = { PROCESS, { "packets", .kind = "integer" }, END };

const struct member drop_summary_members[] = {
	SUMMARY_HEAD("packets dropped"),
	{ "total_drops", "integer", .what = "the same" },
	{ "bytes", OR_NULL, .what = "bytes; null: not known of one process" },
	{ "unspecified", "null:object:packets bytes",
	  .what = "those without a reason; null: not known of one process" },
	{ "with_flow", "integer", .what = "packets whose flow is known" },
	{ "complete", "boolean", .what = "false: not every drop has a known owner" },
	{ "by_reason", "rows", .what = "the 100 largest, of everybody", drops_by_reason },
	{ "by_protocol", "rows", .what = "the 100 largest, of everybody", drops_by_protocol },
	{ "by_destination", "rows", .what = "the 100 largest, of flows that are known",
	  drops_by_destination },
	{ "by_process", "rows",
	  .what = "the 100 largest, of flows that are known", drops_by_process },
	END,
};

/* ---- lists by process ------------------------------------------------------ */

#define PID_HEAD \
	HEAD, \
	{ "total_pids", "integer", .what = "processes" }, \
	{ "total_events", "integer", .what = "rows shown" }, \
	{ "total", "integer", .what = "rows that there are" }, \
	{ "truncated", "boolean", .what = "whether the limit left rows out" }, \
	{ "query_time", MOMENT, .what = "now" }, \
	{ "message", "string", .what = "the answer in words" }

#define OWNER \
	{ "pid", "integer", .what = "0: not known" }, \
	{ "command", "string", .what = "empty: not known" }
#define ATTEMPT \
	{ "destination", "string", .what = "address and port" }, \
	{ "protocol", .kind = "proto" }, \
	{ "return_code", "{\"type\":\"integer\",\"maximum\":0}", \
	  .what = "what connect() returned: 0 or -errno" }

static const struct member connection_events[] = {
	OWNER, ATTEMPT, { "timestamp", .kind = MOMENT }, END,
};

static const struct member drop_events[] = {
	OWNER,
	{ "drop_reason", "string", .what = "the kernel's word" },
	{ "skb_length", "integer", .what = "bytes of a packet, on average" },
	{ "timestamp", .kind = MOMENT },
	END,
};

static const struct member pid_connection_rows[] = {
	OWNER, ATTEMPT,
	{ "timestamp", "number", .what = "Unix time in seconds of its start" },
	{ "*", .kind = "row:connections" },
	END,
};

static const struct member pid_drop_rows[] = {
	OWNER,
	{ "timestamp", "number", .what = "Unix time in seconds of the last one" },
	{ "*", .kind = "row:drop_flows" },
	END,
};

/* An object by process id, of arrays of the rows. */
#define BY_PID "map:rows"

const struct member pid_connections_members[] = {
	PID_HEAD,
	{ "events_by_pid", BY_PID,
	  .what = "by process id, all that is known", pid_connection_rows },
	{ "connections", BY_PID, .what = "by process id, as other monitors have it", connection_events },
	END,
};

const struct member pid_drops_members[] = {
	PID_HEAD,
	{ "events_by_pid", BY_PID,
	  .what = "by process id, all that is known", pid_drop_rows },
	{ "drops", BY_PID, .what = "by process id, as other monitors have it", drop_events },
	END,
};
