/* SPDX-License-Identifier: MIT */
/* What an answer of /api/history holds. */
#include <stddef.h>

#include "httpd/history_answer.h"

#define COUNT_OR_NULL "{\"type\":[\"integer\",\"null\"],\"minimum\":0}"
#define SERIES "array:" COUNT_OR_NULL
#define MS "{\"type\":\"integer\"}"
#define MS_OR_NULL "{\"type\":[\"integer\",\"null\"]}"
#define END { .key = NULL }

static const struct member rates_members[] = {
	{ "ingress_bytes", SERIES, .what = "bytes that came in, by step" },
	{ "egress_bytes", SERIES, .what = "bytes that went out, by step" },
	{ "ingress_packets", SERIES, .what = "packets that came in, by step" },
	{ "egress_packets", SERIES, .what = "packets that went out, by step" },
	END,
};

static const struct member connections_members[] = {
	{ "connects", SERIES, .what = "connections begun, by step" },
	{ "accepts", SERIES, .what = "connections accepted, by step" },
	{ "closed", SERIES, .what = "connections that ended, by step" },
	{ "failed", SERIES, .what = "connections that failed, by step" },
	END,
};

static const struct member protocol_members[] = {
	{ "bytes", SERIES, .what = "bytes of frames, by step" },
	{ "packets", SERIES, .what = "packets, by step" },
	END,
};

#define MOVED { "tx_bytes", .kind = "integer" }, { "rx_bytes", .kind = "integer" }
#define CALLED { "tx_calls", .kind = "integer" }, { "rx_calls", .kind = "integer" }

static const struct member process_members[] = {
	{ "host", .kind = "string" }, { "pid", .kind = "null:integer" }, { "command", .kind = "null:string" },
	MOVED, CALLED, END,
};

static const struct member remote_members[] = {
	{ "host", .kind = "null:string" }, { "remote_ip", .kind = "null:string" }, MOVED, END,
};

static const struct member process_other_members[] = { MOVED, CALLED, END };
static const struct member remote_other_members[] = { MOVED, END };

static const struct member one_process_members[] = {
	{ "matched", "integer", .what = "processes that it is the sum of" },
	{ "tx_bytes", SERIES, .what = "bytes sent, by step", .optional = true },
	{ "rx_bytes", SERIES, .what = "bytes received, by step", .optional = true },
	{ "tx_calls", SERIES, .what = "system calls, by step", .optional = true },
	{ "rx_calls", SERIES, .what = "system calls, by step", .optional = true },
	END,
};

static const struct member one_remote_members[] = {
	{ "matched", "integer", .what = "addresses that it is the sum of" },
	{ "tx_bytes", SERIES, .what = "bytes sent to it, by step", .optional = true },
	{ "rx_bytes", SERIES, .what = "bytes received from it, by step", .optional = true },
	END,
};

static const struct member range_members[] = {
	{ "count", "integer", .what = "samples" },
	{ "p50", .kind = COUNT_OR_NULL }, { "p95", .kind = COUNT_OR_NULL },
	{ "p99", .kind = COUNT_OR_NULL }, { "max", .kind = COUNT_OR_NULL },
	END,
};

static const struct member rtt_members[] = {
	{ "unit", .kind = "const:us" },
	{ "count", SERIES, .what = "samples, by step" },
	{ "p50", SERIES, .what = "of the samples of a step; null: none" },
	{ "p95", SERIES, .what = "of the samples of a step; null: none" },
	{ "p99", SERIES, .what = "of the samples of a step; null: none" },
	{ "max", SERIES, .what = "of the samples of a step; null: none" },
	{ "buckets", "array:null:array:array:integer",
	  .what = "by step: pairs of an upper bound (inclusive) and a count; null: not known" },
	{ "range", "object", .what = "of all samples together", range_members },
	END,
};

const struct member history_members[] = {
	{ "timestamp", "null:unix_ms", .what = "Unix time in milliseconds of the newest snapshot" },
	{ "stale", "boolean",
	  .what = "whether the input has ended or is late: the newest snapshot is an old one" },
	{ "source", "word:memory database both", .what = "where it is from" },
	{ "seam", MS_OR_NULL, .what = "of both: from when on it is from memory; null: it is from one" },
	{ "from", MS, .what = "Unix time in milliseconds: when the first step begins" },
	{ "to", MS, .what = "when the last step ends" },
	{ "step_ms", "integer", .what = "how long a step is; days have 23 to 25 hours" },
	{ "widened", "boolean", .what = "whether that is longer than asked for" },
	{ "oldest", MS_OR_NULL, .what = "from when on anything is known; null: nothing is" },
	{ "newest", MS_OR_NULL, .what = "until when it is" },
	{ "times", "array:" MS, .what = "when each step begins" },
	{ "covered_ms", "array:integer",
	  .what = "how much of each step is known: rates are sums divided by this. More than the "
	  "step where the clock stepped back" },
	{ "known", "array:string", .what = "parts of which anything is known in this time" },
	{ "rates", "object", .what = "by direction; null: not known", rates_members, .optional = true },
	{ "connections", "object", .what = "null: not known", connections_members, .optional = true },
	{ "protocols", "map:object", .what = "by protocol, most bytes first; other: the others",
	  protocol_members, .optional = true },
	{ "drops", "map:" SERIES,
	  .what = "packets by reason, most first; other: the others, NOT_SPECIFIED: without one",
	  .optional = true },
	{ "process", "object", .what = "of the processes asked for, added up; null: not known, or "
	  "maybe among others", one_process_members, .optional = true },
	{ "remote", "object", .what = "of the addresses asked for, added up; null: not known, or "
	  "maybe among others", one_remote_members, .optional = true },
	{ "processes", "rows", .what = "sums over all of the time, most bytes first", process_members,
	  .optional = true },
	{ "processes_matched", "integer", .what = "how many there are, whatever the limit",
	  .optional = true },
	{ "processes_other", "object", .what = "what is in none of the rows: beyond the limit, or of "
	  "nobody who was kept", process_other_members, .optional = true },
	{ "remotes", "rows", .what = "sums over all of the time, most bytes first", remote_members,
	  .optional = true },
	{ "remotes_matched", "integer", .what = "how many there are, whatever the limit",
	  .optional = true },
	{ "remotes_other", "object", .what = "what is in none of the rows", remote_other_members,
	  .optional = true },
	{ "latency", "object", .what = "round-trip times of TCP, of all hosts", rtt_members,
	  .optional = true },
	END,
};
