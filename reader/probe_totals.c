/* SPDX-License-Identifier: MIT */
/* The exact counters of the host's probes, read from their maps. */
#include "reader/probe_totals.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

struct probe_totals {
	unsigned int n_cpus;
	u64 *numbers;			/* one a CPU */
	struct drop_value *values;	/* the same */
	struct drop_total drops[DROP_TOTALS_MAX];
};

struct probe_totals *probe_totals_new(unsigned int n_cpus)
{
	struct probe_totals *totals = calloc(1, sizeof(*totals));

	if (!totals)
		return NULL;
	totals->n_cpus = n_cpus;
	totals->numbers = calloc(n_cpus, sizeof(totals->numbers[0]));
	totals->values = calloc(n_cpus, sizeof(totals->values[0]));
	if (!totals->numbers || !totals->values) {
		probe_totals_free(totals);
		return NULL;
	}
	return totals;
}

void probe_totals_free(struct probe_totals *totals)
{
	if (!totals)
		return;
	free(totals->numbers);
	free(totals->values);
	free(totals);
}

int probe_totals_read_counters(struct probe_totals *totals, int fd,
			       u64 ret_counters[PROBE_COUNTERS])
{
	for (u32 row = 0; row < PROBE_COUNTERS; row++) {
		ret_counters[row] = 0;
		if (bpf_map_lookup_elem(fd, &row, totals->numbers))
			return -errno;
		for (unsigned int cpu = 0; cpu < totals->n_cpus; cpu++)
			ret_counters[row] += totals->numbers[cpu];
	}
	return 0;
}

/* Rows are added while we read, but none is ever deleted: each is passed at most once. */
int probe_totals_read_drops(struct probe_totals *totals, int fd, struct drop_total **ret_rows,
			    unsigned int *ret_n)
{
	const struct drop_total_key *previous = NULL;
	unsigned int n = 0;

	while (n < DROP_TOTALS_MAX) {
		struct drop_total *row = &totals->drops[n];

		*row = (struct drop_total){ .reason = NULL };
		if (bpf_map_get_next_key(fd, previous, &row->key) ||
		    bpf_map_lookup_elem(fd, &row->key, totals->values)) {
			if (errno != ENOENT)
				return -errno;
			break;
		}
		for (unsigned int cpu = 0; cpu < totals->n_cpus; cpu++) {
			row->value.packets += totals->values[cpu].packets;
			row->value.bytes += totals->values[cpu].bytes;
		}
		previous = &row->key;
		n++;
	}
	*ret_rows = totals->drops;
	*ret_n = n;
	return 0;
}
