/* SPDX-License-Identifier: MIT */
/* What the host's probes count, as `probe` and `drop_counters` lines. Pure. */
#ifndef JOPIL_READER_PROBE_LINES_H
#define JOPIL_READER_PROBE_LINES_H

#include "common/line_write.h"
#include "common/pins.h"
#include "common/probe_counters.h"

/*
 * The line of a probe with its newline, from the sums of all counters over the CPUs.
 * Returns its end; at most LINE_MAX_BYTES.
 */
char *probe_line_write(char *p, enum host_probe probe, const u64 counters[PROBE_COUNTERS],
		       u64 unix_ns);

/* A row of the exact totals of drops. */
struct drop_total {
	struct drop_total_key key;
	struct drop_value value;	/* sum over the CPUs */
	const char *reason;		/* NULL: no name is known */
};

/*
 * The next `drop_counters` line with its newline, at most LINE_MAX_BYTES, from row
 * *cursor on; returns its end. Call until *cursor == n: there is a line for no rows, too.
 */
char *drop_counters_line_write(char *p, const struct drop_total *totals, unsigned int n,
			       u64 unix_ns, unsigned int *cursor);

#endif
