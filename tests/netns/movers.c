/* SPDX-License-Identifier: MIT */
/*
 * movers CLIENT_NETNS SERVER_NETNS ADDRESS IFACE PLACE [WAY]: moves bytes in every way there is, a client and a
 * server process for each way, and prints for each of them what its own calls returned:
 *
 *	{"way":"TCP sendfile","place":"veth","pid":7,"command":"c sendfile","uid":0,"ip_version":4,"proto":"TCP",
 *	 "remote_ip":"10.77.0.2","remote_port":4000,"tx_bytes":1,"rx_bytes":2,"tx_calls":null,"rx_calls":1}
 *
 * A way this kernel does not have is {"way":...,"place":...,"skipped":"why"}. NETNS: a path, or - to stay;
 * ADDRESS: the server's; IFACE: where the client injects frames.
 */
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <pthread.h>
#include <signal.h>
#include "tests/netns/moves.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define STREAM_REQUEST 100003
#define STREAM_REPLY 50021
#define DATAGRAM 1000
#define DATAGRAMS 20
#define RAW_PROTOCOL 253
#define ETHERTYPE_TEST 0x88b5	/* for local experiments */

struct arguments {
	const char *client_netns, *server_netns, *address, *iface, *place, *only;
};

/* A way to move bytes; a session, where there is one, is all that the client does. */
struct way {
	const char *name;
	const char *proto;
	int type, protocol;
	move send, receive;
	void (*session)(struct mover *m, const struct way *way, const struct arguments *args);
	bool unconnected, mapped, root, ring, inherited;
	unsigned int ring_flags;
	size_t chunk;
};

/* Both ends print their sums; a way of unknown calls prints null. */
static void report(const struct mover *m, const struct way *way, const struct arguments *args,
		   const union address *peer)
{
	char text[INET6_ADDRSTRLEN], ip[INET6_ADDRSTRLEN + 2] = "null", port[8] = "null";
	char tx[24] = "null", rx[24] = "null", command[16];
	const char *version = !peer ? "null" : address_text(peer, text) == 4 ? "4" : "6";

	must(prctl(PR_GET_NAME, command), "name of this process");
	if (peer) {
		snprintf(ip, sizeof(ip), "\"%s\"", text);
		if (address_port(peer))
			snprintf(port, sizeof(port), "%u", address_port(peer));
	}
	if (!m->tx_calls_unknown)
		snprintf(tx, sizeof(tx), "%llu", (unsigned long long)m->tx_calls);
	if (!m->rx_calls_unknown)
		snprintf(rx, sizeof(rx), "%llu", (unsigned long long)m->rx_calls);
	say("{\"way\":\"%s\",\"place\":\"%s\",\"pid\":%d,\"command\":\"%s\",\"uid\":%u,\"ip_version\":%s,"
	    "\"proto\":\"%s\",\"remote_ip\":%s,\"remote_port\":%s,\"tx_bytes\":%llu,\"rx_bytes\":%llu,"
	    "\"tx_calls\":%s,\"rx_calls\":%s}\n",
	    way->name, args->place, getpid(), command, getuid(), version, way->proto, ip, port,
	    (unsigned long long)m->tx_bytes, (unsigned long long)m->rx_bytes, tx, rx);
}

static void prepare(struct mover *m, const struct way *way)
{
	m->datagrams = way->type != SOCK_STREAM;
	m->chunk = way->chunk ? way->chunk : m->datagrams ? DATAGRAM : 7001;
	m->unconnected = way->unconnected;
	m->buffer = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m->buffer == MAP_FAILED)
		die("mmap");
	memset(m->buffer, 'b', BUFFER);
	if (way->ring && !uring_open(m->ring, way->ring_flags))
		die("io_uring_setup");
}

static size_t request_bytes(const struct way *way)
{
	return way->type == SOCK_STREAM ? STREAM_REQUEST : DATAGRAMS * DATAGRAM;
}

static size_t reply_bytes(const struct way *way)
{
	return way->type == SOCK_STREAM ? STREAM_REPLY : DATAGRAMS / 2 * DATAGRAM;
}

/* Waits for the peer's end, which is no byte and no call. SCTP says ENOTCONN when the association is gone. */
static void await_end(struct mover *m)
{
	char byte;
	ssize_t got = recv(m->fd, &byte, 1, 0);

	if (got > 0 || (got < 0 && errno != ENOTCONN))
		die("the peer sent more than it should");
}

