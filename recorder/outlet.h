/* SPDX-License-Identifier: MIT */
/*
 * Stdout, whose reader must not keep us from recording. Where that is the next process of a
 * pipe, it is waited for: back-pressure, not loss. A FIFO with a name stays when its reader ends,
 * and that may never come back (its port is taken, say): when nothing was taken from it for
 * OUTLET_PATIENCE_MS, whole lines are left out, and counted, until something is.
 */
#ifndef JOPIL_RECORDER_OUTLET_H
#define JOPIL_RECORDER_OUTLET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/types.h"

#define OUTLET_PATIENCE_MS 3000	/* more than a restart takes */

struct outlet {
	int fd;
	bool may_wait_for_ever;	/* not a FIFO with a name */
	bool is_away;		/* its reader takes nothing: lines are left out */
	bool is_within;		/* the middle of a line of the input */
	u64 left_out;		/* lines */
};

void outlet_init(struct outlet *outlet, int fd);

/* The next bytes of the input, where a line may end anywhere. 0, or -errno as output_write(). */
int outlet_write(struct outlet *outlet, const char *bytes, size_t length);

#endif
