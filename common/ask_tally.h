/* SPDX-License-Identifier: MIT */
/* Sums by part of the time and keys, over all segments of a plan. */
#ifndef JOPIL_ASK_TALLY_H
#define JOPIL_ASK_TALLY_H

#include "common/ask.h"

struct tally_row {
	int64_t part;		/* of the plan; 0 where parts are not asked for */
	int64_t key[STORE_KEYS_MAX];	/* of the fact; 0 where not grouped by */
	int64_t sum[STORE_VALUES_MAX];
};

struct tally {
	struct tally_row *rows;
	size_t n, allocated;
	uint32_t *slots;	/* row + 1; 0: unused */
	size_t n_slots;
	size_t last;		/* row that was added to */
	int64_t slot, part;	/* of it */
};

/* Bits of `keys`: which of the fact's keys rows are told apart by; and parts. */
#define TALLY_KEY(i) (1u << (i))
#define TALLY_PARTS (1u << STORE_KEYS_MAX)

/* Adds up a fact over the question's plan. tally_free() it, also when it went wrong. */
bool tally_fact(struct tally *tally, struct ask *a, enum store_fact fact, unsigned int keys);
void tally_free(struct tally *tally);

/* The largest sum of two values first; then by part and keys. */
void tally_sort(struct tally *tally, size_t value, size_t other);

/* By part, then by keys. */
void tally_sort_keys(struct tally *tally);

#endif
