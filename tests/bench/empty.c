// SPDX-License-Identifier: MIT
/*
 * Takes all rows out of pinned per-CPU hashes in batches, and drops them: what the kernel alone takes to be drained.
 *
 * usage: empty ROWS PIN...		so many rows a batch
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

/* Returns how many there were. */
static unsigned long empty(int map, __u32 batch)
{
	struct bpf_map_info info = { 0 };
	__u32 length = sizeof(info), token, *from = NULL, n;
	unsigned long rows = 0;
	char *keys, *values;
	int err = 0;

	if (bpf_obj_get_info_by_fd(map, &info, &length))
		fail("map");
	keys = calloc(batch, info.key_size);
	values = calloc(batch, (size_t)(info.value_size + 7) / 8 * 8 * (size_t)libbpf_num_possible_cpus());
	if (!keys || !values)
		fail("memory");
	while (!err) {
		n = batch;
		err = bpf_map_lookup_and_delete_batch(map, from, &token, keys, values, &n, NULL);
		if (err && errno != ENOENT)
			fail("batch");
		from = &token;
		rows += n;
	}
	free(keys);
	free(values);
	return rows;
}

int main(int argc, char **argv)
{
	long batch = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	unsigned long rows = 0;
	double ms, cpu;

	if (batch < 1 || batch > 1 << 20) {
		fprintf(stderr, "usage: empty ROWS PIN...\n");
		return 2;
	}
	ms = wall_ms();
	cpu = cpu_ms();
	for (int i = 2; i < argc; i++) {
		int map = bpf_obj_get(argv[i]);

		if (map < 0)
			fail(argv[i]);
		rows += empty(map, (__u32)batch);
	}
	printf("{\"rows\":%lu,\"ms\":%.1f,\"cpu_ms\":%.1f}\n", rows, wall_ms() - ms, cpu_ms() - cpu);
	return EXIT_SUCCESS;
}
