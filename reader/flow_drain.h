/* SPDX-License-Identifier: MIT */
/*
 * Flow maps to lines, in batches: looked up, summed over the CPUs, written, and only
 * then deleted. What a reader that is killed had not written is still in the map;
 * at most what was written in its last system call is written again.
 */
#ifndef JOPIL_READER_FLOW_DRAIN_H
#define JOPIL_READER_FLOW_DRAIN_H

#include "reader/drain.h"

struct flow_drain;

/* Buffers for maps of per-CPU values on so many CPUs. NULL without memory. */
struct flow_drain *flow_drain_new(unsigned int n_cpus);

void flow_drain_free(struct flow_drain *flows);

/*
 * Empties a map that no program writes any more, up to the lines of
 * drain->sink->data_left; flushes the sink. 0; the sink's error; or another -errno from
 * the kernel in *ret_map_error, after which the map is left as it is.
 */
int flow_drain_map(struct flow_drain *flows, int map_fd, struct drain *drain,
		   int *ret_map_error);

/*
 * The sum over all CPUs as one record, times converted. Pure; values that count
 * nothing are passed over.
 */
void flow_sum(const struct flow_key *key, const struct flow_value *values, unsigned int n_cpus,
	      u64 monotonic_offset_ns, u64 now_unix_ns, struct flow_record *ret_record);

#endif
