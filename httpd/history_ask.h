/* SPDX-License-Identifier: MIT */
/* What is asked of the past: which time, in which steps, what of it, of whom. */
#ifndef JOPIL_HTTPD_HISTORY_ASK_H
#define JOPIL_HTTPD_HISTORY_ASK_H

#include "httpd/history_source.h"
#include "httpd/list_query.h"

#define HISTORY_POINTS_MAX 720	/* of an answer: more than a chart has pixels for */

/* Parts of an answer; bits. */
enum history_part {
	HISTORY_RATES = 1,
	HISTORY_CONNECTIONS = 2,
	HISTORY_PROTOCOLS = 4,
	HISTORY_DROPS = 8,
	HISTORY_PROCESSES = 16,
	HISTORY_REMOTES = 32,
	HISTORY_RTT = 64,
	HISTORY_ONE_PROCESS = 128,	/* series of the processes asked for, added up */
	HISTORY_ONE_REMOTE = 256,
};

struct history_ask {
	int64_t from_ms, to_ms;		/* whole steps; to_ms is the first that is not in it */
	int64_t step_ms;
	const int64_t *cuts;		/* Unix seconds where steps begin and end; NULL: all are as long */
	size_t n_cuts;
	int64_t seam_ms;		/* where another source goes on; 0: there is one */
	int64_t oldest_ms;		/* that yet another source has; 0: there is none */
	int64_t asked_step_ms;		/* 0 = the shortest there is */
	unsigned int parts;		/* enum history_part */
	size_t limit;			/* rows of processes, remotes */
	struct list_query process, remote;	/* what their rows must match */
};

extern const struct parameter history_parameters[];

/*
 * Reads the parameters; from_ms and to_ms are as they were given, without steps. 0, or
 * -EINVAL with the name of the one at fault and what is wrong about it.
 */
int history_ask_read(const struct list_query *wants, const struct history_source *source,
		     struct history_ask *ret_ask, const char **ret_name, const char **ret_why);

/*
 * Fits the time to what the source has: what it cannot reach is left out, steps are made as
 * long as they must be.
 */
void history_ask_fit(struct history_ask *ask, const struct history_source *source);

/* How many steps it has: 0 to HISTORY_POINTS_MAX. */
size_t history_ask_points(const struct history_ask *ask);

/* When a step begins, and the step that holds a time. */
int64_t history_ask_time_ms(const struct history_ask *ask, size_t step);
size_t history_ask_step(const struct history_ask *ask, int64_t ms);

#endif
