/* SPDX-License-Identifier: MIT */
/* Clocks, and what must be added to the kernel's stamps to get Unix time. */
#ifndef JOPIL_READER_WALLTIME_H
#define JOPIL_READER_WALLTIME_H

#include "common/types.h"

/* Added to a stamp, with the wrap of 64 bits, it gives Unix nanoseconds. */
struct walltime {
	u64 boot_offset_ns;		/* to packet_record.time_ns */
	u64 monotonic_offset_ns;	/* to flow_value's ticks */
};

/* Both offsets as of now: clocks are set, and the host sleeps. */
void walltime_read(struct walltime *walltime);

u64 walltime_unix_ns(void);
u64 walltime_monotonic_ns(void);
u64 walltime_boot_ns(void);

#endif
