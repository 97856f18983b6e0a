// SPDX-License-Identifier: MIT
/*
 * Runs an attached XDP program by BPF_PROG_TEST_RUN at a pace, as if packets came: what it counts, writes into its
 * rings and folds is real, and no driver, queue or sender limits the rate.
 *
 * usage: inject PROGRAM_ID SECONDS FLOWS [PACKETS_A_SECOND [CPUS]]
 *
 * 64-byte UDP packets, on CPUS processors at once. As a run costs a system call, several packets of a flow follow each
 * other: 8 from 300 000 a second on, 32 from 3 million. 0 SECONDS: each flow once. Prints
 *	{"sent":2000000,"seconds":1.000,"pps":2000000.0,"ns":45.1}		ns: of the program, a packet
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "tests/bench/sending.h"

#define CPUS_MAX 64

static struct {
	int program;
	double seconds, rate;	/* of each CPU; 0: as fast as it goes */
	unsigned int flows;
} job;

struct worker {
	pthread_t thread;
	int cpu;
	unsigned long long sent, ns;
};

static void run(struct worker *w, unsigned char *frame, unsigned int flow, unsigned int packets)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = FRAME, .repeat = (int)packets);

	set_flow(frame, flow);
	if (bpf_prog_test_run_opts(job.program, &opts))
		fail("run");
	w->sent += packets;
	w->ns += (unsigned long long)opts.duration * packets;
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("affinity");
}

static unsigned int run_length(double rate)
{
	return rate <= 0 || rate > 3e6 ? 32 : rate > 3e5 ? 8 : 1;
}

static void *work(void *closure)
{
	const struct timespec moment = { 0, 100000 };
	unsigned int flow = 0, packets = run_length(job.rate);
	struct worker *w = closure;
	unsigned char frame[FRAME];
	double start;

	stay_on(w->cpu);
	memcpy(frame, pattern, FRAME);
	start = now_s();
	if (job.seconds <= 0)
		for (flow = 0; flow < job.flows; flow++)
			run(w, frame, flow, 1);
	for (double at = start; at < start + job.seconds; at = now_s()) {
		if (job.rate > 0 && (double)w->sent >= (at - start) * job.rate) {
			nanosleep(&moment, NULL);
			continue;
		}
		/* A step that visits all of them before one comes again. */
		flow = (flow + 7919) % job.flows;
		run(w, frame, flow, packets);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct worker workers[CPUS_MAX] = { 0 };
	unsigned long long sent = 0, ns = 0;
	int cpus = argc > 5 ? atoi(argv[5]) : 1;
	double start, took;

	if (argc < 4 || cpus < 1 || cpus > CPUS_MAX || atoi(argv[3]) < 1) {
		fprintf(stderr, "usage: inject PROGRAM_ID SECONDS FLOWS [PACKETS_A_SECOND [CPUS]]\n");
		return 2;
	}
	job.program = bpf_prog_get_fd_by_id((__u32)atoi(argv[1]));
	if (job.program < 0)
		fail("program");
	job.seconds = strtod(argv[2], NULL);
	job.flows = (unsigned int)atoi(argv[3]);
	job.rate = argc > 4 ? strtod(argv[4], NULL) / cpus : 0;
	start = now_s();
	for (int i = 0; i < cpus; i++) {
		workers[i].cpu = i;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			fail("thread");
	}
	for (int i = 0; i < cpus; i++) {
		pthread_join(workers[i].thread, NULL);
		sent += workers[i].sent;
		ns += workers[i].ns;
	}
	took = now_s() - start;
	printf("{\"sent\":%llu,\"seconds\":%.3f,\"pps\":%.1f,\"ns\":%.1f}\n", sent, took, (double)sent / took,
	       sent ? (double)ns / (double)sent : 0);
	close(job.program);
	return 0;
}
