/* SPDX-License-Identifier: MIT */
/*
 * blast [-6] [-b] IFACE COUNT SIZE FLOWS [udp|mix]: sends COUNT Ethernet frames of SIZE
 * bytes as fast as it can, flow after flow, and prints what the kernel took, exactly:
 *
 *	sent 2000000 packets 128000000 bytes
 *
 * The frames go to nobody's MAC address, so that nobody answers. udp: one protocol;
 * mix: the flows are TCP, UDP, ICMP, SCTP, GRE and protocols without a name, tagged
 * and untagged, and ARP. -6: IPv6. -b: past the qdisc, and with it past TC egress.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
#define FRAME_MIN 64
#define FRAME_MAX 1514

/* The longest headers: Ethernet, a tag, IPv6, TCP. */
#define FRAME_MIN_ANY (14 + 4 + 40 + 20)

struct blast {
	bool ipv6, mix;
	unsigned int ifindex;
	size_t size;
	uint64_t count, flows;
	int fd;
};

/* Where the next header goes. */
struct cursor {
	uint8_t *next;
	uint8_t *end;
};

static void put8(struct cursor *c, unsigned int value)
{
	*c->next++ = (uint8_t)value;
}

static void put16(struct cursor *c, unsigned int value)
{
	put8(c, value >> 8);
	put8(c, value);
}

static void put32(struct cursor *c, uint32_t value)
{
	put16(c, value >> 16);
	put16(c, value);
}

static void put_ethernet(struct cursor *c, uint16_t ethertype, int vlan)
{
	static const uint8_t addresses[12] = { 2, 0, 0, 0, 0, 0x99, 2, 0, 0, 0, 0, 1 };

	memcpy(c->next, addresses, sizeof(addresses));
	c->next += sizeof(addresses);
	if (vlan) {
		put16(c, ETHERTYPE_VLAN);
		put16(c, (unsigned int)vlan);
	}
	put16(c, ethertype);
}

static void put_checksum(uint8_t *ip)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

static void put_ipv4(struct cursor *c, uint8_t protocol, uint64_t flow)
{
	uint8_t *ip = c->next;

	put16(c, 0x4500);
	put16(c, (unsigned int)(c->end - ip));
	put32(c, 0);
	put8(c, 64);
	put8(c, protocol);
	put16(c, 0);
	put32(c, 0x0a000000u | (uint32_t)(flow & 0xffffff));
	put32(c, 0xc6120001u);	/* 198.18.0.1: for benchmarks, RFC 2544 */
	put_checksum(ip);
}

static void put_ipv6(struct cursor *c, uint8_t protocol, uint64_t flow)
{
	put32(c, 0x60000000u);
	put16(c, (unsigned int)(c->end - c->next - 36));
	put8(c, protocol);
	put8(c, 64);
	put32(c, 0x20010db8u);
	put32(c, 0);
	put32(c, (uint32_t)(flow >> 32));
	put32(c, (uint32_t)flow);
	put32(c, 0x20010db8u);
	put32(c, 0);
	put32(c, 0);
	put32(c, 1);
}

static void put_arp(struct cursor *c, uint64_t flow)
{
	put32(c, 0x00010800u);
	put32(c, 0x06040001u);
	put32(c, (uint32_t)flow);
}

static void put_transport(struct cursor *c, uint8_t protocol, uint64_t flow, uint64_t packet)
{
	uint16_t left = (uint16_t)(c->end - c->next);

	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
		put16(c, protocol == IPPROTO_ICMP ? 0x0800 : 0x8000);
		put32(c, 0);
		return;
	}
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_SCTP)
		return;
	put16(c, 1024 + (unsigned int)(flow >> 4 & 0x7fff));
	put16(c, 5000);
	if (protocol == IPPROTO_UDP) {
		put16(c, left);
		put16(c, 0);
	} else if (protocol == IPPROTO_TCP) {
		put32(c, (uint32_t)packet);
		put32(c, 0);
		put16(c, 0x5000u | (packet & 0x3f));	/* any flags */
	}
}

