/* SPDX-License-Identifier: MIT */
/* What some seconds had: sums, and rows by protocol, reason of drops, process, remote address. */
#ifndef JOPIL_HTTPD_HISTORY_SLOT_H
#define JOPIL_HTTPD_HISTORY_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "httpd/history_keys.h"

enum history_scalar {
	HISTORY_INGRESS_BYTES, HISTORY_EGRESS_BYTES, HISTORY_INGRESS_PACKETS,
	HISTORY_EGRESS_PACKETS,
	HISTORY_CONNECTS, HISTORY_ACCEPTS, HISTORY_CLOSED, HISTORY_FAILED,
	HISTORY_SCALARS,
};

enum history_kind {
	HISTORY_PROTOCOL,	/* bytes, packets */
	HISTORY_DROP,		/* packets */
	HISTORY_PROCESS,	/* tx_bytes, rx_bytes, tx_calls, rx_calls */
	HISTORY_REMOTE,		/* tx_bytes, rx_bytes */
	HISTORY_KINDS,
};

/* What is known; a bit each. A kind of rows is the bit 1 << kind. */
enum history_known {
	HISTORY_KNOWS_RATES = 1 << 8,
	HISTORY_KNOWS_CONNECTIONS = 1 << 9,
	HISTORY_KNOWS_LATENCY = 1 << 10,
};

#define HISTORY_VALUES 4	/* of a row, at most */

struct history_row {
	uint32_t key;		/* a reference of its own */
	uint64_t value[HISTORY_VALUES];
};

/* Rows in order of their keys, and all that is in none of them. */
struct history_list {
	struct history_row *row;
	uint32_t count;
	uint64_t other[HISTORY_VALUES];
};

/*
 * One bucket of the histogram of round-trip times of all hosts, as common/latency_buckets.h
 * numbers them. Sums end at UINT32_MAX, as the aggregator's do.
 */
struct history_bucket {
	uint32_t bucket;
	uint32_t count;
};

struct history_slot {
	int64_t index;		/* which span of its tier since 1970 */
	uint64_t covered_ms;	/* how much time is in it: more than its span if the clock stepped back */
	uint32_t deltas;	/* how many intervals of snapshots are; 0 = unused */
	uint32_t known;		/* enum history_known */
	uint64_t scalar[HISTORY_SCALARS];
	struct history_list list[HISTORY_KINDS];
	struct history_bucket *bucket;	/* in order; each at most once */
	uint32_t buckets;
};

/* Rows that a slot keeps of a kind. */
enum bound_id history_bound(enum history_kind kind);

/* Puts rows in order and adds up those of the same key; their references stay right. */
void history_list_tidy(struct history_list *list, struct history_keys *keys);

/* Makes the rows beyond the most largest others; how many that were. */
uint32_t history_list_cut(struct history_list *list, struct history_keys *keys, uint32_t most);

/* Adds all of from, which stays as it is. Without memory rows become others. */
void history_slot_add(struct history_slot *slot, const struct history_slot *from,
		      struct history_keys *keys);

/* Keeps the limits of a slot to which nothing more is expected; counts hits. */
void history_slot_close(struct history_slot *slot, struct history_keys *keys);

/* Makes rows of processes and remotes others; whether there were any. */
bool history_slot_forget(struct history_slot *slot, struct history_keys *keys);

/* Makes it unused. */
void history_slot_clear(struct history_slot *slot, struct history_keys *keys);

#endif
