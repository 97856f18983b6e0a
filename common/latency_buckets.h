/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The buckets of a histogram of microseconds: log-linear, so that any two histograms add
 * up bucket by bucket. Below 32 us a bucket is one microsecond; above, 32 buckets an
 * octave, none wider than 1/32 of where it begins, up to 2^27 us (134 s). What is longer
 * is in the last one. Used by BPF programs and natively; no function fails.
 */
#ifndef JOPIL_LATENCY_BUCKETS_H
#define JOPIL_LATENCY_BUCKETS_H

#include "common/types.h"

#define LATENCY_STEP_BITS 5
#define LATENCY_STEPS (1u << LATENCY_STEP_BITS)	/* buckets an octave */
#define LATENCY_MAX_BITS 27
#define LATENCY_BUCKETS 736u

_Static_assert(LATENCY_BUCKETS == LATENCY_STEPS + (LATENCY_MAX_BITS - LATENCY_STEP_BITS) * LATENCY_STEPS,
	       "exact ones, then the octaves");

/* How often us can be halved until it is below 64; us < 2^27. */
static inline u32 latency_octave(u32 us)
{
	u32 octave = 0;

	for (u32 step = 16; step; step >>= 1) {
		if (us >> step >= LATENCY_STEPS) {
			us >>= step;
			octave += step;
		}
	}
	return octave;
}

/* The bucket of us microseconds, below LATENCY_BUCKETS. */
static inline u32 latency_bucket(u32 us)
{
	u32 octave;

	if (us < LATENCY_STEPS)
		return us;
	if (us >> LATENCY_MAX_BITS)
		return LATENCY_BUCKETS - 1;
	octave = latency_octave(us);
	return (octave << LATENCY_STEP_BITS) + (us >> octave);
}

/* The least number of microseconds in a bucket; bucket < LATENCY_BUCKETS. */
static inline u32 latency_bucket_lower_us(u32 bucket)
{
	u32 octave = bucket >> LATENCY_STEP_BITS;

	if (!octave)
		return bucket;
	return (LATENCY_STEPS + bucket % LATENCY_STEPS) << (octave - 1);
}

/* The greatest one (that of the last bucket: 2^27 - 1, though longer ones are in it). */
static inline u32 latency_bucket_upper_us(u32 bucket)
{
	return latency_bucket_lower_us(bucket + 1) - 1;
}

#endif
