/* SPDX-License-Identifier: MIT */
/* Percentiles of histograms with the buckets of latency_buckets.h. */
#ifndef JOPIL_PERCENTILE_H
#define JOPIL_PERCENTILE_H

#include "common/latency_buckets.h"

/*
 * The upper bound of the bucket that holds the nearest rank: the least one that is not
 * below percent (1 to 100) hundredths of the n samples in counts, in microseconds. n is
 * the sum of counts[LATENCY_BUCKETS], at least 1.
 */
static inline u64 percentile_us(const u64 *counts, u64 n, u32 percent)
{
	u64 rank = n / 100 * percent + (n % 100 * percent + 99) / 100, seen = 0;
	u32 bucket = 0;

	while (bucket < LATENCY_BUCKETS - 1 && (seen += counts[bucket]) < rank)
		bucket++;
	return latency_bucket_upper_us(bucket);
}

#endif
