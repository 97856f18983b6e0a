/* SPDX-License-Identifier: MIT */
/* Which lines the aggregator prints. */
#ifndef JOPIL_PRINT_TYPES_H
#define JOPIL_PRINT_TYPES_H

#include "common/types.h"

/*
 * What it makes of packets and flows; and lines that are sums or events already, which go
 * on as they came, so that who stands behind has all of them and not the first rows only.
 */
enum {
	PRINT_SNAPSHOT = 1,
	PRINT_PORT = 2,
	PRINT_FLOW_TOTAL = 4,
	PRINT_COUNTERS = 8,		/* counters, drop_counters */
	PRINT_CONNECTION = 16,
	PRINT_PROCESS = 32,
	PRINT_LATENCY = 64,
	PRINT_ALL = 127,
	PRINT_PASSED = PRINT_COUNTERS | PRINT_CONNECTION | PRINT_PROCESS | PRINT_LATENCY,
};

/* "snapshot,process" into a u32 of PRINT_* bits, for an option row. 0, or -EINVAL and why. */
int print_types_parse(const char *argument, void *target, const char **ret_why);

#endif
