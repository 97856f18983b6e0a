/* SPDX-License-Identifier: MIT */
/*
 * requests CLIENT_NETNS SERVER_NETNS ADDRESS CONNECTIONS SECONDS: many small messages: each connection sends 64 bytes
 * and waits for 64 bytes, over and over, one client and one server process for all of them. Prints the pace, and what
 * a request took of both processes' time on a CPU, which other work on the machine does not change:
 *
 *	{"requests":1000000,"requests_per_second":250000.0,"cpu_us_per_request":7.100}
 */
#include <netinet/tcp.h>
#include <poll.h>
#include <time.h>
#include "tests/netns/sockets.h"

#define MOST 64
#define MESSAGE 64

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_us(int who)
{
	struct rusage use;

	must(getrusage(who, &use), "getrusage");
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

/* Answers until every client is gone. */
static __attribute__((noreturn)) void serve_requests(int listener, int connections)
{
	struct pollfd p[MOST];
	char bytes[MESSAGE];
	int open = connections;

	for (int i = 0; i < connections; i++) {
		p[i] = (struct pollfd){ .fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), .events = POLLIN };
		must(set_option(must(p[i].fd, "accept"), IPPROTO_TCP, TCP_NODELAY, 1), "TCP_NODELAY");
	}
	while (open) {
		must(poll(p, (nfds_t)connections, -1), "poll");
		for (int i = 0; i < connections; i++) {
			ssize_t n = p[i].revents ? recv(p[i].fd, bytes, sizeof(bytes), MSG_WAITALL) : -1;

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

/* Returns how many requests were answered. */
static long request(const union address *to, int connections, double seconds)
{
	double until = now_s() + seconds;
	char bytes[MESSAGE] = "";
	int fds[MOST];
	long answered = 0;

	for (int i = 0; i < connections; i++) {
		fds[i] = dial(to, SOCK_STREAM, 0);
		must(set_option(fds[i], IPPROTO_TCP, TCP_NODELAY, 1), "TCP_NODELAY");
	}
	do {
		for (int i = 0; i < connections; i++)
			must((int)send(fds[i], bytes, sizeof(bytes), 0), "send");
		for (int i = 0; i < connections; i++)
			if (recv(fds[i], bytes, sizeof(bytes), MSG_WAITALL) != MESSAGE)
				die("recv");
		answered += connections;
	} while (now_s() < until);
	for (int i = 0; i < connections; i++)
		close(fds[i]);
	return answered;
}

int main(int argc, char **argv)
{
	int connections, listener;
	double seconds, began;
	union address at;
	long answered;
	pid_t serving;

	if (argc != 6) {
		fprintf(stderr, "usage: requests CLIENT_NETNS SERVER_NETNS ADDRESS CONNECTIONS SECONDS\n");
		return 2;
	}
	connections = (int)strtol(argv[4], NULL, 10);
	seconds = strtod(argv[5], NULL);
	if (connections < 1 || connections > MOST)
		return 2;
	enter_netns(argv[2]);
	at = address_of(argv[3], 0, false);
	listener = serve(&at, SOCK_STREAM, 0);
	at = local_address(listener);
	serving = must(fork(), "fork");
	if (!serving)
		serve_requests(listener, connections);
	close(listener);
	enter_netns(argv[1]);
	began = now_s();
	answered = request(&at, connections, seconds);
	seconds = now_s() - began;
	waitpid(serving, NULL, 0);
	say("{\"requests\":%ld,\"requests_per_second\":%.1f,\"cpu_us_per_request\":%.3f}\n", answered,
	    (double)answered / seconds, (cpu_us(RUSAGE_SELF) + cpu_us(RUSAGE_CHILDREN)) / (double)answered);
	return 0;
}
