/* SPDX-License-Identifier: MIT */
/* What the kernel folds into pairs of maps, and the lines that the rows become. */
#ifndef JOPIL_READER_FOLDED_H
#define JOPIL_READER_FOLDED_H

#include <stdbool.h>

#include "common/pins.h"
#include "reader/drain.h"

/* The host's probes' kinds (enum fold_kind), then the flows. */
enum {
	FOLDED_FLOW = FOLD_KINDS,
	FOLDED_KINDS,
};

/* One row of a map, as it was looked up. */
struct folded_row {
	const void *key;
	const void *values;	/* one a CPU, or one */
	unsigned int n_values;
	u64 now_ns;		/* Unix time of the drain */
};

struct folded_kind {
	const char *pin;	/* pattern of its maps' names: generation, 'a' or 'b' */
	u32 generation_at;	/* in struct pin_settings */
	bool is_per_cpu;
	u32 key_bytes;
	u32 value_bytes;
	u32 print;		/* the PRINT_* that asks for its lines */
	bool is_data;		/* --count counts them; one line a row */
	/*
	 * Writes the next line of a row at p, where LINE_MAX_BYTES are free; returns its
	 * end. *cursor is 0 before the first line and after the last.
	 */
	char *(*write)(char *p, struct drain *drain, const struct folded_row *row, u32 *cursor);
};

extern const struct folded_kind folded_kinds[FOLDED_KINDS];

/*
 * The sum over all CPUs as one record, times converted. Pure; values that count
 * nothing are passed over.
 */
void folded_sum_flow(const struct folded_row *row, u64 monotonic_offset_ns,
		     struct flow_record *ret_record);

/*
 * A line of a histogram with its newline, from bucket *cursor on; sets *cursor to where
 * the next line goes on, 0 if this is the last. Pure.
 */
char *folded_latency_line(char *p, const struct latency_key *key, const struct latency_value *value,
			  u64 now_ns, u32 *cursor);

#endif