/* Says that this was all, and waits for the peer to say so. */
static void end_session(struct mover *m)
{
	if (!m->datagrams) {
		must(shutdown(m->fd, SHUT_WR), "shutdown");
		await_end(m);
	}
	close(m->fd);
}

/* ---- both ends of what has two ---- */

static void run_client(const struct way *way, const struct arguments *args, uint16_t port)
{
	struct uring ring;
	struct mover m = { .ring = &ring };
	union address to = address_of(args->address, port, way->mapped);

	prepare(&m, way);
	m.to = to;
	if (way->unconnected)
		m.fd = must(socket(to.any.sa_family, way->type | SOCK_CLOEXEC, way->protocol), "socket");
	else
		m.fd = dial(&to, way->type, way->protocol);
	way->send(&m, request_bytes(way));
	way->receive(&m, reply_bytes(way));
	end_session(&m);
	report(&m, way, args, &to);
}

/* A datagram server learns its peer by looking at the first datagram, which is no receive. */
static void meet_peer(struct mover *m)
{
	socklen_t length = sizeof(m->to);
	char byte;

	must((int)recvfrom(m->fd, &byte, 1, MSG_PEEK, &m->to.any, &length), "recvfrom MSG_PEEK");
	if (!m->unconnected)
		must(connect(m->fd, &m->to.any, length), "connect");
}

static void serve_client(const struct way *way, const struct arguments *args, int listener)
{
	struct uring ring;
	struct mover m = { .ring = &ring, .fd = listener };

	prepare(&m, way);
	if (way->type == SOCK_STREAM) {
		m.fd = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");
		m.to = peer_address(m.fd);
	} else {
		meet_peer(&m);
	}
	if (way->inherited && fork()) {
		wait(NULL);
		return;
	}
	way->receive(&m, request_bytes(way));
	way->send(&m, reply_bytes(way));
	if (way->type == SOCK_STREAM)
		await_end(&m);
	report(&m, way, args, &m.to);
}

/* ---- ways that are unlike the others: their session is one client's ---- */

static void *send_in_thread(void *argument)
{
	must(prctl(PR_SET_NAME, "another name"), "name of a thread");
	move_send(argument, STREAM_REQUEST);
	return NULL;
}

static void move_thread(struct mover *m, size_t bytes)
{
	pthread_t thread;

	if (bytes != STREAM_REQUEST) {
		move_send(m, bytes);
		return;
	}
	errno = pthread_create(&thread, NULL, send_in_thread, m);
	if (errno)
		die("pthread_create");
	pthread_join(thread, NULL);
}

struct share {
	struct mover mover;
	size_t bytes;
	pthread_t thread;
};

static void *receive_share(void *argument)
{
	struct share *share = argument;

	move_recv(&share->mover, share->bytes);
	return NULL;
}

/* Several at once from one stream: whose bytes are whose is chance. */
static void move_recv_threads(struct mover *m, size_t bytes)
{
	struct share shares[4];

	for (int i = 0; i < 4; i++) {
		shares[i] = (struct share){ .mover = *m, .bytes = i ? bytes / 4 : bytes - bytes / 4 * 3 };
		shares[i].mover.chunk = 333;
		errno = pthread_create(&shares[i].thread, NULL, receive_share, &shares[i]);
		if (errno)
			die("pthread_create");
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(shares[i].thread, NULL);
		m->rx_bytes += shares[i].mover.rx_bytes;
		m->rx_calls += shares[i].mover.rx_calls;
	}
}

static uint16_t ping_checksum(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~((sum & 0xffff) + (sum >> 16)));
}

/* Three echo requests; what a raw socket returns begins with the IPv4 header. */
static void ping(struct mover *m, const struct way *way, const struct arguments *args)
{
	union address to = address_of(args->address, 0, false);
	bool v6 = to.any.sa_family == AF_INET6;
	struct icmphdr request = { .type = v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO };
	uint8_t reply_type = v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY;

	m->fd = must(socket(to.any.sa_family, way->type | SOCK_CLOEXEC, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP), "socket");
	if (!way->unconnected)
		must(connect(m->fd, &to.any, address_length(&to)), "connect");
	for (int i = 0; i < 3; i++) {
		const uint8_t *type = m->buffer + (way->type == SOCK_RAW && !v6 ? 20 : 0);

		memset(m->buffer, 0, 100);
		memcpy(m->buffer, &request, sizeof(request));
		((struct icmphdr *)m->buffer)->checksum = ping_checksum(m->buffer, 100);
		m->to = to;
		m->chunk = 100;
		move_sendto(m, 100);
		do
			received(m, recv(m->fd, m->buffer, BUFFER, 0), "recv");
		while (*type != reply_type);
	}
	report(m, &(struct way){ .name = way->name, .proto = v6 ? "ICMPv6" : "ICMP" }, args, &to);
}

