/* SPDX-License-Identifier: MIT */
/*
 * The packet program, loaded but attached nowhere, and run by BPF_PROG_TEST_RUN: what
 * the benchmarks of it share. They end with a word when something fails.
 */
#ifndef JOPIL_TEST_PACKET_PROGRAM_H
#define JOPIL_TEST_PACKET_PROGRAM_H

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/packet_config.h"
#include "common/pins.h"
#include "tests/bpf/frames.h"

#include "bpf/jopil.skel.h"
#include "tests/bench/spread.skel.h"

#define BENCH_RING_BYTES (1u << 24)
#define BENCH_RECORD_BYTES (8 + sizeof(struct packet_record))
/* Records that always fit a ring that was drained. */
#define BENCH_STEP (BENCH_RING_BYTES / BENCH_RECORD_BYTES - 1)
#define BENCH_CPUS 64

struct packet_program {
	struct jopil_bpf *bpf;
	struct spread_bpf *spread;
	int xdp;			/* the program itself */
	int rings[BENCH_CPUS];
	u64 *consumers[BENCH_CPUS];
	const u64 *producers[BENCH_CPUS];
	unsigned int n_cpus;
};

static inline void bench_die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(EXIT_FAILURE);
}

static inline int bench_silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

static inline void bench_make_rings(struct packet_program *p)
{
	for (unsigned int cpu = 0; cpu < p->n_cpus; cpu++) {
		int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "bench_ring", 0, 0, BENCH_RING_BYTES,
					NULL);

		p->rings[cpu] = fd;
		if (fd < 0 || bpf_map_update_elem(bpf_map__fd(p->bpf->maps.rings), &cpu, &fd, 0))
			bench_die("make ring");
		p->consumers[cpu] = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		p->producers[cpu] = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096);
		if (p->consumers[cpu] == MAP_FAILED || p->producers[cpu] == MAP_FAILED)
			bench_die("map ring");
	}
}

/* As many cells as the loader makes for its usual --max-flows, or for so many flows. */
static inline void bench_cells(const struct packet_program *p, u32 flows, struct packet_config *config)
{
	config->cpus = p->n_cpus;
	config->cell_bits = 16;
	while (1u << config->cell_bits < flows)
		config->cell_bits++;
	for (int i = 0; i < PACKET_SPREAD; i++)
		config->spread[i] = ((u64)random() << 33 ^ (u64)random() << 16 ^ (u64)random()) | 1;
}

static inline u32 bench_pages(const struct packet_config *config)
{
	return config->cell_bits ? 2 * config->cpus << (config->cell_bits - FLOW_PAGE_BITS) : 1;
}

static inline void bench_load_packet(struct packet_program *p, u32 packet_lines, u32 flows, bool folds)
{
	struct packet_config config = { .packet_lines = packet_lines };
	struct bpf_program *program;

	if (folds)
		bench_cells(p, flows, &config);
	p->bpf = jopil_bpf__open();
	if (!p->bpf)
		bench_die("open");
	bpf_object__for_each_program(program, p->bpf->obj)
		bpf_program__set_autoload(program, program == p->bpf->progs.packet_xdp);
	memcpy((void *)&p->bpf->rodata->packet_config, &config, sizeof(config));
	bpf_map__set_max_entries(p->bpf->maps.rings, p->n_cpus);
	bpf_map__set_max_entries(p->bpf->maps.flows_a, flows);
	bpf_map__set_max_entries(p->bpf->maps.flows_b, 1);
	bpf_map__set_max_entries(p->bpf->maps.flow_pages, bench_pages(&config));
	if (jopil_bpf__load(p->bpf))
		bench_die("load");
	p->xdp = bpf_program__fd(p->bpf->progs.packet_xdp);
}

