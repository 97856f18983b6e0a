/* SPDX-License-Identifier: MIT */
/* What the senders of tests/bench share: the frame that they send, and the time. */
#ifndef JOPIL_BENCH_SENDING_H
#define JOPIL_BENCH_SENDING_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRAME 64

/* UDP over IPv4 from 10.0.0.0 to an address for benchmarks (RFC 2544), to nobody's MAC address, without a checksum. */
static const unsigned char pattern[FRAME] = {
	2, 0, 0, 0, 0, 0x99, 2, 0, 0, 0, 0, 1, 8, 0,
	0x45, 0, 0, FRAME - 14, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 0, 198, 18, 0, 1,
	0x20, 0, 0x1f, 0x90, 0, FRAME - 34,
};

/* A flow of its own: 24 bits of it in the source address, eight of them in the port as well. */
static inline void set_flow(unsigned char *frame, unsigned int flow)
{
	frame[27] = (unsigned char)(flow >> 16);
	frame[28] = (unsigned char)(flow >> 8);
	frame[29] = frame[35] = (unsigned char)flow;
}

static inline double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline __attribute__((noreturn)) void fail(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(EXIT_FAILURE);
}

#endif
