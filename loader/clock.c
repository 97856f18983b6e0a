/* SPDX-License-Identifier: MIT */
/* The clocks that the loader reads, and short pauses. */
#include "loader/clock.h"

#include <time.h>

static u64 read_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

u64 clock_monotonic_ms(void)
{
	return read_ns(CLOCK_MONOTONIC) / 1000000;
}

u64 clock_boot_ns(void)
{
	return read_ns(CLOCK_BOOTTIME);
}

double clock_unix_ms(u64 boot_ns)
{
	return ((double)read_ns(CLOCK_REALTIME) - (double)read_ns(CLOCK_BOOTTIME) +
		(double)boot_ns) / 1e6;
}

void clock_pause_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}
