// SPDX-License-Identifier: MIT
/*
 * How the cost of the packet program grows, by BPF_PROG_TEST_RUN: with the flows, seen in
 * no order, and with the packets a second, in a batch each millisecond. Prints a JSON
 * object a point:
 *	{"curve":"flows","x":1000,"ns":[...]}		less an empty program
 *	{"curve":"packets_per_second","x":10000,"ns":[...],"cpu_percent":[...],"reached":[...]}
 *
 * usage: curve [ROUNDS]
 */
#include "tests/bench/packet_program.h"

#include <time.h>

#define ROUNDS_MAX 64
#define PACKETS 200000
#define AT_IPV4 26
#define FLOWS_MAX 1000000
#define FLOWS_OF_RATES 10000
#define TICKS 200		/* a millisecond each, of one measurement */
#define TICK_NS 1000000

static void open_with(struct packet_program *p, struct frame_buffer *f, u32 flows)
{
	memset(f, 0, sizeof(*f));
	frame_tcp4(f);
	bench_open(p, 0, flows, AT_IPV4, false, true);
	bench_fill(p, f, p->xdp, flows);
}

static double spread_ns(struct packet_program *p, struct frame_buffer *f, int program, u32 packets)
{
	bench_call(p, program);
	return bench_run(bpf_program__fd(p->spread->progs.spread), f, packets);
}

static void bench_flows(u32 flows, int rounds)
{
	struct packet_program p;
	struct frame_buffer f;
	double ns[ROUNDS_MAX];

	open_with(&p, &f, flows);
	for (int i = 0; i < rounds; i++) {
		ns[i] = -spread_ns(&p, &f, bpf_program__fd(p.spread->progs.nothing), PACKETS);
		ns[i] += spread_ns(&p, &f, p.xdp, PACKETS);
	}
	printf("{\"curve\":\"flows\",\"x\":%u", flows);
	bench_print_list("ns", ns, rounds);
	printf("}\n");
	fflush(stdout);
	bench_close(&p);
}

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static void sleep_until(u64 ns)
{
	const struct timespec t = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* At a pace of packets a millisecond; returns nanoseconds a packet, *ret_reached a second. */
static double paced_ns(struct packet_program *p, struct frame_buffer *f, int program, u32 packets,
		       double *ret_reached)
{
	u64 began = now_ns(), tick = began;
	double sum = 0;

	bench_call(p, program);
	for (int i = 0; i < TICKS; i++) {
		sum += bench_run(bpf_program__fd(p->spread->progs.spread), f, packets);
		tick += TICK_NS;
		sleep_until(tick);
	}
	*ret_reached = 1e9 * packets * TICKS / (double)(now_ns() - began);
	return sum / TICKS;
}

static void bench_rate(struct packet_program *p, struct frame_buffer *f, u32 rate, int rounds)
{
	double ns[ROUNDS_MAX], cpu[ROUNDS_MAX], reached[ROUNDS_MAX], ignored;

	for (int i = 0; i < rounds; i++) {
		ns[i] = -paced_ns(p, f, bpf_program__fd(p->spread->progs.nothing), rate / 1000,
				  &ignored);
		ns[i] += paced_ns(p, f, p->xdp, rate / 1000, &reached[i]);
		cpu[i] = ns[i] * reached[i] / 1e7;
	}
	printf("{\"curve\":\"packets_per_second\",\"x\":%u", rate);
	bench_print_list("ns", ns, rounds);
	bench_print_list("cpu_percent", cpu, rounds);
	bench_print_list("reached", reached, rounds);
	printf("}\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5;
	struct packet_program p;
	struct frame_buffer f;

	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "curve: 1 to %d rounds\n", ROUNDS_MAX);
		return 2;
	}
	libbpf_set_print(bench_silent);
	bench_pin(bench_cpu(0));
	for (u32 flows = 1; flows <= FLOWS_MAX; flows *= 10)
		bench_flows(flows, rounds);
	open_with(&p, &f, FLOWS_OF_RATES);
	for (u32 rate = 1000; rate <= 10000000; rate *= 10)
		bench_rate(&p, &f, rate, rounds);
	bench_close(&p);
	return 0;
}
