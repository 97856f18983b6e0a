/* SPDX-License-Identifier: MIT */
/* The kernel's exact counters of one interface, read into a tally. */
#include "reader/totals.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct totals {
	unsigned int n_cpus;
	u32 keys[TOTAL_ENTRIES];
	struct total_value *values;	/* n_cpus of them an entry */
	struct loss_value *losses;	/* the same */
};

struct totals *totals_new(unsigned int n_cpus)
{
	struct totals *totals = calloc(1, sizeof(*totals));

	if (!totals)
		return NULL;
	totals->n_cpus = n_cpus;
	totals->values = calloc(TOTAL_ENTRIES, n_cpus * sizeof(totals->values[0]));
	totals->losses = calloc(DIRECTIONS, n_cpus * sizeof(totals->losses[0]));
	if (!totals->values || !totals->losses) {
		totals_free(totals);
		return NULL;
	}
	return totals;
}

void totals_free(struct totals *totals)
{
	if (!totals)
		return;
	free(totals->values);
	free(totals->losses);
	free(totals);
}

/*
 * All entries of a per-CPU array, in order. Batches exist for it since 5.13 (kernel
 * commit f008d732ab18); before, entry by entry.
 */
static int read_array(struct totals *totals, int fd, u32 entries, void *values, size_t value_bytes)
{
	u32 n = entries, token;

	if ((!bpf_map_lookup_batch(fd, NULL, &token, totals->keys, values, &n, NULL) ||
	     errno == ENOENT) && n == entries)
		return 0;
	for (u32 key = 0; key < entries; key++)
		if (bpf_map_lookup_elem(fd, &key,
					(char *)values + key * totals->n_cpus * value_bytes))
			return -errno;
	return 0;
}

static void add_losses(struct tally *tally, const struct totals *totals)
{
	for (unsigned int direction = 0; direction < DIRECTIONS; direction++)
		for (unsigned int cpu = 0; cpu < totals->n_cpus; cpu++) {
			const struct loss_value *from =
				&totals->losses[direction * totals->n_cpus + cpu];
			struct loss_value *to = &tally->losses[direction];

			to->packet_lines += from->packet_lines;
			to->ring_full += from->ring_full;
			to->malformed += from->malformed;
		}
}

int totals_read(struct totals *totals, int totals_fd, int losses_fd, struct tally *tally)
{
	int err;

	err = read_array(totals, losses_fd, DIRECTIONS, totals->losses, sizeof(totals->losses[0]));
	if (!err)
		err = read_array(totals, totals_fd, TOTAL_ENTRIES, totals->values,
				 sizeof(totals->values[0]));
	if (err)
		return err;
	tally_clear(tally);
	add_losses(tally, totals);
	for (unsigned int entry = 0; entry < TOTAL_ENTRIES; entry++)
		for (unsigned int cpu = 0; cpu < totals->n_cpus; cpu++) {
			const struct total_value *value =
				&totals->values[entry * totals->n_cpus + cpu];

			if (value->packets)
				tally_add(tally, entry, cpu, value);
		}
	return 0;
}
