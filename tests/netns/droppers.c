/* SPDX-License-Identifier: MIT */
/*
 * droppers CLIENT_NETNS SERVER_NETNS CLIENT SERVER BEYOND STRANGER PLACE COUNT [WAY]: has the kernel of the server's
 * namespace drop COUNT packets for every reason there is, and prints what it must say:
 *
 *	{"way":"UDP, nobody listens","place":"IPv4","proto":"UDP","src_ip":"10.77.0.1","src_port":4000,
 *	 "dst_ip":"10.77.0.2","dst_port":5000,"reason":"NO_SOCKET","count":7}
 *
 * CLIENT, SERVER: addresses; BEYOND: one that the server's namespace would forward to; STRANGER: one that cannot come
 * from the client's side. The server's namespace drops UDP to port 4001 and what conntrack calls invalid to port 4002.
 */
#include <linux/filter.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stddef.h>
#include "tests/netns/sockets.h"

#define PORT_FILTERED 4001
#define PORT_INVALID 4002
#define PORT_NOBODY 4003
#define PORT_CLIENT 3999
#define PORT_FIRST 20000	/* of many; the kernel's own choice would come twice */
#define PAYLOAD 100

struct scene {
	const char *client_netns, *server_netns, *client, *server, *beyond, *stranger, *place;
	int count;
	bool v6;
};

/* What is to be dropped. */
struct drop {
	const char *way, *proto, *reason, *src, *dst;
	int src_port, dst_port;
};

static void expect(const struct scene *s, const struct drop *d, int count)
{
	char src_port[8] = "null", dst_port[8] = "null";

	if (d->src_port)
		snprintf(src_port, sizeof(src_port), "%d", d->src_port);
	if (d->dst_port)
		snprintf(dst_port, sizeof(dst_port), "%d", d->dst_port);
	say("{\"way\":\"%s\",\"place\":\"%s\",\"proto\":\"%s\",\"src_ip\":\"%s\",\"src_port\":%s,\"dst_ip\":\"%s\","
	    "\"dst_port\":%s,\"reason\":\"%s\",\"count\":%d}\n", d->way, s->place, d->proto, d->src, src_port, d->dst,
	    dst_port, d->reason, count);
}

/* ---- packets by hand: raw sockets whose sender writes the IP header ---- */

struct packet {
	size_t size;
	uint8_t bytes[128];
};

static uint32_t sum_of(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* The IP header; IPv4's checksum and length are the kernel's business (raw(7)). Returns its size. */
static size_t put_ip(struct packet *p, const struct drop *d, bool v6, uint8_t protocol, uint8_t ttl, size_t behind)
{
	struct ip6_hdr ip6 = { .ip6_plen = htons((uint16_t)behind), .ip6_nxt = protocol, .ip6_hlim = ttl };
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = ttl, .protocol = protocol };

	if (v6) {
		ip6.ip6_vfc = 0x60;
		ip6.ip6_src = address_of(d->src, 0, false).v6.sin6_addr;
		ip6.ip6_dst = address_of(d->dst, 0, false).v6.sin6_addr;
		memcpy(p->bytes, &ip6, sizeof(ip6));
		return sizeof(ip6);
	}
	ip.saddr = address_of(d->src, 0, false).v4.sin_addr.s_addr;
	ip.daddr = address_of(d->dst, 0, false).v4.sin_addr.s_addr;
	memcpy(p->bytes, &ip, sizeof(ip));
	return sizeof(ip);
}

/* Over addresses, protocol, length and what is behind the IP header; wrong if not good. */
static void put_checksum(struct packet *p, size_t ip_size, size_t at, uint8_t protocol, bool good)
{
	size_t addresses = ip_size == sizeof(struct ip6_hdr) ? 8 : 12;
	uint16_t sum = folded(sum_of(p->bytes + addresses, ip_size - addresses) + protocol +
			      (uint32_t)(p->size - ip_size) + sum_of(p->bytes + ip_size, p->size - ip_size));

	if (!good)
		sum ^= 0x5555;
	memcpy(p->bytes + at, &sum, sizeof(sum));
}

static struct packet udp_packet(const struct drop *d, bool v6, uint8_t ttl, bool good)
{
	struct udphdr udp = { .source = htons((uint16_t)d->src_port), .dest = htons((uint16_t)d->dst_port),
			      .len = htons(sizeof(udp) + 40) };
	struct packet p = { 0 };
	size_t ip_size = put_ip(&p, d, v6, IPPROTO_UDP, ttl, sizeof(udp) + 40);

	p.size = ip_size + sizeof(udp) + 40;
	memcpy(p.bytes + ip_size, &udp, sizeof(udp));
	put_checksum(&p, ip_size, ip_size + offsetof(struct udphdr, check), IPPROTO_UDP, good);
	return p;
}

