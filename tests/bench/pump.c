// SPDX-License-Identifier: MIT
/*
 * Sends 64-byte UDP frames of many flows through AF_PACKET, at a pace or as fast as it can, to
 * one interface or several in turn. The sender of the live rows: it does as little a packet as
 * it can, so that what others do with the packet shows.
 *
 * usage: pump [-r PACKETS_A_SECOND] [-t FLOWS_A_SECOND] [-b] SECONDS FLOWS IFACE...
 *	-t: so many flows end a second, and as many begin; after 16 times FLOWS they come again
 *	-b: past the qdisc and TC egress
 *
 * Flows come in random order, to nobody's MAC address. Prints
 *	{"sent":2000000,"seconds":1.000,"pps":2000000.0,"cpu_s":0.980}
 */
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/sending.h"

#define BATCH 64
#define INTERFACES_MAX 256
#define FLOWS_MAX (1u << 24)
#define TURNS 16	/* flows that there ever are, for each at a time */

static uint8_t frames[BATCH][FRAME];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];
static int sockets[INTERFACES_MAX];
static uint64_t dice = 88172645463325252ull;

/* What is sent: of these flows, beginning with the one at which a second's turnover has arrived. */
struct pace {
	double seconds, rate, turnover;
	uint32_t flows;
};

static double cpu_s(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static int open_socket(const char *interface, bool bypass)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || (bypass && setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one))) ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)))
		fail(interface);
	return fd;
}

static void make_frames(void)
{
	for (int i = 0; i < BATCH; i++) {
		memcpy(frames[i], pattern, FRAME);
		parts[i] = (struct iovec){ frames[i], FRAME };
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
}

static void change_flows(const struct pace *pace, double elapsed)
{
	uint64_t first = (uint64_t)(elapsed * pace->turnover);
	uint32_t ever = pace->turnover > 0 ? pace->flows * TURNS : pace->flows;

	for (int i = 0; i < BATCH; i++) {
		dice ^= dice << 13;
		dice ^= dice >> 7;
		dice ^= dice << 17;
		set_flow(frames[i], (uint32_t)((first + ((dice >> 32) * pace->flows >> 32)) % ever));
	}
}

/* A full queue is no failure: what was not taken is not counted. */
static uint64_t send_batch(int fd)
{
	int taken = sendmmsg(fd, messages, BATCH, 0);

	if (taken < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
		fail("sendmmsg");
	return taken > 0 ? (uint64_t)taken : 0;
}

/* Until the next batch is due, and not so short that waiting is all it does. */
static void rest(double behind_s)
{
	double wait = behind_s > 1e-4 ? behind_s : 1e-4;
	const struct timespec moment = { (time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9) };

	nanosleep(&moment, NULL);
}

static uint64_t send_all(const struct pace *pace, int interfaces)
{
	double start = now_s(), at = start;
	uint64_t sent = 0;

	for (int turn = 0; at < start + pace->seconds; at = now_s()) {
		if (pace->rate > 0 && (double)sent >= (at - start) * pace->rate) {
			rest((double)sent / pace->rate - (at - start));
			continue;
		}
		change_flows(pace, at - start);
		sent += send_batch(sockets[turn]);
		turn = (turn + 1) % interfaces;
	}
	return sent;
}

int main(int argc, char **argv)
{
	struct pace pace = { 0 };
	bool bypass = false;
	uint64_t sent;
	double start, seconds;
	int option, interfaces;

	while ((option = getopt(argc, argv, "r:t:b")) != -1) {
		if (option == 'r')
			pace.rate = strtod(optarg, NULL);
		if (option == 't')
			pace.turnover = strtod(optarg, NULL);
		bypass |= option == 'b';
	}
	interfaces = argc - optind - 2;
	if (interfaces < 1 || interfaces > INTERFACES_MAX) {
		fprintf(stderr, "usage: pump [-r PACKETS_A_SECOND] [-t FLOWS_A_SECOND] [-b] SECONDS FLOWS IFACE...\n");
		return 2;
	}
	pace.seconds = strtod(argv[optind], NULL);
	pace.flows = (uint32_t)strtoul(argv[optind + 1], NULL, 10);
	if (!pace.flows || pace.flows > (pace.turnover > 0 ? FLOWS_MAX / TURNS : FLOWS_MAX))
		pace.flows = 1;
	for (int i = 0; i < interfaces; i++)
		sockets[i] = open_socket(argv[optind + 2 + i], bypass);
	make_frames();
	start = now_s();
	sent = send_all(&pace, interfaces);
	seconds = now_s() - start;
	printf("{\"sent\":%llu,\"seconds\":%.3f,\"pps\":%.1f,\"cpu_s\":%.3f}\n", (unsigned long long)sent,
	       seconds, (double)sent / seconds, cpu_s());
	return 0;
}
