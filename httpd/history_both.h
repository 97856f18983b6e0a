/* SPDX-License-Identifier: MIT */
/*
 * The past from two sources as one: the first steps are the database's, the others memory's.
 * Each step is of one of them, so nothing is counted twice. The database knows no pids, and
 * where it has several hosts not which of them talked to a remote: such rows are one then,
 * whatever source they are of.
 */
#ifndef JOPIL_HTTPD_HISTORY_BOTH_H
#define JOPIL_HTTPD_HISTORY_BOTH_H

#include "httpd/archive_series.h"
#include "httpd/history.h"
#include "httpd/history_source.h"

struct history_both {
	const struct history *memory;
	struct history_source recent;	/* it, as a source */
	const struct archive_series *series;
	struct history_keys keys;	/* of both */
	uint32_t *from_series, *from_memory;	/* their ids to those */
	uint8_t *series_kind;	/* enum history_kind of the series' ids */
	bool keeps_pids;	/* who asks for one wants no rows without */
};

/* 0 or -ENOMEM; history_both_free() ends it in any case. */
int history_both_init(struct history_both *both, const struct history *memory,
		      const struct archive_series *series, bool keeps_pids, struct bounds *bounds);
void history_both_free(struct history_both *both);

/* Only for the time and the steps of the series. */
struct history_source history_both(struct history_both *both);

/*
 * Since when memory has all there was: before, another source is needed. INT64_MAX: it has
 * nothing whole yet.
 */
int64_t history_whole_ms(const struct history *memory);

#endif
