/* SPDX-License-Identifier: MIT */
/* The totals of one interface, and the `counters` lines made of them. */
#ifndef JOPIL_READER_TALLY_H
#define JOPIL_READER_TALLY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/line_write.h"
#include "common/total_rows.h"

struct tally_cpu {
	u64 packets;
	u64 bytes;
};

/* Sums over all CPUs, and what each CPU counted. */
struct tally {
	struct total_value rows[TOTAL_ENTRIES];
	struct loss_value losses[DIRECTIONS];
	unsigned int n_cpus;
	struct tally_cpu cpus[];
};

/* Zeroed; NULL without memory. free() it. */
struct tally *tally_new(unsigned int n_cpus);

void tally_clear(struct tally *tally);

/* Adds what one CPU counted in one entry (direction * TOTAL_ROWS + row). */
void tally_add(struct tally *tally, unsigned int entry, unsigned int cpu,
	       const struct total_value *value);

/* How far the lines of one interface are written; zeroed before the first. */
struct tally_cursor {
	unsigned int entry;
	unsigned int cpu;
	bool done;
};

/*
 * Writes the next `counters` line with its newline, at most LINE_MAX_BYTES, and
 * returns its end. ifname: JSON text with its quotes. Call until cursor->done:
 * rows that do not fit come in the lines that follow.
 */
char *tally_line_write(char *p, const struct tally *tally, const char *ifname,
		       size_t ifname_length, u64 unix_ns, struct tally_cursor *cursor);

#endif
