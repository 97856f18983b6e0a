/* SPDX-License-Identifier: MIT */
/* The latest snapshot in the forms that requests ask for; made once, read many times. */
#ifndef JOPIL_HTTPD_SHOT_H
#define JOPIL_HTTPD_SHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "httpd/body.h"

/* The numbers of a flow that it can be sorted by: X(name), as in the snapshot's flows. */
#define FLOW_NUMBERS(X) \
	X(bps)          \
	X(pps)          \
	X(bytes)        \
	X(packets)      \
	X(src_bytes)    \
	X(dst_bytes)    \
	X(src_packets)  \
	X(dst_packets)  \
	X(first)        \
	X(last)         \
	X(rtt_us)       \
	X(retransmits)  \
	X(drops)

enum flow_number {
#define FLOW_NUMBER(name) FLOW_NUMBER_##name,
	FLOW_NUMBERS(FLOW_NUMBER)
#undef FLOW_NUMBER
	FLOW_NUMBER_COUNT
};

#define FLOW_PROTO_SIZE 16	/* "0x88cc", "UDPLite"; longer ones match no filter */

/* What filters and sorting look at, of one flow. */
struct flow_row {
	struct slice text;	/* the flow's JSON object as it was written */
	double number[FLOW_NUMBER_COUNT];	/* NAN = null */
	uint8_t ip[2][16];	/* src, dst; network byte order; IPv4 in the first 4 bytes */
	int family[2];		/* AF_INET, AF_INET6, 0 = none */
	int port[2];		/* -1 = none */
	char proto[FLOW_PROTO_SIZE];
};

struct shot {
	struct blob *text;	/* the whole snapshot, one line, no line break */
	struct blob *stats;	/* without flows, packets and the last brace; NULL until made */
	struct slice timestamp;	/* as written, "null" if there is none */
	int64_t seq;
	uint64_t interval_ms;
	bool has_flows;		/* the next two are filled */
	size_t flow_count;
	struct flow_row *flows;
};

enum shot_result {
	SHOT_SNAPSHOT,
	SHOT_OTHER,	/* JSON with another type: hello, or not known here */
	SHOT_BAD,	/* not a JSON object, or a type that is not a string */
	SHOT_NO_MEMORY,
};

/*
 * Reads one line: whether it is JSON is jansson's word, all else is taken from
 * the text as it was written. *ret_shot only for SHOT_SNAPSHOT.
 */
enum shot_result shot_parse(struct slice line, struct shot **ret_shot);
void shot_free(struct shot *shot);

/* Fill .stats and .flows, at the first request that wants them. 0 or -ENOMEM. */
int shot_make_stats(struct shot *shot);
int shot_make_flows(struct shot *shot);

#endif