/* Nobody listens: what the error queue returns is the datagram that was sent, and no traffic. */
static void udp_errors(struct mover *m, const struct way *way, const struct arguments *args)
{
	union address nobody = address_of(args->address, 9, false);
	bool v6 = nobody.any.sa_family == AF_INET6;
	struct pollfd p;
	ssize_t n;

	m->fd = dial(&nobody, SOCK_DGRAM, 0);
	p = (struct pollfd){ .fd = m->fd };
	must(set_option(m->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, 1), "IP_RECVERR");
	sent(m, send(m->fd, m->buffer, 500, 0), "send");
	must(poll(&p, 1, -1), "poll");
	n = recv(m->fd, m->buffer, BUFFER, MSG_ERRQUEUE);
	if (n != 500)
		die("recv MSG_ERRQUEUE");
	report(m, way, args, &nobody);
}

static void fast_open(struct mover *m, const struct way *way, const struct arguments *args)
{
	sent(m, sendto(m->fd, m->buffer, m->chunk, MSG_FASTOPEN, &m->to.any, address_length(&m->to)),
	     "sendto MSG_FASTOPEN");
	way->send(m, STREAM_REQUEST - m->tx_bytes);
	way->receive(m, STREAM_REPLY);
	end_session(m);
	report(m, way, args, &m->to);
}

static struct sockaddr_ll link_address(const char *iface)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_TEST), .sll_halen = 6,
				  .sll_ifindex = (int)if_nametoindex(iface), .sll_addr = { 2, 0, 0, 0, 0, 0x99 } };

	if (!to.sll_ifindex)
		die(iface);
	return to;
}

/* Frames of its own making; SOCK_DGRAM: the kernel writes the Ethernet header, and returns the rest. */
static void inject(struct mover *m, const struct way *way, const struct arguments *args)
{
	static const uint8_t header[14] = { 2, 0, 0, 0, 0, 0x99, 2, 0, 0, 0, 0, 1, ETHERTYPE_TEST >> 8,
					    ETHERTYPE_TEST & 0xff };
	struct sockaddr_ll to = link_address(args->iface);

	m->fd = must(socket(AF_PACKET, way->type | SOCK_CLOEXEC, 0), "socket");
	memcpy(m->buffer, header, sizeof(header));
	for (int i = 0; i < 10; i++)
		sent(m, sendto(m->fd, m->buffer, 301, 0, (struct sockaddr *)&to, sizeof(to)), "sendto");
	report(m, way, args, NULL);
}

/* A sniffer moves nothing: it has no line at all. */
static void sniff(struct mover *m, const struct way *way, const struct arguments *args)
{
	struct sockaddr_ll at = link_address("lo");
	int fd;

	m->fd = must(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)), "socket");
	must(bind(m->fd, (struct sockaddr *)&at, sizeof(at)), "bind");
	at.sll_protocol = htons(ETHERTYPE_TEST);
	fd = must(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	sent(m, sendto(fd, m->buffer, 301, 0, (struct sockaddr *)&at, sizeof(at)), "sendto");
	must((int)recv(m->fd, m->buffer, BUFFER, 0), "recv");
	report(m, way, args, NULL);
}

/* Raw IP one way: on loopback each end would hear itself. The server's figures begin with the IPv4 header. */
static void raw_client(struct mover *m, const struct way *way, const struct arguments *args)
{
	union address to = address_of(args->address, 0, false);

	m->fd = must(socket(to.any.sa_family, SOCK_RAW | SOCK_CLOEXEC, RAW_PROTOCOL), "socket");
	if (!way->unconnected)
		must(connect(m->fd, &to.any, address_length(&to)), "connect");
	m->to = to;
	move_sendto(m, DATAGRAMS * DATAGRAM);
	report(m, way, args, &to);
}

