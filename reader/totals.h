/* SPDX-License-Identifier: MIT */
/* The kernel's exact counters of one interface, read into a tally. */
#ifndef JOPIL_READER_TOTALS_H
#define JOPIL_READER_TOTALS_H

#include "reader/tally.h"

struct totals;

/* Buffers for maps on so many CPUs. NULL without memory. */
struct totals *totals_new(unsigned int n_cpus);

void totals_free(struct totals *totals);

/*
 * Fills tally, made for as many CPUs, from the per-CPU arrays behind the descriptors.
 * Losses are read before the totals that they are part of. 0 or -errno.
 */
int totals_read(struct totals *totals, int totals_fd, int losses_fd, struct tally *tally);

#endif