static inline void bench_load_spread(struct packet_program *p, u32 flows, u32 at, bool with_bare)
{
	p->spread = spread_bpf__open();
	if (!p->spread)
		bench_die("open spread");
	p->spread->rodata->spread_flows = flows;
	p->spread->rodata->spread_at = at;
	bpf_map__set_max_entries(p->spread->maps.bare_hash, with_bare ? flows : 1);
	bpf_map__set_max_entries(p->spread->maps.bare_percpu, with_bare ? flows : 1);
	bpf_map__set_max_entries(p->spread->maps.bare_rings, p->n_cpus);
	if (spread_bpf__load(p->spread))
		bench_die("load spread");
	for (unsigned int cpu = 0; cpu < p->n_cpus; cpu++)
		if (bpf_map_update_elem(bpf_map__fd(p->spread->maps.bare_rings), &cpu, &p->rings[cpu], 0))
			bench_die("lend a ring");
}

/*
 * With room for so many flows, which differ in four bytes of the frame from at on;
 * packet_lines as in packet_config. If it does not fold, there is nowhere to.
 */
static inline void bench_open(struct packet_program *p, u32 packet_lines, u32 flows, u32 at,
			      bool with_bare, bool folds)
{
	u32 zero = 0;

	memset(p, 0, sizeof(*p));
	p->n_cpus = (unsigned int)libbpf_num_possible_cpus();
	if (p->n_cpus > BENCH_CPUS)
		p->n_cpus = BENCH_CPUS;
	bench_load_packet(p, packet_lines, flows < 64 ? 64 : flows, folds);
	if (!folds && bpf_map_delete_elem(bpf_map__fd(p->bpf->maps.flow_slot), &zero))
		bench_die("empty the slot");
	bench_make_rings(p);
	bench_load_spread(p, flows, at, with_bare);
}

static inline void bench_close(struct packet_program *p)
{
	for (unsigned int cpu = 0; cpu < p->n_cpus; cpu++) {
		munmap(p->consumers[cpu], 4096);
		munmap((void *)p->producers[cpu], 4096);
		close(p->rings[cpu]);
	}
	spread_bpf__destroy(p->spread);
	jopil_bpf__destroy(p->bpf);
}

/* The program that spread and walk call. */
static inline void bench_call(struct packet_program *p, int program)
{
	u32 zero = 0;

	if (bpf_map_update_elem(bpf_map__fd(p->spread->maps.tested), &zero, &program, BPF_ANY))
		bench_die("set the program under test");
}

/* The reader of a ring: as if all had been read. */
static inline void bench_drain(struct packet_program *p, unsigned int cpu)
{
	__atomic_store_n(p->consumers[cpu], __atomic_load_n(p->producers[cpu], __ATOMIC_ACQUIRE),
			 __ATOMIC_RELEASE);
}

/* Nanoseconds a run; what the program did to the frame is kept. */
static inline u32 bench_run(int program, struct frame_buffer *f, u32 repeat)
{
	u8 out[FRAME_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->bytes, .data_size_in = f->length,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = (int)repeat);

	if (bpf_prog_test_run_opts(program, &opts))
		bench_die("run");
	if (opts.retval != 2 /* XDP_PASS */ || opts.data_size_out != f->length) {
		errno = EBADMSG;
		bench_die("run");
	}
	memcpy(f->bytes, out, f->length);
	return opts.duration;
}

/* Has the program under test see every flow once. */
static inline void bench_fill(struct packet_program *p, struct frame_buffer *f, int program,
			      u32 flows)
{
	bench_call(p, program);
	memset(f->bytes, 0, sizeof(u32));
	bench_run(bpf_program__fd(p->spread->progs.walk), f, flows);
	memset(f->bytes, 1, sizeof(u32));	/* xorshift stays at 0 */
}

/* The n-th CPU that this process may use, or -1. */
static inline int bench_cpu(unsigned int n)
{
	static cpu_set_t allowed;

	if (!CPU_COUNT(&allowed) && sched_getaffinity(0, sizeof(allowed), &allowed))
		bench_die("sched_getaffinity");
	for (int cpu = 0; cpu < BENCH_CPUS; cpu++)
		if (CPU_ISSET(cpu, &allowed) && n-- == 0)
			return cpu;
	return -1;
}

static inline void bench_pin(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		bench_die("sched_setaffinity");
}

static inline void bench_print_list(const char *key, const double *values, int n)
{
	printf(",\"%s\":[", key);
	for (int i = 0; i < n; i++)
		printf("%s%.2f", i ? "," : "", values[i]);
	printf("]");
}

#endif
