/* SPDX-License-Identifier: MIT */
/* The exact counters of the host's probes, read from their maps and summed over the CPUs. */
#ifndef JOPIL_READER_PROBE_TOTALS_H
#define JOPIL_READER_PROBE_TOTALS_H

#include "reader/probe_lines.h"

struct probe_totals;

/* Buffers for maps on so many CPUs. NULL without memory. */
struct probe_totals *probe_totals_new(unsigned int n_cpus);

void probe_totals_free(struct probe_totals *totals);

/* All counters, from the per-CPU array behind fd. 0 or -errno. */
int probe_totals_read_counters(struct probe_totals *totals, int fd,
			       u64 ret_counters[PROBE_COUNTERS]);

/*
 * All rows of drops, from the per-CPU hash behind fd, without their reasons' names: valid
 * until the next call. 0 or -errno.
 */
int probe_totals_read_drops(struct probe_totals *totals, int fd, struct drop_total **ret_rows,
			    unsigned int *ret_n);

#endif
