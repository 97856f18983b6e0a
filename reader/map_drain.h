/* SPDX-License-Identifier: MIT */
/*
 * Folded maps to lines, in batches: looked up, written, and only then deleted. What a
 * reader that is killed had not written is still in the map; at most what was written in
 * its last system call is written again.
 */
#ifndef JOPIL_READER_MAP_DRAIN_H
#define JOPIL_READER_MAP_DRAIN_H

#include "reader/folded.h"

struct map_drain;

/* Buffers for maps of per-CPU values on so many CPUs. NULL without memory. */
struct map_drain *map_drain_new(unsigned int n_cpus);

void map_drain_free(struct map_drain *maps);

/*
 * Empties a map of that kind that no program writes any more, up to the lines of
 * drain->sink->data_left; flushes the sink. 0; the sink's error; or another -errno from
 * the kernel in *ret_map_error, after which the map is left as it is.
 */
int map_drain(struct map_drain *maps, const struct folded_kind *kind, int map_fd,
	      struct drain *drain, int *ret_map_error);

#endif
