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
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "common/types.h"

#include "tests/bench/frames.skel.h"
#include "tests/bench/sending.h"

/* Two batches fit the queue of a veth (256). */
#define BATCH 64

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
	double began = now_s();

	if (bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.frames_send), &opts))
		fail("send");
	return now_s() - began;
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
