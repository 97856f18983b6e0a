/* SPDX-License-Identifier: MIT */
/*
 * delays NETNS_A TUN_A NETNS_B TUN_B CLIENT SERVER CONNECTIONS SECONDS: a line between two namespaces that holds
 * packets back, and TCP connections over it, each with a round-trip time of its own: 1 ms for the first, 8 % more
 * for each next one, and all 4 % up and down at random.
 *
 * Every 25 ms each connection sends 100 bytes, which the server sends back at once: so each socket takes a sample
 * of its round-trip time at the same pace, however long that time is, and no two within 10 ms. Prints "ready" when
 * all are connected.
 */
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include "tests/netns/sockets.h"

#define MOST 64
#define FIRST_PORT 20000
#define TICK_NS 25000000L
#define MESSAGE 100
#define HELD 512
#define NS_PER_S 1000000000LL

struct packet {
	int64_t due_ns;
	size_t size;
	uint8_t bytes[1600];
};

/* Packets of one connection on their way, in order. */
struct lane {
	int64_t delay_ns, last_due_ns;
	unsigned int first, count;
	struct packet *held;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int open_tun(const char *netns, const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd;

	enter_netns(netns);
	fd = must(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), "/dev/net/tun");
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", name);
	must(ioctl(fd, TUNSETIFF, &request), name);
	return fd;
}

/* The lane by the client's port; -1: not ours. */
static int lane_of(const uint8_t *bytes, size_t size, int connections)
{
	size_t at = (size_t)(bytes[0] & 0xf) * 4;
	int port;

	if (bytes[0] >> 4 != 4 || bytes[9] != IPPROTO_TCP || size < at + sizeof(struct tcphdr))
		return -1;
	port = (bytes[at] << 8 | bytes[at + 1]) - FIRST_PORT;
	return port >= 0 && port < connections ? port : -1;
}

/* Held back by 96 to 104 % of the lane's delay, never past the packet before it. */
static void hold(struct lane *lane, const uint8_t *bytes, size_t size)
{
	int64_t due = now_ns() + lane->delay_ns * (96 + rand() % 9) / 100;
	struct packet *p = &lane->held[(lane->first + lane->count) % HELD];

	if (lane->count == HELD)
		return;	/* as a line does: TCP sends it again */
	p->due_ns = lane->last_due_ns = due > lane->last_due_ns ? due : lane->last_due_ns;
	p->size = size;
	memcpy(p->bytes, bytes, size);
	lane->count++;
}

/* Lets go what is due. Returns when the next is, or INT64_MAX. */
static int64_t let_go(struct lane *lanes, int connections, int to)
{
	int64_t now = now_ns(), next = INT64_MAX;

	for (int i = 0; i < connections; i++) {
		struct lane *lane = &lanes[i];

		for (; lane->count && lane->held[lane->first].due_ns <= now; lane->count--) {
			struct packet *p = &lane->held[lane->first];

			if (write(to, p->bytes, p->size) < 0 && errno != EAGAIN)
				die("write to a TUN device");
			lane->first = (lane->first + 1) % HELD;
		}
		if (lane->count && lane->held[lane->first].due_ns < next)
			next = lane->held[lane->first].due_ns;
	}
	return next;
}

/* A to B is held back, B to A is not. Runs until it is killed. */
static __attribute__((noreturn)) void relay(int a, int b, int connections)
{
	static struct lane lanes[MOST];
	struct pollfd p[2] = { { .fd = a, .events = POLLIN }, { .fd = b, .events = POLLIN } };
	uint8_t bytes[1600];
	ssize_t n;

	for (int i = 0; i < connections; i++) {
		lanes[i].delay_ns = i ? lanes[i - 1].delay_ns * 108 / 100 : 1000000;
		lanes[i].held = calloc(HELD, sizeof(struct packet));
	}
	for (;;) {
		int64_t next = let_go(lanes, connections, b), now = now_ns();
		struct timespec wait = { (next - now) / NS_PER_S, (next - now) % NS_PER_S };

		if (next > now)
			must(ppoll(p, 2, next == INT64_MAX ? NULL : &wait, NULL), "ppoll");
		while ((n = read(b, bytes, sizeof(bytes))) > 0)
			if (write(a, bytes, (size_t)n) < 0 && errno != EAGAIN)
				die("write to a TUN device");
		while ((n = read(a, bytes, sizeof(bytes))) > 0) {
			int lane = lane_of(bytes, (size_t)n, connections);

			if (lane >= 0)
				hold(&lanes[lane], bytes, (size_t)n);
		}
	}
}