/* Frame number `packet` of all. Each flow is of one protocol and one tag. */
static void fill(const struct blast *b, uint8_t *frame, uint64_t packet)
{
	static const uint8_t mixed[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_SCTP,
					 IPPROTO_GRE, 253 };
	struct cursor c = { frame, frame + b->size };
	uint64_t flow = packet % b->flows;
	uint8_t protocol = b->mix ? mixed[flow % sizeof(mixed)] : IPPROTO_UDP;
	int vlan = b->mix && flow % 5 == 4 ? 42 : 0;

	if (b->mix && flow % 64 == 63) {
		put_ethernet(&c, ETHERTYPE_ARP, vlan);
		put_arp(&c, flow);
		return;
	}
	put_ethernet(&c, b->ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP, vlan);
	if (b->ipv6) {
		if (protocol == IPPROTO_ICMP)
			protocol = IPPROTO_ICMPV6;
		put_ipv6(&c, protocol, flow);
	} else {
		put_ipv4(&c, protocol, flow);
	}
	put_transport(&c, protocol, flow, packet);
}

/* A full queue is no failure: the packet was not taken, and comes again. */
static bool is_passing(int err)
{
	return err == ENOBUFS || err == EAGAIN || err == EINTR;
}

static int send_all(const struct blast *b, uint64_t *ret_sent)
{
	static uint8_t frames[BATCH][FRAME_MAX];
	struct mmsghdr messages[BATCH] = { 0 };
	struct iovec parts[BATCH];
	uint64_t sent = 0;

	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ frames[i], b->size };
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (sent < b->count) {
		unsigned int batch = b->count - sent < BATCH ? (unsigned int)(b->count - sent)
							      : BATCH;
		int taken;

		for (unsigned int i = 0; i < batch; i++)
			fill(b, frames[i], sent + i);
		taken = sendmmsg(b->fd, messages, batch, 0);
		if (taken < 0 && !is_passing(errno)) {
			*ret_sent = sent;
			return -errno;
		}
		sent += taken > 0 ? (uint64_t)taken : 0;
	}
	*ret_sent = sent;
	return 0;
}

static int open_socket(const struct blast *b, bool bypass)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)b->ifindex };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -errno;
	if ((bypass && setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one))) ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to))) {
		close(fd);
		return -errno;
	}
	return fd;
}

static int usage(void)
{
	fprintf(stderr, "usage: blast [-6] [-b] IFACE COUNT SIZE FLOWS [udp|mix]; SIZE is %d to "
		"%d, at least %d with -6 or mix\n", FRAME_MIN, FRAME_MAX, FRAME_MIN_ANY);
	return 2;
}

static bool parse(struct blast *b, int argc, char **argv)
{
	if (argc < 4 || argc > 5)
		return false;
	b->ifindex = if_nametoindex(argv[0]);
	b->count = strtoull(argv[1], NULL, 10);
	b->size = strtoul(argv[2], NULL, 10);
	b->flows = strtoull(argv[3], NULL, 10);
	b->mix = argc == 5 && !strcmp(argv[4], "mix");
	return b->ifindex && b->flows && b->size <= FRAME_MAX &&
	       b->size >= (b->mix || b->ipv6 ? FRAME_MIN_ANY : FRAME_MIN) &&
	       (argc == 4 || b->mix || !strcmp(argv[4], "udp"));
}

int main(int argc, char **argv)
{
	struct blast b = { 0 };
	bool bypass = false;
	uint64_t sent = 0;
	int option, err;

	while ((option = getopt(argc, argv, "6b")) != -1) {
		b.ipv6 |= option == '6';
		bypass |= option == 'b';
		if (option == '?')
			return usage();
	}
	if (!parse(&b, argc - optind, argv + optind))
		return usage();
	b.fd = open_socket(&b, bypass);
	err = b.fd < 0 ? b.fd : send_all(&b, &sent);
	if (err)
		fprintf(stderr, "blast: %s\n", strerror(-err));
	printf("sent %llu packets %llu bytes\n", (unsigned long long)sent,
	       (unsigned long long)(sent * b.size));
	return err ? 1 : 0;
}
