/* SPDX-License-Identifier: MIT */
/* The lines above the table: who, when, how much in and out, what was lost. */
#ifndef JOPIL_TOP_OVERVIEW_H
#define JOPIL_TOP_OVERVIEW_H

#include "top/frame.h"
#include "top/model.h"

/* What is known of where snapshots come from. */
struct feed_facts {
	bool ended;		/* stdin is at its end: nothing more will come */
	const char *trouble;	/* clean text; NULL: none */
	double age_ms;		/* since the newest snapshot came */
	unsigned long long unread;	/* lines that should have been snapshots and were not */
};

#define OVERVIEW_ROWS 4
#define OVERVIEW_GRAPH_ROWS 6	/* below the rates, in and out */

/* From row 0 on; with the graph where wanted. Returns how many rows it took. */
int overview_put(struct frame *frame, const struct model *model, const struct feed_facts *facts,
		 bool graph);

/* The first of them alone. */
void overview_title(struct frame *frame, const struct model *model, const struct feed_facts *facts);

#endif
