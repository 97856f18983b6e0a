/* SPDX-License-Identifier: MIT */
/* What an answer of history is made of: slots added up by steps, and by whom they are of. */
#ifndef JOPIL_HTTPD_HISTORY_SUMS_H
#define JOPIL_HTTPD_HISTORY_SUMS_H

#include "common/latency_buckets.h"
#include "httpd/history_ask.h"

/* A row of the answer: of one key, over all of the time or by step. */
struct history_sum {
	uint32_t key;
	bool matches;		/* what was asked for */
	uint64_t value[HISTORY_VALUES];
	uint64_t *series;	/* NULL, or a value of each kind a step: those of a step together */
};

struct history_group {
	struct history_sum *sum;
	uint32_t count, room;
	uint32_t *index;	/* open addressing: number in sum + 1, 0 = free */
	uint32_t index_size;	/* a power of two */
	bool by_step;
	uint64_t other[HISTORY_VALUES];
	uint64_t *others;	/* by step, as in .series; NULL unless by_step or asked for one */
};

/* Percentiles of a step; count 0: there are none. */
struct history_percentiles {
	uint64_t count, p50, p95, p99, max;
};

struct history_sums {
	const struct history_ask *ask;
	const struct history_source *source;
	size_t points;
	uint32_t *known;	/* by step: enum history_known; 0 = nothing at all */
	uint64_t *covered_ms;	/* by step */
	uint64_t *scalar;	/* by step, HISTORY_SCALARS of each */
	struct history_group group[HISTORY_KINDS];
	uint64_t *one[HISTORY_KINDS];	/* by step: of all that match; NULL unless asked for */
	struct history_percentiles *rtt;	/* by step */
	struct history_percentiles rtt_all;
	struct body buckets;	/* JSON of the histograms by step */
	uint64_t *counts, *all_counts;	/* of the step that is added up, and of all of the time */
	size_t counted;		/* steps that are in .buckets */
};

/* Adds up all that is asked for. 0 or -errno; history_sums_free() ends it in any case. */
int history_sums_make(struct history_sums *sums, const struct history_ask *ask,
		      const struct history_source *source);
void history_sums_free(struct history_sums *sums);

#endif
