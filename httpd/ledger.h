/* SPDX-License-Identifier: MIT */
/*
 * What was connected and what was dropped in the last hour, from what the snapshots
 * say of their interval. The clock is the snapshots'.
 */
#ifndef JOPIL_HTTPD_LEDGER_H
#define JOPIL_HTTPD_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "httpd/bounds.h"
#include "httpd/shot.h"

#define LEDGER_WINDOW_MS (3600 * 1000)
#define LEDGER_FINE_MS (300 * 1000)	/* newer than that: by the second */
#define LEDGER_FINE_SPAN_MS 1000
#define LEDGER_COARSE_SPAN_MS (10 * 1000)

enum ledger_kind {
	LEDGER_CONNECT,		/* count: opened, other: failed; by process and destination */
	LEDGER_DROP,		/* count: packets, other: bytes; by reason and protocol, exact */
	LEDGER_UNSPECIFIED,	/* the same, for which the kernel gives no reason */
	LEDGER_DROP_FLOW,	/* count: packets; by process and destination, as far as known */
};

/* What rows are added up by. No padding, unused bytes are 0: compared as words. */
struct ledger_key {
	uint32_t pid;		/* 0 = not known */
	uint16_t port;		/* of the destination */
	uint8_t kind;		/* enum ledger_kind */
	uint8_t ingress;	/* accepted, not begun here */
	uint8_t has_port;
	uint8_t family;		/* AF_INET, AF_INET6, 0 = no address */
	uint8_t pad[6];
	uint8_t ip[16];		/* of the destination; as in struct network */
	char proto[16];		/* "" = not known */
	char name[48];		/* command or reason, UTF-8; "" = not known */
};

struct ledger_row {
	struct ledger_key key;
	uint64_t count;
	uint64_t other;
};

/* Some time, its rows in order of their keys. */
struct ledger_bucket {
	int64_t start_ms, end_ms;	/* Unix time */
	uint64_t left_out;	/* connections that the snapshots had no row for */
	size_t count;
	struct ledger_row *rows;
};

/* The last value of a counter that never goes back, unless it starts anew. */
struct ledger_total {
	uint64_t hash;		/* of host, reason, protocol */
	uint64_t packets, bytes;
};

struct ledger {
	struct ledger_bucket bucket[LIMIT_LEDGER_BUCKETS];	/* oldest first */
	size_t buckets;
	size_t rows;		/* of all of them */
	struct ledger_total total[LIMIT_LEDGER_REASONS];
	size_t totals;
	struct bounds *bounds;
};

void ledger_init(struct ledger *ledger, struct bounds *bounds);
void ledger_free(struct ledger *ledger);

/*
 * Takes over what the snapshot says of its interval. A clock that steps back for more
 * than LEDGER_COARSE_SPAN_MS makes the ledger start over.
 */
void ledger_take(struct ledger *ledger, const struct shot *shot);

/* A process; both unset: every one. */
struct ledger_who {
	uint32_t pid;		/* 0 = every */
	const char *command;	/* NULL = every */
};

/* Which part of the ledger is asked for. */
struct ledger_ask {
	uint64_t seconds;	/* how far to look back */
	struct ledger_who who;
};

/* What it has. */
struct ledger_sum {
	int64_t since_ms, until_ms;	/* what is counted; 0, 0: nothing was taken yet */
	uint64_t left_out;	/* connections: may have been of anybody, to anywhere */
	uint64_t begun, accepted, failed;	/* connections */
	uint64_t drops, drop_bytes;	/* with a reason; exact, of everybody */
	uint64_t unspecified, unspecified_bytes;
	uint64_t drop_flows;	/* packets of rows of LEDGER_DROP_FLOW */
	bool all_owned;		/* each dropped packet of the time is in a row that has a pid */
};

/*
 * Buckets count whole: since_ms may be a little earlier than asked for. Counters of drops
 * belong to nobody: asked for somebody, drops are in .drop_flows only.
 */
void ledger_sum(const struct ledger *ledger, const struct ledger_ask *ask, struct ledger_sum *ret_sum);

/*
 * Adds up the rows of one kind by the bytes of their keys that mask says, and gives the
 * most (1 or more) largest groups, the largest first; free(*ret_groups). One pass over
 * the rows. 0 or -ENOMEM.
 */
int ledger_group(const struct ledger *ledger, const struct ledger_ask *ask, enum ledger_kind kind,
		 const struct ledger_key *mask, size_t most, struct ledger_row **ret_groups,
		 size_t *ret_count);

#endif
