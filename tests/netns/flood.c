/* SPDX-License-Identifier: MIT */
/*
 * flood CLIENT_NETNS SERVER_NETNS ADDRESS PROCESSES CONNECTIONS: that many short processes, some at a time, that each
 * open that many connections one after the other, send 100 bytes, receive 100, and reset. Prints what it was:
 *
 *	{"server_pid":7,"connections":100000,"client_tx_bytes":10000000,"client_rx_bytes":10000000,
 *	 "connections_per_second":20000.0}
 *
 * Reset, so that no port waits for its next use.
 */
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include "tests/netns/sockets.h"

#define AT_A_TIME 8
#define MESSAGE 100
#define SERVERS 2

static void answer_one(int fd)
{
	char bytes[MESSAGE];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_WAITALL);

	if (n != MESSAGE || send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) != MESSAGE)
		die("flood: server");
	if (recv(fd, bytes, sizeof(bytes), 0) != -1)
		die("flood: no reset");
	close(fd);
}

static int taken, expected;

static void *answer(void *listener)
{
	while (__atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED) < expected)
		answer_one(must(accept4(*(int *)listener, NULL, NULL, SOCK_CLOEXEC), "accept"));
	return NULL;
}

static __attribute__((noreturn)) void server(int listener)
{
	pthread_t threads[SERVERS];

	take_name("s flood");
	for (int i = 0; i < SERVERS; i++)
		if (pthread_create(&threads[i], NULL, answer, &listener))
			die("pthread_create");
	for (int i = 0; i < SERVERS; i++)
		pthread_join(threads[i], NULL);
	exit(0);
}

static void client(const union address *to, int number, int connections)
{
	struct linger now = { .l_onoff = 1 };
	char command[16], bytes[MESSAGE] = "";

	snprintf(command, sizeof(command), "flood-%u", (unsigned int)number % 100000);
	take_name(command);
	for (int i = 0; i < connections; i++) {
		int fd = dial(to, SOCK_STREAM, 0);

		if (send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) != MESSAGE ||
		    recv(fd, bytes, sizeof(bytes), MSG_WAITALL) != MESSAGE)
			die("flood: client");
		must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), "SO_LINGER");
		close(fd);
	}
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool run_clients(const union address *to, int processes, int connections)
{
	int running = 0, status;
	bool good = true;

	for (int i = 0; i < processes || running; running--) {
		for (; i < processes && running < AT_A_TIME; i++, running++) {
			pid_t pid = must(fork(), "fork");

			if (!pid) {
				client(to, i, connections);
				exit(0);
			}
		}
		must(wait(&status), "wait");
		good &= WIFEXITED(status) && !WEXITSTATUS(status);
	}
	return good;
}

int main(int argc, char **argv)
{
	unsigned long long bytes;
	int processes, connections, listener;
	union address at;
	double began, took;
	pid_t serving;
	bool good;

	if (argc != 6) {
		fprintf(stderr, "usage: flood CLIENT_NETNS SERVER_NETNS ADDRESS PROCESSES CONNECTIONS\n");
		return 2;
	}
	processes = (int)strtol(argv[4], NULL, 10);
	connections = (int)strtol(argv[5], NULL, 10);
	expected = processes * connections;
	enter_netns(argv[2]);
	at = address_of(argv[3], 0, false);
	listener = serve(&at, SOCK_STREAM, 0);
	at = local_address(listener);
	serving = must(fork(), "fork");
	if (!serving)
		server(listener);
	close(listener);
	enter_netns(argv[1]);
	began = now_s();
	good = run_clients(&at, processes, connections);
	took = now_s() - began;
	if (!good)
		kill(serving, SIGKILL);
	waitpid(serving, NULL, 0);
	bytes = (unsigned long long)expected * MESSAGE;
	say("{\"server_pid\":%d,\"connections\":%d,\"client_tx_bytes\":%llu,\"client_rx_bytes\":%llu,"
	    "\"connections_per_second\":%.1f}\n", serving, expected, bytes, bytes, expected / took);
	return good ? 0 : 1;
}
