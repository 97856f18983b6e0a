/* SPDX-License-Identifier: MIT */
/* The clocks that the loader reads, and short pauses. */
#ifndef JOPIL_CLOCK_H
#define JOPIL_CLOCK_H

#include "common/types.h"

u64 clock_monotonic_ms(void);
u64 clock_boot_ns(void);	/* as bpf_ktime_get_boot_ns() */
double clock_unix_ms(u64 boot_ns);	/* a boot time as Unix time, by the clocks of now */
void clock_pause_ms(unsigned int ms);

#endif
