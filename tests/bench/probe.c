// SPDX-License-Identifier: MIT
/*
 * Nanoseconds a packet of the packet program, by BPF_PROG_TEST_RUN, less those of an
 * empty program behind the same preparations. Prints a JSON object a row:
 *	{"what":..., "unit":..., "ours":[...], "against":..., "other":[...],
 *	 "target":..., "target_of":"ours"|"ratio"}
 * The target is of ours, or of ours to other; null: there is none. Where other is an empty
 * program, it is that alone: how fast the machine is at the moment.
 *
 * usage: probe [ROUNDS]
 */
#include "tests/bench/packet_program.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#define ROUNDS_MAX 64
#define PACKETS 200000		/* a run: as many records fit a ring */
#define RUNS 4

enum { AT_IPV4 = 26, AT_IPV6 = 34, AT_VLAN = 30 };	/* of the source address, its end */

enum mode { TOTALS, FOLD, RECORD };

struct bench_case {
	const char *what;
	void (*frame)(struct frame_buffer *f);
	u32 at;
	enum mode mode;
	u32 flows;	/* resident in the map, and seen in no order */
	double target_ns;
};

static const struct bench_case cases[] = {
	{ "totals only, TCP/IPv4", frame_tcp4, AT_IPV4, TOTALS, 10000, 10 },
	{ "totals only, UDP/IPv6", frame_udp6, AT_IPV6, TOTALS, 10000, 10 },
	{ "totals only, VLAN", frame_vlan, AT_VLAN, TOTALS, 10000, 10 },
	{ "fold, 1 flow, TCP/IPv4", frame_tcp4, AT_IPV4, FOLD, 1, 120 },
	{ "fold, 1 flow, UDP/IPv6", frame_udp6, AT_IPV6, FOLD, 1, 120 },
	{ "fold, 1 flow, VLAN", frame_vlan, AT_VLAN, FOLD, 1, 120 },
	{ "fold, 10000 flows, TCP/IPv4", frame_tcp4, AT_IPV4, FOLD, 10000, 45 },
	{ "fold, 10000 flows, UDP/IPv6", frame_udp6, AT_IPV6, FOLD, 10000, 45 },
	{ "fold, 10000 flows, VLAN", frame_vlan, AT_VLAN, FOLD, 10000, 45 },
	{ "record, TCP/IPv4", frame_tcp4, AT_IPV4, RECORD, 10000, 60 },
	{ "record, UDP/IPv6", frame_udp6, AT_IPV6, RECORD, 10000, 60 },
	{ "record, VLAN", frame_vlan, AT_VLAN, RECORD, 10000, 60 },
};

struct row {
	const char *what;
	const char *against;
	double ours[ROUNDS_MAX], other[ROUNDS_MAX];
	double target;		/* 0: none */
	bool of_ratio;
};

static void print_row(const struct row *row, int rounds)
{
	printf("{\"what\":\"%s\",\"unit\":\"ns/packet\"", row->what);
	bench_print_list("ours", row->ours, rounds);
	printf(",\"against\":\"%s\"", row->against);
	bench_print_list("other", row->other, rounds);
	if (row->target > 0)
		printf(",\"target\":%g,\"target_of\":\"%s\"}\n", row->target,
		       row->of_ratio ? "ratio" : "ours");
	else
		printf(",\"target\":null,\"target_of\":null}\n");
	fflush(stdout);
}

/* Nanoseconds a packet of spread and what it calls. */
static double spread_ns(struct packet_program *p, struct frame_buffer *f, unsigned int cpu)
{
	const int program = bpf_program__fd(p->spread->progs.spread);
	double sum = 0;

	for (int run = 0; run < RUNS; run++) {
		bench_drain(p, cpu);
		sum += bench_run(program, f, PACKETS);
	}
	return sum / RUNS;
}

static double ns_of(struct packet_program *p, struct frame_buffer *f, int program)
{
	bench_call(p, program);
	return spread_ns(p, f, (unsigned int)bench_cpu(0));
}

static void open_case(struct packet_program *p, struct frame_buffer *f, const struct bench_case *c,
		      bool with_bare)
{
	memset(f, 0, sizeof(*f));
	c->frame(f);
	bench_open(p, c->mode == RECORD ? PACKET_LINES_ALL : 0, c->flows, c->at, with_bare,
		   c->mode != TOTALS);
	if (c->mode != RECORD)
		bench_fill(p, f, p->xdp, c->flows);
}

static void bench(const struct bench_case *c, int rounds)
{
	struct row row = { .what = c->what, .against = "an empty program",
			   .target = c->target_ns };
	struct packet_program p;
	struct frame_buffer f;

	open_case(&p, &f, c, false);
	for (int i = 0; i < rounds; i++) {
		const int nothing = bpf_program__fd(p.spread->progs.nothing);

		row.other[i] = bench_run(nothing, &f, RUNS * PACKETS);
		row.ours[i] = -ns_of(&p, &f, nothing);
		row.ours[i] += ns_of(&p, &f, p.xdp);
	}
	print_row(&row, rounds);
	bench_close(&p);
}

/* ---- beside the bare maps: what no such program can be below ----------------------- */

struct floor {
	struct bench_case of;
	const char *against;
	size_t program;		/* offset in the skeleton's programs */
	double target;		/* of the ratio */
};

#define FLOOR(program) offsetof(struct spread_bpf, progs.program)
#define UPDATE "a bare update of a hash map", FLOOR(bare_update)
#define ADD "a bare look-up in a per-CPU hash, and an addition", FLOOR(bare_add)
#define STORE "a bare record: reserve, 72 bytes with the exact time, submit", FLOOR(bare_record)

