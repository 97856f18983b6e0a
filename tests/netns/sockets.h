/* SPDX-License-Identifier: MIT */
/*
 * What the generators of the namespace tests share: ending with a reason, namespaces, names, addresses, lines.
 * Every function ends the program with one line on stderr when the kernel refuses: a generator that cannot
 * do what it was told has no figures to compare.
 */
#ifndef JOPIL_TESTS_NETNS_SOCKETS_H
#define JOPIL_TESTS_NETNS_SOCKETS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static inline __attribute__((noreturn)) void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	_exit(1);
}

static inline int must(int value, const char *what)
{
	if (value < 0)
		die(what);
	return value;
}

/* One line in one write: children share stdout. */
static inline __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
	char line[1024];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (write(STDOUT_FILENO, line, (size_t)length) != length)
		die("write to stdout");
}

/* netns: a path such as /run/netns/NAME, or "-" to stay. */
static inline void enter_netns(const char *netns)
{
	int fd;

	if (!strcmp(netns, "-"))
		return;
	fd = must(open(netns, O_RDONLY | O_CLOEXEC), netns);
	must(setns(fd, CLONE_NEWNET), netns);
	close(fd);
}

static inline void take_name(const char *command)
{
	must(prctl(PR_SET_NAME, command), "name this process");
}

/* mapped: an IPv4 address as ::ffff:a.b.c.d of an IPv6 socket. */
static inline union address address_of(const char *text, uint16_t port, bool mapped)
{
	union address a = { 0 };
	char v6[64];

	if (!mapped && inet_pton(AF_INET, text, &a.v4.sin_addr) == 1) {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = htons(port);
		return a;
	}
	snprintf(v6, sizeof(v6), "%s%s", mapped ? "::ffff:" : "", text);
	a.v6.sin6_family = AF_INET6;
	a.v6.sin6_port = htons(port);
	if (inet_pton(AF_INET6, v6, &a.v6.sin6_addr) != 1) {
		errno = EINVAL;
		die(text);
	}
	return a;
}

static inline socklen_t address_length(const union address *a)
{
	return a->any.sa_family == AF_INET6 ? sizeof(a->v6) : sizeof(a->v4);
}

static inline uint16_t address_port(const union address *a)
{
	return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

/* As the reader writes it: v4-mapped is IPv4. text: INET6_ADDRSTRLEN bytes. Returns 4 or 6. */
static inline int address_text(const union address *a, char *text)
{
	if (a->any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a->v4.sin_addr, text, INET6_ADDRSTRLEN);
		return 4;
	}
	if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
		inet_ntop(AF_INET, a->v6.sin6_addr.s6_addr + 12, text, INET6_ADDRSTRLEN);
		return 4;
	}
	inet_ntop(AF_INET6, &a->v6.sin6_addr, text, INET6_ADDRSTRLEN);
	return 6;
}

static inline union address local_address(int fd)
{
	union address a = { 0 };
	socklen_t length = sizeof(a);

	must(getsockname(fd, &a.any, &length), "getsockname");
	return a;
}

static inline union address peer_address(int fd)
{
	union address a = { 0 };
	socklen_t length = sizeof(a);

	must(getpeername(fd, &a.any, &length), "getpeername");
	return a;
}

static inline int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

/* A socket bound to any port of the address; SOCK_STREAM listens. */
static inline int serve(const union address *at, int type, int protocol)
{
	int fd = must(socket(at->any.sa_family, type | SOCK_CLOEXEC, protocol), "socket");

	if (type == SOCK_STREAM)
		must(set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1), "SO_REUSEADDR");
	must(bind(fd, &at->any, address_length(at)), "bind");
	if (type == SOCK_STREAM)
		must(listen(fd, 4096), "listen");
	return fd;
}

static inline int dial(const union address *to, int type, int protocol)
{
	int fd = must(socket(to->any.sa_family, type | SOCK_CLOEXEC, protocol), "socket");

	must(connect(fd, &to->any, address_length(to)), "connect");
	return fd;
}

static inline void raise_file_limit(void)
{
	struct rlimit limit;

	must(getrlimit(RLIMIT_NOFILE, &limit), "RLIMIT_NOFILE");
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit), "RLIMIT_NOFILE");
}

static inline unsigned long long netns_inode(void)
{
	char link[64] = "", *number;
	ssize_t length = readlink("/proc/self/ns/net", link, sizeof(link) - 1);

	number = length > 0 ? strchr(link, '[') : NULL;
	return number ? strtoull(number + 1, NULL, 10) : 0;
}

#endif
