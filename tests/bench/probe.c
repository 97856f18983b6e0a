// SPDX-License-Identifier: MIT
/*
 * Nanoseconds a packet of the packet probe, by BPF_PROG_TEST_RUN, each measurement
 * next to one of an empty program. Prints one JSON object a case:
 * {"case":..., "ns":[...], "empty_ns":[...]}.
 *
 * usage: probe [rounds]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "bpf/packet_config.h"
#include "tests/bpf/frames.h"
#include "common/total_rows.h"

#include "bpf/jopil.skel.h"

#define REPEAT 1000000
#define RING_BYTES (1u << 24)

struct bench_case {
	const char *name;
	void (*frame)(struct frame_buffer *f);
	u32 packet_lines;
	u32 flows;	/* resident in the map */
};

static const struct bench_case cases[] = {
	{ "fold, 1 flow, TCP/IPv4", frame_tcp4, 0, 1 },
	{ "fold, 10000 flows resident, TCP/IPv4", frame_tcp4, 0, 10000 },
	{ "fold, 1 flow, UDP/IPv6", frame_udp6, 0, 1 },
	{ "fold, 1 flow, VLAN", frame_vlan, 0, 1 },
	{ "record, TCP/IPv4", frame_tcp4, PACKET_LINES_ALL, 1 },
	{ "record, UDP/IPv6", frame_udp6, PACKET_LINES_ALL, 1 },
};

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

static void die(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int empty_program(void)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 2 /* XDP_PASS */ },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "empty", "GPL", code, 2, NULL);

	if (fd < 0)
		die("load empty program");
	return fd;
}

static u32 run(int program, const struct frame_buffer *f, u32 repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->bytes, .data_size_in = f->length,
		    .repeat = (int)repeat);

	if (bpf_prog_test_run_opts(program, &opts))
		die("run");
	return opts.duration;
}

static struct jopil_bpf *load(const struct bench_case *c, int *ret_ring)
{
	struct packet_config config = { .packet_lines = c->packet_lines };
	struct jopil_bpf *bpf = jopil_bpf__open();
	int cpus = libbpf_num_possible_cpus();

	if (!bpf)
		die("open");
	memcpy((void *)&bpf->rodata->packet_config, &config, sizeof(config));
	bpf_map__set_max_entries(bpf->maps.rings, (u32)cpus);
	bpf_map__set_max_entries(bpf->maps.flows_a, 65536);
	bpf_map__set_max_entries(bpf->maps.flows_b, 65536);
	if (jopil_bpf__load(bpf))
		die("load");
	*ret_ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "bench_ring", 0, 0, RING_BYTES, NULL);
	for (int cpu = 0; cpu < cpus; cpu++)
		if (bpf_map_update_elem(bpf_map__fd(bpf->maps.rings), &cpu, ret_ring, 0))
			die("insert ring");
	return bpf;
}

/* Flows that differ in the source address; the frame measured is one of them. */
static void make_flows(int program, const struct bench_case *c, struct frame_buffer *f)
{
	for (u32 i = 1; i < c->flows; i++) {
		memcpy(f->bytes + 26, &i, sizeof(i));
		run(program, f, 1);
	}
}

/* The reader of the ring: as if all had been read. */
static void drain(u64 *consumer, const u64 *producer)
{
	__atomic_store_n(consumer, __atomic_load_n(producer, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
}

static void bench(const struct bench_case *c, int empty, int rounds)
{
	struct frame_buffer f = { .length = 0 };
	u32 ns[64], empty_ns[64];
	struct jopil_bpf *bpf;
	u64 *consumer;
	const u64 *producer;
	int ring, program;

	bpf = load(c, &ring);
	program = bpf_program__fd(bpf->progs.packet_xdp);
	consumer = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, 0);
	producer = mmap(NULL, 4096, PROT_READ, MAP_SHARED, ring, 4096);
	if (consumer == MAP_FAILED || producer == MAP_FAILED)
		die("map ring");
	c->frame(&f);
	make_flows(program, c, &f);
	for (int round = 0; round < rounds; round++) {
		u64 sum = 0;

		empty_ns[round] = run(empty, &f, REPEAT);
		/* In steps that fit the ring, so that a record is never a full ring. */
		for (int step = 0; step < 10; step++) {
			drain(consumer, producer);
			sum += run(program, &f, REPEAT / 10);
		}
		ns[round] = (u32)(sum / 10);
	}
	printf("{\"case\":\"%s\",\"ns\":[", c->name);
	for (int i = 0; i < rounds; i++)
		printf("%s%u", i ? "," : "", ns[i]);
	printf("],\"empty_ns\":[");
	for (int i = 0; i < rounds; i++)
		printf("%s%u", i ? "," : "", empty_ns[i]);
	printf("]}\n");
	munmap(consumer, 4096);
	munmap((void *)producer, 4096);
	close(ring);
	jopil_bpf__destroy(bpf);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5;
	int empty;

	if (rounds < 1 || rounds > 64) {
		fprintf(stderr, "probe: 1 to 64 rounds\n");
		return 2;
	}
	libbpf_set_print(silent);
	empty = empty_program();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		bench(&cases[i], empty, rounds);
	close(empty);
	return 0;
}
