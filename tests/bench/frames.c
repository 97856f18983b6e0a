// SPDX-License-Identifier: MIT
/*
 * Sends live XDP frames (BPF_F_TEST_XDP_LIVE_FRAMES) over a veth, as fast as they go: 64
 * bytes, UDP, to nobody's MAC address. With "empty" it attaches a program that does
 * nothing where they arrive, for as long as it runs.
 *
 * usage: frames NETNS IFACE PEER_NETNS PEER_IFACE COUNT FLOWS [empty]
 * Prints {"sent":10000000,"seconds":1.234,"received":10000000}: received as the peer's own
 * counters say.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "common/types.h"

#include "tests/bench/frames.skel.h"

#define FRAME 64
/* Two batches fit the queue of a veth (256). */
#define BATCH 64

static const unsigned char pattern[FRAME] = {
	2, 0, 0, 0, 0, 0x99, 2, 0, 0, 0, 0, 1, 8, 0,
	0x45, 0, 0, FRAME - 14, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 0, 198, 18, 0, 1,
	0x20, 0, 0x1f, 0x90, 0, FRAME - 34,
};

static void fail(const char *what)
{
	fprintf(stderr, "frames: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void enter(const char *netns)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		fail(netns);
	close(fd);
}

static unsigned int index_of(const char *iface)
{
	unsigned int ifindex = if_nametoindex(iface);

	if (!ifindex)
		fail(iface);
	return ifindex;
}

/* Packets that the interface has received, by the namespace's own table. */
static unsigned long long received(const char *iface)
{
	const size_t length = strlen(iface);
	unsigned long long packets = 0;
	FILE *f = fopen("/proc/thread-self/net/dev", "re");
	char line[512];

	if (!f)
		fail("/proc/thread-self/net/dev");
	while (fgets(line, sizeof(line), f)) {
		const char *name = line + strspn(line, " ");

		if (!strncmp(name, iface, length) && name[length] == ':')
			sscanf(name + length, ": %*u %llu", &packets);
	}
	fclose(f);
	return packets;
}

static struct frames_bpf *load(unsigned int flows, unsigned int ifindex)
{
	struct frames_bpf *bpf = frames_bpf__open();

	if (!bpf)
		fail("open");
	bpf->rodata->frames_flows = flows;
	bpf->rodata->frames_ifindex = ifindex;
	if (frames_bpf__load(bpf))
		fail("load");
	return bpf;
}

/* In the peer's namespace. The link ends with this process. */
static void attach_empty(struct frames_bpf *bpf, const char *iface)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);

	if (bpf_link_create(bpf_program__fd(bpf->progs.frames_nothing), (int)index_of(iface),
			    BPF_XDP, &opts) < 0)
		fail("attach an empty program");
}

static double send_frames(struct frames_bpf *bpf, unsigned int count)
{
	struct xdp_md ctx = { .data_end = FRAME };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = pattern, .data_size_in = FRAME,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = (int)count,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	struct timespec began, ended;

	clock_gettime(CLOCK_MONOTONIC, &began);
	if (bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.frames_send), &opts))
		fail("send");
	clock_gettime(CLOCK_MONOTONIC, &ended);
	return (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
}

int main(int argc, char **argv)
{
	unsigned long long before;
	struct frames_bpf *bpf;
	double seconds;

	if (argc < 7) {
		fprintf(stderr, "usage: frames NETNS IFACE PEER_NETNS PEER_IFACE COUNT FLOWS [empty]\n");
		return 2;
	}
	enter(argv[1]);
	bpf = load((unsigned int)atoi(argv[6]), index_of(argv[2]));
	enter(argv[3]);
	if (argc > 7)
		attach_empty(bpf, argv[4]);
	before = received(argv[4]);
	enter(argv[1]);
	seconds = send_frames(bpf, (unsigned int)atoi(argv[5]));
	enter(argv[3]);
	printf("{\"sent\":%s,\"seconds\":%.3f,\"received\":%llu}\n", argv[5], seconds,
	       received(argv[4]) - before);
	frames_bpf__destroy(bpf);
	return 0;
}
