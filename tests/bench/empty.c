// SPDX-License-Identifier: MIT
/*
 * Takes all rows out of a per-CPU hash of flows in batches, and drops them: what the kernel alone takes to hand out the
 * flows that are kept in its own maps.
 *
 * usage: empty FLOWS BATCH
 *
 * Prints {"rows":100000,"ms":45.0,"cpu_ms":44.1}
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common/records.h"

#define FLOWS_MAX (1 << 24)

static void *memory(size_t n, size_t bytes)
{
	void *p = calloc(n, bytes);

	if (!p) {
		perror("empty");
		exit(EXIT_FAILURE);
	}
	return p;
}

static void fail(const char *what)
{
	fprintf(stderr, "empty: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static double wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double cpu_ms(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3 +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e3;
}

static int fill(u32 flows, const struct flow_value *values)
{
	int map = bpf_map_create(BPF_MAP_TYPE_PERCPU_HASH, "bench_flows", sizeof(struct flow_key),
				 sizeof(struct flow_value), flows, NULL);
	struct flow_key key = { .protocol = 17, .ip_version = 4, .vlan = VLAN_NONE };

	if (map < 0)
		fail("make a map");
	for (u32 i = 0; i < flows; i++) {
		memcpy(key.src_ip, &i, sizeof(i));
		if (bpf_map_update_elem(map, &key, values, BPF_ANY))
			fail("fill a map");
	}
	return map;
}

/* Returns how many there were. */
static unsigned long empty(int map, u32 batch, struct flow_key *keys, struct flow_value *values)
{
	u32 token, *from = NULL, n;
	unsigned long rows = 0;
	int err = 0;

	while (!err) {
		n = batch;
		err = bpf_map_lookup_and_delete_batch(map, from, &token, keys, values, &n, NULL);
		if (err && errno != ENOENT)
			fail("batch");
		from = &token;
		rows += n;
	}
	return rows;
}

int main(int argc, char **argv)
{
	long flows = argc == 3 ? strtol(argv[1], NULL, 10) : 0, batch = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	struct flow_value *values;
	struct flow_key *keys;
	unsigned long rows;
	double ms, cpu;
	int map;

	if (flows < 1 || flows > FLOWS_MAX || batch < 1 || batch > flows) {
		fprintf(stderr, "usage: empty FLOWS BATCH\n");
		return 2;
	}
	keys = memory((size_t)batch, sizeof(*keys));
	values = memory((size_t)batch * (size_t)libbpf_num_possible_cpus(), sizeof(*values));
	map = fill((u32)flows, values);
	ms = wall_ms();
	cpu = cpu_ms();
	rows = empty(map, (u32)batch, keys, values);
	printf("{\"rows\":%lu,\"ms\":%.1f,\"cpu_ms\":%.1f}\n", rows, wall_ms() - ms, cpu_ms() - cpu);
	return EXIT_SUCCESS;
}
