/* SPDX-License-Identifier: MIT */
/* GET /metrics: counters for Prometheus, kept so that they never go back. */
#ifndef JOPIL_HTTPD_METRICS_H
#define JOPIL_HTTPD_METRICS_H

#include <stdint.h>

#include "httpd/request.h"
#include "httpd/shot.h"

#define METRICS_SERIES_MAX 64	/* of a family; further ones are in its row "other" */
#define METRICS_LABELS_MAX 320	/* bytes, escaped */
#define METRICS_ROWS 16384	/* rows of snapshots remembered; a power of two */
#define METRICS_BOUNDS 16

enum metrics_family {
	FAMILY_PACKETS, FAMILY_BYTES, FAMILY_PROTOCOL_PACKETS, FAMILY_PROTOCOL_BYTES,
	FAMILY_DROPS, FAMILY_TRANSMIT, FAMILY_RECEIVE, FAMILY_OPENED, FAMILY_CLOSED,
	FAMILY_FAILED, FAMILY_LOSSES, FAMILY_COUNT,
};

/*
 * A snapshot shows only its largest rows, and rows come and go. What each row said
 * last is remembered here (by its hash; 0 = free place); a family's series grow by the differences.
 * When there are too many, those not seen for longest are forgotten: should one come back, it counts anew.
 */
struct metrics {
	struct metrics_row {
		uint64_t hash;
		double last;
		uint64_t seen;	/* number of the snapshot that showed it last */
	} row[METRICS_ROWS];
	uint64_t row_count;
	uint64_t snapshots;
	uint64_t rows_lost;	/* had no place: are not in any series */
	struct metrics_series {
		char labels[METRICS_LABELS_MAX];
		double value;
	} series[FAMILY_COUNT][METRICS_SERIES_MAX + 1];	/* the last one is "other" */
	uint64_t series_count[FAMILY_COUNT];
	uint64_t rtt[METRICS_BOUNDS + 1];	/* samples by bound, the last: above all of them */
	double rtt_sum_us;
};

/* Adds what a snapshot says to *metrics, which is made at the first; without memory, nothing. */
void metrics_take(struct metrics **metrics, const struct shot *shot);

enum MHD_Result metrics_answer(struct server *server, struct request *request);

#endif
