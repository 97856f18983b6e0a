/* SPDX-License-Identifier: MIT */
/* So many things a second of real time: a bucket that fills by the clock. */
#ifndef JOPIL_HTTPD_PACE_H
#define JOPIL_HTTPD_PACE_H

#include <stdint.h>

#define PACE_UNIT 1000	/* of a thing; N things a second are N units a millisecond */

/* Starts as { 0 }: full when it is first filled. */
struct pace {
	int64_t units;		/* in the bucket; below 0 = taken in advance */
	uint64_t filled_ms;	/* when it was last filled */
};

/* Adds what has come in since the last time; the bucket holds at most so many units. */
static inline void pace_fill(struct pace *pace, uint64_t a_second, uint64_t most_units,
			     uint64_t now_ms)
{
	uint64_t passed_ms = now_ms - pace->filled_ms;
	int64_t room = (int64_t)most_units - pace->units;

	pace->filled_ms = now_ms;
	if (room <= 0 || passed_ms > (uint64_t)room / a_second)
		pace->units = (int64_t)most_units;
	else
		pace->units += (int64_t)(passed_ms * a_second);
}

/* Whole things in the bucket. */
static inline uint64_t pace_left(const struct pace *pace)
{
	return pace->units < 0 ? 0 : (uint64_t)pace->units / PACE_UNIT;
}

static inline void pace_take(struct pace *pace, uint64_t things)
{
	pace->units -= (int64_t)(things * PACE_UNIT);
}

#endif