static __attribute__((noreturn)) void echo(int listener, int connections)
{
	struct pollfd p[MOST];
	char bytes[4096];
	int open = connections;

	for (int i = 0; i < connections; i++) {
		p[i] = (struct pollfd){ .fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), .events = POLLIN };
		must(set_option(must(p[i].fd, "accept"), IPPROTO_TCP, TCP_NODELAY, 1), "TCP_NODELAY");
	}
	while (open) {
		must(poll(p, (nfds_t)connections, -1), "poll");
		for (int i = 0; i < connections; i++) {
			ssize_t n = p[i].revents ? recv(p[i].fd, bytes, sizeof(bytes), 0) : -1;

			if (n > 0)
				must((int)send(p[i].fd, bytes, (size_t)n, 0), "send");
			if (n == 0) {
				close(p[i].fd);
				p[i].fd = -1;
				open--;
			}
		}
	}
	exit(0);
}

/* From its own port, so that the relay knows it. */
static int call(const char *client, const union address *server, int number)
{
	union address from = address_of(client, (uint16_t)(FIRST_PORT + number), false);
	int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");

	must(bind(fd, &from.any, address_length(&from)), "bind");
	must(set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1), "TCP_NODELAY");
	if (connect(fd, &server->any, address_length(server)) && errno != EINPROGRESS)
		die("connect");
	return fd;
}

static void pace(int *fds, int connections, int seconds)
{
	struct itimerspec tick = { { 0, TICK_NS }, { 0, TICK_NS } };
	int timer = must(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "timerfd_create");
	char bytes[4096] = "";
	uint64_t ticks;

	must(timerfd_settime(timer, 0, &tick, NULL), "timerfd_settime");
	for (long sent = 0; sent < seconds * (NS_PER_S / TICK_NS); sent++) {
		must((int)read(timer, &ticks, sizeof(ticks)), "read a timer");
		for (int i = 0; i < connections; i++) {
			must((int)send(fds[i], bytes, MESSAGE, 0), "send");
			while (recv(fds[i], bytes, sizeof(bytes), 0) > 0)
				;
		}
	}
	close(timer);
}

static void run_client(const char *client, const union address *server, int connections, int seconds)
{
	int fds[MOST];

	for (int i = 0; i < connections; i++)
		fds[i] = call(client, server, i);
	for (int i = 0; i < connections; i++) {
		struct pollfd p = { .fd = fds[i], .events = POLLOUT };

		must(poll(&p, 1, -1), "poll");
	}
	say("ready\n");
	pace(fds, connections, seconds);
}

int main(int argc, char **argv)
{
	int connections, listener, a, b, status;
	union address server;
	pid_t relaying, serving;

	if (argc != 9) {
		fprintf(stderr, "usage: delays NETNS_A TUN_A NETNS_B TUN_B CLIENT SERVER CONNECTIONS SECONDS\n");
		return 2;
	}
	connections = (int)strtol(argv[7], NULL, 10);
	if (connections < 1 || connections > MOST)
		return 2;
	b = open_tun(argv[3], argv[4]);
	server = address_of(argv[6], 0, false);
	listener = serve(&server, SOCK_STREAM, 0);
	server = local_address(listener);
	a = open_tun(argv[1], argv[2]);
	relaying = must(fork(), "fork");
	if (!relaying)
		relay(a, b, connections);
	serving = must(fork(), "fork");
	if (!serving) {
		take_name("s delays");
		echo(listener, connections);
	}
	take_name("c delays");
	run_client(argv[5], &server, connections, (int)strtol(argv[8], NULL, 10));
	kill(relaying, SIGKILL);
	waitpid(relaying, NULL, 0);
	kill(serving, SIGKILL);
	waitpid(serving, &status, 0);
	return 0;
}
