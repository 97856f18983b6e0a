/* SPDX-License-Identifier: MIT */
/* A range of time in steps of clock and calendar. */
#ifndef JOPIL_ASK_STEPS_H
#define JOPIL_ASK_STEPS_H

#include "common/ask.h"

/* Words for --step, for messages. */
#define STEPS "10s, 1min, 5min, 15min, 1h, 6h, 1d, 1w, 1mo"

/*
 * Plans the request's range in its step; where there is none, in the finest that makes a page of it,
 * and where nothing so fine is left of that time, in the next coarser one. is_whole: the first step is,
 * and may begin before the range does. False: it went wrong (ask).
 */
bool steps_plan(struct ask *a, bool is_whole);

/* Whether there is such a step: its name, or NULL. */
bool steps_are(const char *name);

/* The name of the finest step that is not shorter; of the longest one, if none is. */
const char *steps_not_below(int64_t seconds);

#define STEPS_MAX 100000

/* Whether a range has no more than STEPS_MAX steps of that name. */
bool steps_fit(const char *name, int64_t from, int64_t to);

#endif