static struct packet tcp_packet(const struct drop *d, bool v6, uint8_t flags, bool good)
{
	struct tcphdr tcp = { .source = htons((uint16_t)d->src_port), .dest = htons((uint16_t)d->dst_port),
			      .seq = htonl(1000), .doff = 5 };
	struct packet p = { 0 };
	size_t ip_size = put_ip(&p, d, v6, IPPROTO_TCP, 64, sizeof(tcp));

	tcp.syn = !!(flags & TH_SYN);
	tcp.rst = !!(flags & TH_RST);
	p.size = ip_size + sizeof(tcp);
	memcpy(p.bytes + ip_size, &tcp, sizeof(tcp));
	put_checksum(&p, ip_size, ip_size + offsetof(struct tcphdr, check), IPPROTO_TCP, good);
	return p;
}

/* From the client's namespace, COUNT times. IPv6 needs the destination again, without port. */
static void send_packets(const struct scene *s, const struct drop *d, const struct packet *p)
{
	union address to = address_of(d->dst, 0, false);
	int fd;

	enter_netns(s->client_netns);
	fd = must(socket(to.any.sa_family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), "socket");
	if (!s->v6)
		must(set_option(fd, IPPROTO_IP, IP_HDRINCL, 1), "IP_HDRINCL");
	for (int i = 0; i < s->count; i++)
		must((int)sendto(fd, p->bytes, p->size, 0, &to.any, address_length(&to)), "sendto");
	expect(s, d, s->count);
}

/* ---- by the sockets' own doing ---- */

/* An ICMP error makes the next send fail, which sent nothing. */
static void send_udp(int fd, int count)
{
	char payload[PAYLOAD] = "";

	for (int i = 0; i < count;)
		i += send(fd, payload, sizeof(payload), 0) > 0;
}

static void udp_to(const struct scene *s, struct drop *d)
{
	union address to = address_of(s->server, (uint16_t)d->dst_port, false), from;
	int fd;

	enter_netns(s->client_netns);
	fd = dial(&to, SOCK_DGRAM, 0);
	from = local_address(fd);
	d->src_port = address_port(&from);
	send_udp(fd, s->count);
	expect(s, d, s->count);
}

static void udp_nobody(const struct scene *s, struct drop *d)
{
	d->dst_port = PORT_NOBODY;
	udp_to(s, d);
}

static void udp_filtered(const struct scene *s, struct drop *d)
{
	d->dst_port = PORT_FILTERED;
	udp_to(s, d);
}

