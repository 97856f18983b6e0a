/* SPDX-License-Identifier: MIT */
/* The largest of many rows without sorting them all. */
#include "aggregator/top.h"

#include <errno.h>
#include <stdlib.h>

int top_init(struct top *top, u32 most,
	     bool (*is_smaller)(const void *one, const void *other, const void *data), const void *data)
{
	*top = (struct top){ .rows = malloc((most ? most : 1) * sizeof(*top->rows)), .most = most,
			     .is_smaller = is_smaller, .data = data };
	return top->rows ? 0 : -ENOMEM;
}

void top_free(struct top *top)
{
	free(top->rows);
	top->rows = NULL;
}

static bool is_smaller(const struct top *top, const void *one, const void *other)
{
	return top->is_smaller(one, other, top->data);
}

static void sift_down(struct top *top, u32 at)
{
	for (;;) {
		u32 least = at, left = 2 * at + 1, right = left + 1;
		const void *swap;

		if (left < top->n && is_smaller(top, top->rows[left], top->rows[least]))
			least = left;
		if (right < top->n && is_smaller(top, top->rows[right], top->rows[least]))
			least = right;
		if (least == at)
			return;
		swap = top->rows[at];
		top->rows[at] = top->rows[least];
		top->rows[least] = swap;
		at = least;
	}
}

void top_offer(struct top *top, const void *row)
{
	u32 at = top->n;

	if (top->n == top->most) {
		if (top->most && is_smaller(top, top->rows[0], row)) {
			top->rows[0] = row;
			sift_down(top, 0);
		}
		return;
	}
	top->n++;
	for (; at && is_smaller(top, row, top->rows[(at - 1) / 2]); at = (at - 1) / 2)
		top->rows[at] = top->rows[(at - 1) / 2];
	top->rows[at] = row;
}

/* Heap sort: the smallest goes to the end, time after time. */
void top_sort(struct top *top)
{
	u32 all = top->n;

	while (top->n > 1) {
		const void *least = top->rows[0];

		top->rows[0] = top->rows[--top->n];
		sift_down(top, 0);
		top->rows[top->n] = least;
	}
	top->n = all;
}