static const struct floor floors[] = {
	{ { "fold, 10000 flows, TCP/IPv4", frame_tcp4, AT_IPV4, FOLD, 10000, 0 }, ADD, 0 },
	{ { "record, TCP/IPv4", frame_tcp4, AT_IPV4, RECORD, 10000, 0 }, STORE, 0 },
	{ { "fold, 1000000 flows, TCP/IPv4", frame_tcp4, AT_IPV4, FOLD, 1000000, 0 }, UPDATE, 1.2 },
	{ { "fold, 1000000 flows, TCP/IPv4", frame_tcp4, AT_IPV4, FOLD, 1000000, 0 }, ADD, 0 },
};

static void bench_floor(const struct floor *floor, int rounds)
{
	struct row row = { .what = floor->of.what, .against = floor->against,
			   .target = floor->target, .of_ratio = true };
	struct packet_program p;
	struct frame_buffer f;
	int bare;

	open_case(&p, &f, &floor->of, true);
	bare = bpf_program__fd(*(struct bpf_program **)((char *)p.spread + floor->program));
	if (floor->of.mode == FOLD)
		bench_fill(&p, &f, bare, floor->of.flows);
	for (int i = 0; i < rounds; i++) {
		double empty = ns_of(&p, &f, bpf_program__fd(p.spread->progs.nothing));

		row.ours[i] = ns_of(&p, &f, p.xdp) - empty;
		row.other[i] = ns_of(&p, &f, bare) - empty;
	}
	print_row(&row, rounds);
	bench_close(&p);
}

/* ---- two CPUs at once --------------------------------------------------------------- */

/* One of the threads that run the program at once, until the first has its runs done. */
struct runner {
	pthread_t thread;
	struct packet_program *program;
	struct frame_buffer frame;
	pthread_barrier_t *start;
	atomic_bool *stop;
	int cpu;
	double ns;
};

static void *run_pinned(void *closure)
{
	struct runner *r = closure;
	double sum = 0;
	int runs = 0;

	bench_pin(r->cpu);
	pthread_barrier_wait(r->start);
	while (runs < RUNS && !atomic_load(r->stop)) {
		bench_drain(r->program, (unsigned int)r->cpu);
		sum += bench_run(bpf_program__fd(r->program->spread->progs.spread), &r->frame, PACKETS);
		runs++;
	}
	atomic_store(r->stop, true);
	r->ns = sum / runs;
	return NULL;
}

/* Nanoseconds a packet, the mean of the CPUs from first on, n of them at once. */
static double ns_at_once(struct packet_program *p, const struct frame_buffer *f, int program,
			 unsigned int first, unsigned int n)
{
	struct runner runners[2];
	pthread_barrier_t start;
	atomic_bool stop = false;
	double sum = 0;

	bench_call(p, program);
	pthread_barrier_init(&start, NULL, n);
	for (unsigned int i = 0; i < n; i++) {
		runners[i] = (struct runner){ .program = p, .frame = *f, .start = &start,
					      .stop = &stop, .cpu = bench_cpu(first + i) };
		runners[i].frame.bytes[0] = (u8)(1 + i);
		if (pthread_create(&runners[i].thread, NULL, run_pinned, &runners[i]))
			bench_die("pthread_create");
	}
	for (unsigned int i = 0; i < n; i++) {
		pthread_join(runners[i].thread, NULL);
		sum += runners[i].ns;
	}
	pthread_barrier_destroy(&start);
	return sum / n;
}

/* The mean of two CPUs, one after the other. */
static double ns_alone(struct packet_program *p, const struct frame_buffer *f, int program)
{
	return (ns_at_once(p, f, program, 0, 1) + ns_at_once(p, f, program, 1, 1)) / 2;
}

static void bench_two_cpus(const struct bench_case *c, int rounds)
{
	struct row row = { .what = c->what, .against = "one CPU", .target = 1.25, .of_ratio = true };
	struct packet_program p;
	struct frame_buffer f;

	open_case(&p, &f, c, false);
	for (int i = 0; i < rounds; i++) {
		const int nothing = bpf_program__fd(p.spread->progs.nothing);

		row.other[i] = ns_alone(&p, &f, p.xdp) - ns_alone(&p, &f, nothing);
		row.ours[i] = ns_at_once(&p, &f, p.xdp, 0, 2) - ns_at_once(&p, &f, nothing, 0, 2);
	}
	print_row(&row, rounds);
	bench_close(&p);
}

static const struct bench_case two_cpus[] = {
	{ "two CPUs at once: fold, 1 flow", frame_tcp4, AT_IPV4, FOLD, 1, 0 },
	{ "two CPUs at once: fold, 10000 flows", frame_tcp4, AT_IPV4, FOLD, 10000, 0 },
	{ "two CPUs at once: record", frame_tcp4, AT_IPV4, RECORD, 10000, 0 },
};

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5;

	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "probe: 1 to %d rounds\n", ROUNDS_MAX);
		return 2;
	}
	libbpf_set_print(bench_silent);
	if (bench_cpu(1) >= 0)
		for (size_t i = 0; i < sizeof(two_cpus) / sizeof(two_cpus[0]); i++)
			bench_two_cpus(&two_cpus[i], rounds);
	bench_pin(bench_cpu(0));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		bench(&cases[i], rounds);
	for (size_t i = 0; i < sizeof(floors) / sizeof(floors[0]); i++)
		bench_floor(&floors[i], rounds);
	return 0;
}