static void raw_serve(const struct way *way, const struct arguments *args, int fd)
{
	struct mover m = { .fd = fd };

	prepare(&m, way);
	for (int i = 0; i < DATAGRAMS; i++) {
		socklen_t length = sizeof(m.to);

		received(&m, recvfrom(fd, m.buffer, BUFFER, 0, &m.to.any, &length), "recvfrom");
	}
	report(&m, way, args, &m.to);
}

#define TCP .proto = "TCP", .type = SOCK_STREAM
#define UDP .proto = "UDP", .type = SOCK_DGRAM
#define MOVES(sending, receiving) .send = sending, .receive = receiving
#define RING(flags) .ring = true, .ring_flags = flags

static const struct way ways[] = {
	{ .name = "TCP send, recv", TCP, MOVES(move_send, move_recv) },
	{ .name = "TCP write, read", TCP, MOVES(move_write, move_read) },
	{ .name = "TCP writev, readv", TCP, MOVES(move_writev, move_readv) },
	{ .name = "TCP sendto, recvfrom", TCP, MOVES(move_sendto, move_recvfrom) },
	{ .name = "TCP sendmsg, recvmsg", TCP, MOVES(move_sendmsg, move_recvmsg) },
	{ .name = "TCP sendmmsg, recvmmsg", TCP, MOVES(move_sendmmsg, move_recvmmsg) },
	{ .name = "TCP sendfile", TCP, MOVES(move_sendfile, move_recv) },
	{ .name = "TCP splice out, splice in", TCP, MOVES(move_splice_out, move_splice_in) },
	{ .name = "TCP vmsplice, MSG_WAITALL", TCP, MOVES(move_vmsplice, move_waitall) },
	{ .name = "TCP MSG_ZEROCOPY", TCP, MOVES(move_zerocopy, move_recv) },
	{ .name = "TCP MSG_ZEROCOPY, TCP_ZEROCOPY_RECEIVE", TCP,
	  MOVES(move_zerocopy, move_zerocopy_receive), .chunk = 8 * PAGE },
	{ .name = "TCP MSG_DONTWAIT, sent in part", TCP, MOVES(move_partly, move_recv) },
	{ .name = "TCP MSG_MORE, MSG_PEEK", TCP, MOVES(move_cork, move_peek) },
	{ .name = "TCP MSG_TRUNC", TCP, MOVES(move_send, move_trunc) },
	{ .name = "TCP MSG_OOB", TCP, MOVES(move_send_urgent, move_recv_urgent) },
	{ .name = "TCP MSG_FASTOPEN", TCP, MOVES(move_send, move_recv), .session = fast_open },
	{ .name = "TCP from a thread", TCP, MOVES(move_thread, move_recv) },
	{ .name = "TCP to four threads", TCP, MOVES(move_send, move_recv_threads) },
	{ .name = "TCP inherited over fork", TCP, MOVES(move_send, move_recv), .inherited = true },
	{ .name = "TCP io_uring send, recv", TCP, MOVES(move_uring_send, move_uring_recv), RING(0) },
	{ .name = "TCP io_uring sendmsg, recvmsg", TCP, MOVES(move_uring_sendmsg, move_uring_recvmsg), RING(0) },
	{ .name = "TCP io_uring write, read", TCP, MOVES(move_uring_write, move_uring_read), RING(0) },
	{ .name = "TCP io_uring send_zc", TCP, MOVES(move_uring_send_zc, move_recv), RING(0) },
	{ .name = "TCP io_uring sendmsg_zc", TCP, MOVES(move_uring_sendmsg_zc, move_recv), RING(0) },
	{ .name = "TCP io_uring by its workers", TCP, MOVES(move_uring_send_async, move_uring_recv_async), RING(0) },
	{ .name = "TCP io_uring by its poller", TCP,
	  MOVES(move_uring_send, move_uring_recv), RING(IORING_SETUP_SQPOLL) },
	{ .name = "TCP v4-mapped", TCP, MOVES(move_send, move_recv), .mapped = true },
	{ .name = "MPTCP send, recv", .proto = "TCP", .type = SOCK_STREAM, .protocol = IPPROTO_MPTCP,
	  MOVES(move_send, move_recv) },
	{ .name = "MPTCP sendfile", .proto = "TCP", .type = SOCK_STREAM, .protocol = IPPROTO_MPTCP,
	  MOVES(move_sendfile, move_recv) },
	{ .name = "UDP send, recv", UDP, MOVES(move_send, move_recv) },
	{ .name = "UDP write, read", UDP, MOVES(move_write, move_read) },
	{ .name = "UDP writev, readv", UDP, MOVES(move_writev, move_readv) },
	{ .name = "UDP sendmsg, recvmsg", UDP, MOVES(move_sendmsg, move_recvmsg) },
	{ .name = "UDP sendmmsg, recvmmsg", UDP, MOVES(move_sendmmsg, move_recvmmsg) },
	{ .name = "UDP sendfile", UDP, MOVES(move_sendfile, move_recv) },
	{ .name = "UDP splice out, splice in", UDP, MOVES(move_splice_out, move_splice_in) },
	{ .name = "UDP MSG_ZEROCOPY", UDP, MOVES(move_zerocopy, move_recv) },
	{ .name = "UDP MSG_MORE, MSG_PEEK", UDP, MOVES(move_cork, move_peek) },
	{ .name = "UDP MSG_TRUNC", UDP, MOVES(move_send, move_trunc) },
	{ .name = "UDP GSO, GRO", UDP, MOVES(move_gso, move_gro) },
	{ .name = "UDP GSO", UDP, MOVES(move_gso, move_recv) },
	{ .name = "UDP error queue", UDP, .session = udp_errors },
	{ .name = "UDP io_uring send, recv", UDP, MOVES(move_uring_send, move_uring_recv), RING(0) },
	{ .name = "UDP io_uring sendmsg, recvmsg", UDP, MOVES(move_uring_sendmsg, move_uring_recvmsg), RING(0) },
	{ .name = "UDP io_uring send_zc", UDP, MOVES(move_uring_send_zc, move_recv), RING(0) },
	{ .name = "UDP v4-mapped", UDP, MOVES(move_send, move_recv), .mapped = true },
	{ .name = "UDP unconnected sendto, recvfrom", UDP, MOVES(move_sendto, move_recvfrom), .unconnected = true },
	{ .name = "UDP unconnected sendmsg, recvmsg", UDP, MOVES(move_sendmsg, move_recvmsg), .unconnected = true },
	{ .name = "UDP unconnected sendmmsg, recvmmsg", UDP,
	  MOVES(move_sendmmsg, move_recvmmsg), .unconnected = true },
	{ .name = "UDP unconnected io_uring", UDP,
	  MOVES(move_uring_sendmsg, move_uring_recvmsg), .unconnected = true, RING(0) },
	{ .name = "UDP unconnected v4-mapped", UDP,
	  MOVES(move_sendto, move_recvfrom), .unconnected = true, .mapped = true },
	{ .name = "UDPLite send, recv", .proto = "UDPLite", .type = SOCK_DGRAM, .protocol = IPPROTO_UDPLITE,
	  MOVES(move_send, move_recv) },
	{ .name = "SCTP send, recv", .proto = "SCTP", .type = SOCK_STREAM, .protocol = IPPROTO_SCTP,
	  MOVES(move_send, move_recv) },
	{ .name = "ICMP ping socket", .proto = "ICMP", .type = SOCK_DGRAM, .session = ping, .unconnected = true },
	{ .name = "ICMP ping socket, connected", .proto = "ICMP", .type = SOCK_DGRAM, .session = ping },
	{ .name = "ICMP raw socket", .proto = "ICMP", .type = SOCK_RAW, .session = ping,
	  .unconnected = true, .root = true },
	{ .name = "raw IP", .proto = "253", .type = SOCK_RAW, .protocol = RAW_PROTOCOL,
	  .session = raw_client, .unconnected = true, .root = true },
	{ .name = "raw IP, connected", .proto = "253", .type = SOCK_RAW, .protocol = RAW_PROTOCOL,
	  .session = raw_client, .root = true },
	{ .name = "AF_PACKET raw", .proto = "PACKET", .type = SOCK_RAW, .session = inject, .root = true },
	{ .name = "AF_PACKET datagram", .proto = "PACKET", .type = SOCK_DGRAM, .session = inject, .root = true },
	{ .name = "AF_PACKET sniffer", .proto = "PACKET", .type = SOCK_RAW, .session = sniff, .root = true },
};

