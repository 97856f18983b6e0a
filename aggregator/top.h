/* SPDX-License-Identifier: MIT */
/* The largest of many rows without sorting them all: a bounded heap, smallest on top. */
#ifndef JOPIL_TOP_H
#define JOPIL_TOP_H

#include <stdbool.h>

#include "common/types.h"

struct top {
	const void **rows;
	u32 n, most;
	/* Whether one row stands behind another. */
	bool (*is_smaller)(const void *one, const void *other, const void *data);
	const void *data;
};

/* Room for `most` rows. 0 or -ENOMEM. top_free() it. */
int top_init(struct top *top, u32 most,
	     bool (*is_smaller)(const void *one, const void *other, const void *data), const void *data);
void top_free(struct top *top);

void top_offer(struct top *top, const void *row);

/* Largest first. */
void top_sort(struct top *top);

#endif
