/* SPDX-License-Identifier: MIT */
/* Clocks, and what must be added to the kernel's stamps to get Unix time. */
#include "reader/walltime.h"

#include <time.h>

#define NS_PER_S 1000000000ull
/* An interruption between two readings would be part of the offset: the best counts. */
#define TRIES 3

static u64 read_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (u64)t.tv_sec * NS_PER_S + (u64)t.tv_nsec;
}

static u64 offset_of(clockid_t clock)
{
	u64 best_ns = UINT64_MAX, offset = 0;

	for (int i = 0; i < TRIES; i++) {
		u64 before = read_ns(clock);
		u64 unix_ns = read_ns(CLOCK_REALTIME);
		u64 took_ns = read_ns(clock) - before;

		if (took_ns < best_ns) {
			best_ns = took_ns;
			offset = unix_ns - before - took_ns / 2;
		}
	}
	return offset;
}

void walltime_read(struct walltime *walltime)
{
	walltime->boot_offset_ns = offset_of(CLOCK_BOOTTIME);
	walltime->monotonic_offset_ns = offset_of(CLOCK_MONOTONIC);
}

u64 walltime_unix_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

u64 walltime_monotonic_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

u64 walltime_boot_ns(void)
{
	return read_ns(CLOCK_BOOTTIME);
}