static bool has_server(const struct way *way)
{
	return (way->send && way->receive) || way->protocol == RAW_PROTOCOL;
}

/* "c splice in": which end, and what is left of the way's name. */
static void take_way_name(const struct way *way, char end)
{
	char command[16];
	const char *space = strchr(way->name, ' ');

	snprintf(command, sizeof(command), "%c %.13s", end, space ? space + 1 : way->name);
	take_name(command);
}

/* Servers of what needs no root have none; it is another user's line. */
static void drop_root(const struct way *way)
{
	if (!way->root && (setgid(65534) || setuid(65534)))
		die("setuid");
}

static __attribute__((noreturn)) void server(const struct way *way, const struct arguments *args, int port_fd)
{
	union address at;
	uint16_t port;
	int fd;

	take_way_name(way, 's');
	enter_netns(args->server_netns);
	drop_root(way);
	at = address_of(args->address, 0, way->mapped);
	fd = serve(&at, way->type, way->protocol);
	at = local_address(fd);
	port = way->type == SOCK_RAW ? 0 : address_port(&at);
	if (write(port_fd, &port, sizeof(port)) != sizeof(port))
		die("write");
	(way->protocol == RAW_PROTOCOL ? raw_serve : serve_client)(way, args, fd);
	exit(0);
}

