/* SPDX-License-Identifier: MIT */
/* This host's clock was set back. */
#ifndef JOPIL_REWIND_H
#define JOPIL_REWIND_H

#include "aggregator/aggregate.h"

/*
 * Nothing is of later than that Unix time. Time only moves on elsewhere: what was of a clock
 * that was hours ahead would keep the last minutes empty, and all that is idle, for hours.
 */
void aggregate_rewind(struct aggregate *a, u64 unix_ns);

#endif