/* Each attempt is one SYN from a port of its own, so each is a line of its own. */
static void tcp_nobody(const struct scene *s, struct drop *d)
{
	enter_netns(s->client_netns);
	d->dst_port = PORT_NOBODY;
	for (int i = 0; i < s->count; i++) {
		uint16_t port = (uint16_t)(PORT_FIRST + i);
		union address from = address_of(s->client, port, false);
		union address to = address_of(s->server, PORT_NOBODY, false);
		int fd = must(socket(from.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

		must(bind(fd, &from.any, address_length(&from)), "bind");
		d->src_port = port;
		if (!connect(fd, &to.any, address_length(&to)) || errno != ECONNREFUSED)
			die("connect to nobody");
		close(fd);
		expect(s, d, 1);
	}
}

/* A server in its own namespace, a client in its: the server first, both in this process. */
static int udp_server(const struct scene *s)
{
	union address at = address_of(s->server, 0, false);

	enter_netns(s->server_netns);
	return serve(&at, SOCK_DGRAM, 0);
}

static int udp_client(const struct scene *s, int server, struct drop *d)
{
	union address to = local_address(server), from;
	int fd;

	enter_netns(s->client_netns);
	fd = dial(&to, SOCK_DGRAM, 0);
	from = local_address(fd);
	d->src_port = address_port(&from);
	d->dst_port = address_port(&to);
	return fd;
}

/* Nobody reads: what is read afterwards was not dropped, all else was. */
static void full_buffer(const struct scene *s, struct drop *d)
{
	int server = udp_server(s), client, kept = 0;
	char byte;

	must(set_option(server, SOL_SOCKET, SO_RCVBUF, 4096), "SO_RCVBUF");
	client = udp_client(s, server, d);
	send_udp(client, s->count + 20);
	while (recv(server, &byte, 1, MSG_DONTWAIT) >= 0)
		kept++;
	expect(s, d, s->count + 20 - kept);
}

static void socket_filter(const struct scene *s, struct drop *d)
{
	struct sock_filter none[] = { { BPF_RET | BPF_K, 0, 0, 0 } };
	struct sock_fprog program = { 1, none };
	int server = udp_server(s), client;

	must(setsockopt(server, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), "SO_ATTACH_FILTER");
	client = udp_client(s, server, d);
	send_udp(client, s->count);
	expect(s, d, s->count);
}

/* ---- by packets that nobody would send ---- */

static void bad_udp_checksum(const struct scene *s, struct drop *d)
{
	struct packet p;

	d->src_port = PORT_CLIENT;
	d->dst_port = PORT_NOBODY + 1;
	p = udp_packet(d, s->v6, 64, false);
	send_packets(s, d, &p);
}

static void bad_tcp_checksum(const struct scene *s, struct drop *d)
{
	struct packet p;

	d->src_port = PORT_CLIENT;
	d->dst_port = PORT_NOBODY + 1;
	p = tcp_packet(d, s->v6, TH_SYN, false);
	send_packets(s, d, &p);
}

static void reverse_path(const struct scene *s, struct drop *d)
{
	struct packet p;

	d->src = s->stranger;
	d->src_port = PORT_CLIENT;
	d->dst_port = PORT_NOBODY + 2;
	p = udp_packet(d, s->v6, 64, true);
	send_packets(s, d, &p);
}

static void martian(const struct scene *s, struct drop *d)
{
	struct packet p;

	d->src = s->v6 ? "::1" : "127.0.0.1";
	d->src_port = PORT_CLIENT;
	d->dst_port = PORT_NOBODY + 3;
	p = udp_packet(d, s->v6, 64, true);
	send_packets(s, d, &p);
}

static void time_to_live(const struct scene *s, struct drop *d)
{
	struct packet p;

	d->dst = s->beyond;
	d->src_port = PORT_CLIENT;
	d->dst_port = PORT_NOBODY + 4;
	p = udp_packet(d, s->v6, 1, true);
	send_packets(s, d, &p);
}

/* A reset of no connection. */
static void conntrack_invalid(const struct scene *s, struct drop *d)
{
	struct packet p;

	d->src_port = PORT_CLIENT;
	d->dst_port = PORT_INVALID;
	p = tcp_packet(d, s->v6, TH_RST, true);
	send_packets(s, d, &p);
}

static void unknown_protocol(const struct scene *s, struct drop *d)
{
	struct packet p = { 0 };

	p.size = 60;
	(void)put_ip(&p, d, s->v6, 253, 64, 60 - sizeof(struct ip6_hdr));
	send_packets(s, d, &p);
}

static const struct way {
	const char *name, *proto, *reason, *reason_v6;
	void (*run)(const struct scene *s, struct drop *d);
} ways[] = {
	{ "UDP, nobody listens", "UDP", "NO_SOCKET", "NO_SOCKET", udp_nobody },
	{ "TCP, nobody listens", "TCP", "NO_SOCKET", "NO_SOCKET", tcp_nobody },
	{ "nftables says drop", "UDP", "NETFILTER_DROP", "NETFILTER_DROP", udp_filtered },
	{ "full socket buffer", "UDP", "SOCKET_RCVBUFF", "SOCKET_RCVBUFF", full_buffer },
	{ "socket filter", "UDP", "SOCKET_FILTER", "SOCKET_FILTER", socket_filter },
	{ "bad UDP checksum", "UDP", "UDP_CSUM", "UDP_CSUM", bad_udp_checksum },
	{ "bad TCP checksum", "TCP", "TCP_CSUM", "TCP_CSUM", bad_tcp_checksum },
	{ "reverse path", "UDP", "IP_RPFILTER", NULL, reverse_path },
	{ "martian source", "UDP", "IP_LOCALNET", "IP_INHDR", martian },
	{ "TTL expired", "UDP", "IP_INHDR", "IP_INHDR", time_to_live },
	{ "conntrack says invalid", "TCP", "NETFILTER_DROP", "NETFILTER_DROP", conntrack_invalid },
	{ "unknown protocol", "253", "IP_NOPROTO", "IP_NOPROTO", unknown_protocol },
};

static bool run_way(const struct scene *s, const struct way *way)
{
	struct drop d = { .way = way->name, .proto = way->proto, .reason = s->v6 ? way->reason_v6 : way->reason,
			  .src = s->client, .dst = s->server };
	int status;
	pid_t pid;

	if (!d.reason)
		return true;	/* IPv6 has no such thing */
	pid = must(fork(), "fork");
	if (!pid) {
		way->run(s, &d);
		exit(0);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	struct scene s;
	bool good = true;

	if (argc < 9 || argc > 10) {
		fprintf(stderr, "usage: droppers CLIENT_NETNS SERVER_NETNS CLIENT SERVER BEYOND STRANGER PLACE COUNT "
			"[WAY]\n");
		return 2;
	}
	s = (struct scene){ argv[1], argv[2], argv[3], argv[4], argv[5], argv[6], argv[7],
			    (int)strtol(argv[8], NULL, 10), strchr(argv[3], ':') };
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!argv[9] || !strcmp(argv[9], ways[i].name))
			good &= run_way(&s, &ways[i]);
	return good ? 0 : 1;
}