static __attribute__((noreturn)) void client(const struct way *way, const struct arguments *args, uint16_t port)
{
	struct uring ring;
	struct mover m = { .ring = &ring, .fd = -1, .to = address_of(args->address, port, way->mapped) };

	take_way_name(way, 'c');
	enter_netns(args->client_netns);
	if (!way->session) {
		run_client(way, args, port);
		exit(0);
	}
	prepare(&m, way);
	if (way->type == SOCK_STREAM)
		m.fd = must(socket(m.to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	way->session(&m, way, args);
	exit(0);
}

/* Why this way cannot be tried, or NULL. */
static const char *reason_to_skip(const struct way *way, const struct arguments *args)
{
	bool v6 = strchr(args->address, ':');
	struct uring ring;
	int fd;

	if (way->mapped && v6)
		return "an IPv6 address is never mapped";
	if (way->ring && !uring_open(&ring, way->ring_flags))
		return "no io_uring here";
	if (!way->protocol || way->type == SOCK_RAW)
		return NULL;
	fd = socket(v6 ? AF_INET6 : AF_INET, way->type, way->protocol);
	if (fd < 0)
		return strerror(errno);
	close(fd);
	return NULL;
}

static bool ended_well(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool run_way(const struct way *way, const struct arguments *args)
{
	const char *skipped = reason_to_skip(way, args);
	uint16_t port = 0;
	pid_t pids[2] = { 0 };
	int ends[2];
	bool good;

	if (skipped) {
		say("{\"way\":\"%s\",\"place\":\"%s\",\"skipped\":\"%s\"}\n", way->name, args->place, skipped);
		return true;
	}
	must(pipe2(ends, O_CLOEXEC), "pipe");
	if (has_server(way)) {
		pids[0] = must(fork(), "fork");
		if (!pids[0])
			server(way, args, ends[1]);
		close(ends[1]);
		if (read(ends[0], &port, sizeof(port)) != sizeof(port)) {
			waitpid(pids[0], NULL, 0);
			close(ends[0]);
			return false;
		}
	} else {
		close(ends[1]);
	}
	close(ends[0]);
	pids[1] = must(fork(), "fork");
	if (!pids[1])
		client(way, args, port);
	good = ended_well(pids[1]);
	if (pids[0] && !good)
		kill(pids[0], SIGKILL);
	return (!pids[0] || ended_well(pids[0])) && good;
}

int main(int argc, char **argv)
{
	struct arguments args;
	bool good = true;

	if (argc < 6 || argc > 7) {
		fprintf(stderr, "usage: movers CLIENT_NETNS SERVER_NETNS ADDRESS IFACE PLACE [WAY]\n");
		return 2;
	}
	args = (struct arguments){ argv[1], argv[2], argv[3], argv[4], argv[5], argv[6] };
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		if (args.only && strcmp(args.only, ways[i].name))
			continue;
		if (!run_way(&ways[i], &args)) {
			fprintf(stderr, "movers: %s, %s: failed\n", ways[i].name, args.place);
			good = false;
		}
	}
	return good ? 0 : 1;
}
