/* SPDX-License-Identifier: MIT */
/* Flows in cells to lines: found by the bits of their pages, written, and freed. */
#include "reader/cells.h"

#include <stddef.h>
#include <stdlib.h>

#include "reader/folded.h"

/* Cells whose lines may wait in the sink; once there are so many, it is flushed. */
#define PENDING_MAX 4096

/* A cell, and the word of its page with its bit. */
struct place {
	struct flow_cell *cell;
	u64 *used;
	u64 bit;
};

struct cells {
	struct line_source source;
	/* lines in the sink, oldest first from `freed` on */
	struct place pending[PENDING_MAX];
	u32 n_pending, freed;
};

/* The tag first: a cell that is free in earnest and marked still is passed over. */
static void free_cell(const struct place *place)
{
	__atomic_store_n(&place->cell->tag, 0, __ATOMIC_RELEASE);
	__atomic_store_n(place->used, *place->used & ~place->bit, __ATOMIC_RELAXED);
}

static void on_written(struct line_source *source, unsigned int lines)
{
	struct cells *cells = (struct cells *)((char *)source - offsetof(struct cells, source));

	while (lines--)
		free_cell(&cells->pending[cells->freed++]);
	if (cells->freed == cells->n_pending)
		cells->freed = cells->n_pending = 0;
}

struct cells *cells_new(void)
{
	struct cells *cells = calloc(1, sizeof(*cells));

	if (!cells)
		return NULL;
	cells->source.written = on_written;
	cells->source.is_instant = true;
	return cells;
}

/* One flow: its line into the sink; or, if nobody asked for flows, it goes as it is. */
static int take_cell(struct cells *cells, const struct place *place, u64 now_ns,
		     struct drain *drain)
{
	const struct folded_kind *kind = &folded_kinds[FOLDED_FLOW];
	const struct folded_row row = {
		.key = &place->cell->key,
		.values = &place->cell->value,
		.n_values = 1,
		.now_ns = now_ns,
	};
	struct sink *sink = drain->sink;
	u32 cursor = 0;

	drain->rows++;
	if (!(drain->types & kind->print)) {
		free_cell(place);
		return 0;
	}
	cells->pending[cells->n_pending++] = *place;
	sink->data_left--;
	return sink_add(sink, kind->write(sink_next(sink), drain, &row, &cursor), 1, &cells->source);
}

static int drain_word(struct cells *cells, struct flow_page *page, unsigned int word, u64 now_ns,
		      struct drain *drain)
{
	u64 left = page->used[word];
	int err = 0;

	while (left && drain->sink->data_left && !err) {
		const unsigned int bit = (unsigned int)__builtin_ctzll(left);
		const struct place place = { &page->cells[word * 64 + bit], &page->used[word],
					     1ull << bit };

		left &= left - 1;
		if (!place.cell->tag)
			free_cell(&place);
		else
			err = take_cell(cells, &place, now_ns, drain);
		if (!err && cells->n_pending == PENDING_MAX)
			err = sink_flush(drain->sink);
	}
	return err;
}

int cells_drain(struct cells *cells, struct flow_page *pages, size_t n, struct drain *drain)
{
	const u64 now_ns = walltime_unix_ns();
	int err = 0;

	drain->writer->offset_ns = 0;
	cells->n_pending = cells->freed = 0;
	for (size_t i = 0; i < n && !err; i++)
		for (unsigned int word = 0; word < FLOW_PAGE_CELLS / 64 && !err; word++)
			if (pages[i].used[word])
				err = drain_word(cells, &pages[i], word, now_ns, drain);
	return err ? err : sink_flush(drain->sink);
}
