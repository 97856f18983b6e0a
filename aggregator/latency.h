/* SPDX-License-Identifier: MIT */
/*
 * Histograms of round-trip times, of whole hosts and of remote networks, merged from
 * latency lines: over the last minute, in slots of ten seconds, and of this interval.
 *
 * Shape: counts by bucket, common/latency_buckets.h. 21.2 kB a row.
 */
#ifndef JOPIL_LATENCY_H
#define JOPIL_LATENCY_H

#include "aggregator/lru_table.h"
#include "common/latency_buckets.h"
#include "common/line_read.h"

#define LATENCY_SLOTS 6		/* the current one and the five before: 50 to 60 s */
#define LATENCY_SLOT_NS 10000000000ull
#define LATENCY_ROWS_MAX 512	/* the networks of one host that its loader keeps, twice */
/*
 * Bounds of the histogram since the beginning: two an octave, from 31 us to 16.8 s, each the
 * greatest value of a bucket, so that no bucket is torn.
 */
#define LATENCY_BOUNDS 39
#define LATENCY_NAME_BYTES 32
#define LATENCY_UNIT_BYTES 8
#define LATENCY_NETWORK_BYTES 56	/* an address of 45 and its prefix */

struct latency_id {
	char network[LATENCY_NETWORK_BYTES];	/* "": the whole host */
	char name[LATENCY_NAME_BYTES];
	char unit[LATENCY_UNIT_BYTES];
	u16 host;
	u8 pad[6];
};

struct latency_slot {
	u64 number;		/* Unix time / LATENCY_SLOT_NS */
	u32 counts[LATENCY_BUCKETS];	/* stay at UINT32_MAX */
};

struct latency {
	struct lru_row row;
	struct latency_id id;
	u64 total;		/* samples since the beginning */
	u64 sum;		/* of the upper bounds of their buckets: at most 3.2 % too much */
	u64 since[LATENCY_BOUNDS + 1];	/* samples by bound; the last: above all of them */
	struct latency_slot slots[LATENCY_SLOTS];
	struct latency_slot recent;	/* of the interval .number */
};

struct latencies {
	struct lru_table table;
	u64 no_memory;
};

/* What a latency line says. network of NULL: the whole host. */
struct latency_line {
	struct line_text name, unit, network;
	u64 time_ns;		/* Unix time */
};

/* What is said of the samples of the last minute; all 0 if there are none. */
struct latency_summary {
	u64 count;
	u64 p50, p95, p99, max;	/* upper bounds of their buckets, inclusive */
};

/* 0 or -errno. */
int latencies_init(struct latencies *l);
void latencies_free(struct latencies *l);

/* The row of a line, made if there is none; NULL: no memory. */
struct latency *latencies_get(struct latencies *l, u16 host, const struct latency_line *line);

/*
 * Adds samples whose bucket has this upper bound (in units). A bound that is none of our
 * buckets' goes to the bucket it lies in; one above all, to the last.
 */
void latency_add(struct latency *row, u64 upper, u64 count, u64 time_ns, u32 interval);

/* The greatest value that a bound lets in; bound < LATENCY_BOUNDS. */
static inline u32 latency_bound(u32 bound)
{
	return ((bound % 2 ? 3u : 2u) << (bound / 2 + 4)) - 1;
}

/* Over the minute before this Unix time. */
void latency_summarize(const struct latency *row, u64 now_ns, struct latency_summary *ret);

#endif
