/* SPDX-License-Identifier: MIT */
/*
 * Flows in cells (struct flow_page, common/pins.h) to lines. The pages are mapped, so to
 * read a flow costs its cache lines and to let it go a store, which a reader that is killed
 * has done or has not.
 */
#ifndef JOPIL_READER_CELLS_H
#define JOPIL_READER_CELLS_H

#include "common/pins.h"
#include "reader/drain.h"

struct cells;

/* NULL without memory; free() is enough. */
struct cells *cells_new(void);

/*
 * The lines of n pages that no program writes, up to those of drain->sink->data_left;
 * flushes the sink, and frees each cell whose line is written. 0; the sink's error.
 */
int cells_drain(struct cells *cells, struct flow_page *pages, size_t n, struct drain *drain);

#endif
