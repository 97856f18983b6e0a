/* SPDX-License-Identifier: MIT */
/*
 * connector MODE [-m] CLIENT_NETNS SERVER_NETNS ADDRESS ...: opens and ends connections in every way there is, each
 * end a process of its own, and prints for each end what should be said of it:
 *
 *	{"way":"reset by peer","place":"IPv4","pid":7,"command":"c reset by peer","uid":1000,"cgroup":"/x","netns":1,
 *	 "direction":"egress","ip_version":4,"proto":"TCP","src_ip":"10.77.0.1","src_port":4000,"dst_ip":"10.77.0.2",
 *	 "dst_port":5000,"events":["connect","established","failed reset"],"bytes_sent":5001,"bytes_received":3000}
 *
 *	cases	CLIENT_ADDRESS BLACKHOLE UNREACHABLE PLACE	every way to end; BLACKHOLE: nobody answers
 *	brief	COUNT BYTES	as many processes that each send that, and end, all at once
 *	late	COUNT BYTES	as brief, after a line "open" when the server listens and a wait for a byte on stdin
 *	burst	COUNT		connections of one process to one server
 *	crowd	COUNT		CROWD processes, each so often refused, resetting, closing; prints two reasons
 *	hold	COUNT		as burst; a line "open" and a wait for a byte on stdin, 1000 bytes more each way,
 *				a line "moved" and a wait, and only then the end
 *
 * -m: v4-mapped, on IPv6 sockets. The figures of movers are there too: bytes that were moved since somebody looked.
 */
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include "tests/netns/sockets.h"

#define REQUEST 5000
#define REPLY 3000
#define MORE 1000
#define CLIENT_USER 1000
#define MOST 4096
#define CROWD 8

struct scene {
	const char *client_netns, *server_netns;
	const char *address, *client_address, *blackhole, *unreachable, *place;
	bool mapped;
	int count, bytes;
};

/* Both ends of a connection as one of them knows it. */
struct ends {
	union address local, remote;
	bool accepted;
	uint64_t tx_bytes, rx_bytes, tx_calls, rx_calls;
	uint64_t tx_before, rx_before;	/* bytes moved before anybody looked */
};

static uint8_t buffer[1 << 16];

static void cgroup_path(char *path, size_t size)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[256];

	snprintf(path, size, "?");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "0::", 3)) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(path, size, "%s", line + 3);
		}
	if (file)
		fclose(file);
}

/* events: of the line, as JSON strings. */
static void expect(const char *way, const char *place, const char *proto, const struct ends *e, const char *events)
{
	const union address *src = e->accepted ? &e->remote : &e->local, *dst = e->accepted ? &e->local : &e->remote;
	char src_ip[INET6_ADDRSTRLEN], dst_ip[INET6_ADDRSTRLEN], command[16], cgroup[256];
	int version = address_text(src, src_ip);

	(void)address_text(dst, dst_ip);
	must(prctl(PR_GET_NAME, command), "name of this process");
	cgroup_path(cgroup, sizeof(cgroup));
	say("{\"way\":\"%s\",\"place\":\"%s\",\"pid\":%d,\"command\":\"%s\",\"uid\":%u,\"cgroup\":\"%s\",\"netns\":%llu,"
	    "\"direction\":\"%s\",\"ip_version\":%d,\"proto\":\"%s\",\"src_ip\":\"%s\",\"src_port\":%u,\"dst_ip\":\"%s\","
	    "\"dst_port\":%u,\"events\":[%s],\"bytes_sent\":%llu,\"bytes_received\":%llu,"
	    "\"remote_ip\":\"%s\",\"remote_port\":%u,\"tx_bytes\":%llu,\"rx_bytes\":%llu,\"tx_calls\":%llu,"
	    "\"rx_calls\":%llu}\n",
	    way, place, getpid(), command, getuid(), cgroup, netns_inode(), e->accepted ? "ingress" : "egress", version,
	    proto, src_ip, address_port(src), dst_ip, address_port(dst), events,
	    (unsigned long long)(e->tx_before + e->tx_bytes), (unsigned long long)(e->rx_before + e->rx_bytes),
	    e->accepted ? src_ip : dst_ip, address_port(&e->remote),
	    (unsigned long long)e->tx_bytes, (unsigned long long)e->rx_bytes, (unsigned long long)e->tx_calls,
	    (unsigned long long)e->rx_calls);
}

static void meet(struct ends *e, int fd, bool accepted)
{
	e->local = local_address(fd);
	e->remote = peer_address(fd);
	e->accepted = accepted;
}

static void put(struct ends *e, int fd, size_t bytes)
{
	while (bytes) {
		ssize_t n = send(fd, buffer, bytes < sizeof(buffer) ? bytes : sizeof(buffer), MSG_NOSIGNAL);

		if (n <= 0)
			die("send");
		e->tx_bytes += (uint64_t)n;
		e->tx_calls++;
		bytes -= (size_t)n;
	}
}

static void get(struct ends *e, int fd, size_t bytes)
{
	while (bytes) {
		ssize_t n = recv(fd, buffer, bytes < sizeof(buffer) ? bytes : sizeof(buffer), 0);

		if (n <= 0)
			die("recv");
		e->rx_bytes += (uint64_t)n;
		e->rx_calls++;
		bytes -= (size_t)n;
	}
}

/* Everything up to the peer's end. */
static void get_all(struct ends *e, int fd)
{
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
		e->rx_bytes += (uint64_t)n;
		e->rx_calls++;
	}
	if (n < 0)
		die("recv");
}

static void await(int fd, int error)
{
	ssize_t n = recv(fd, buffer, 1, 0);

	if (error ? n >= 0 || errno != error : n != 0)
		die("the peer did not end as it should");
}

static void end_abruptly(int fd)
{
	struct linger now = { .l_onoff = 1 };

	must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), "SO_LINGER");
	close(fd);
}

static pid_t start(void)
{
	return must(fork(), "fork");
}

static bool ended_well(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

/* "c reset by peer": the end, and the way. */
static void take_way_name(char end, const char *way)
{
	char command[16];

	snprintf(command, sizeof(command), "%c %.13s", end, way);
	take_name(command);
}

/* The child's answer to its parent: the port it listens on. */
static void tell_port(int pipe_fd, int listener)
{
	union address at = local_address(listener);
	uint16_t port = address_port(&at);

	if (write(pipe_fd, &port, sizeof(port)) != sizeof(port))
		die("write");
	close(pipe_fd);
}

static uint16_t learn_port(int ends[2])
{
	uint16_t port = 0;

	close(ends[1]);
	if (read(ends[0], &port, sizeof(port)) != sizeof(port))
		die("the server did not start");
	close(ends[0]);
	return port;
}

static int listen_in(const struct scene *s)
{
	union address at = address_of(s->address, 0, s->mapped);

	enter_netns(s->server_netns);
	return serve(&at, SOCK_STREAM, 0);
}

/* Says how far it is, and waits to be told to go on. */
static void wait_for_byte(const char *line)
{
	char byte;

	say("%s\n", line);
	if (read(STDIN_FILENO, &byte, 1) != 1)
		die("read from stdin");
}

/* ---- cases ---- */

enum end { BY_CLIENT, BY_SERVER, BY_RESET, NEVER_ACCEPTED };

struct ending {
	const char *way;
	enum end end;
	const char *client_end, *server_end;
};

static const struct ending endings[] = {
	{ "closed by client", BY_CLIENT, "close local", "close remote" },
	{ "closed by server", BY_SERVER, "close remote", "close local" },
	{ "reset by peer", BY_RESET, "failed reset", "close abort" },
	{ "never accepted", NEVER_ACCEPTED, "failed reset", "close abort" },
};

/* connected: a pipe that ends when the client is connected. */
static void serve_ending(const struct ending *ending, const struct scene *s, int listener, int connected)
{
	struct ends e = { .accepted = true };
	char events[64];
	int fd;

	if (ending->end == NEVER_ACCEPTED) {
		if (read(connected, events, 1) != 0)
			die("read");
		return;	/* its child has no line here: only the client knows its port */
	}
	fd = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");
	meet(&e, fd, true);
	get(&e, fd, REQUEST);
	put(&e, fd, REPLY);
	get(&e, fd, 1);
	if (ending->end == BY_CLIENT)
		await(fd, 0);
	if (ending->end == BY_RESET)
		end_abruptly(fd);
	else
		close(fd);
	snprintf(events, sizeof(events), "\"accept\",\"%s\"", ending->server_end);
	expect(ending->way, s->place, "TCP", &e, events);
}

static void call_ending(const struct ending *ending, const struct scene *s, uint16_t port, int connected)
{
	union address to = address_of(s->address, port, s->mapped);
	int fd = dial(&to, SOCK_STREAM, 0);
	struct ends e = { .accepted = false };
	char events[64];

	meet(&e, fd, false);
	close(connected);
	if (ending->end != NEVER_ACCEPTED) {
		put(&e, fd, REQUEST);
		get(&e, fd, REPLY);
		put(&e, fd, 1);
	}
	if (ending->end != BY_CLIENT)
		await(fd, ending->end == BY_SERVER ? 0 : ECONNRESET);
	close(fd);
	snprintf(events, sizeof(events), "\"connect\",\"established\",\"%s\"", ending->client_end);
	expect(ending->way, s->place, "TCP", &e, events);
}

static void become_client(const struct scene *s, const char *way)
{
	take_way_name('c', way);
	enter_netns(s->client_netns);
	if (setgid(CLIENT_USER) || setuid(CLIENT_USER))
		die("setuid");
}

static bool run_ending(const struct ending *ending, const struct scene *s)
{
	int ends[2], connected[2];
	pid_t server, client;
	uint16_t port;

	must(pipe2(ends, O_CLOEXEC), "pipe");
	must(pipe2(connected, O_CLOEXEC), "pipe");
	server = start();
	if (!server) {
		int listener;

		close(connected[1]);
		take_way_name('s', ending->way);
		listener = listen_in(s);
		tell_port(ends[1], listener);
		serve_ending(ending, s, listener, connected[0]);
		exit(0);
	}
	port = learn_port(ends);
	client = start();
	if (!client) {
		become_client(s, ending->way);
		call_ending(ending, s, port, connected[1]);
		exit(0);
	}
	close(connected[0]);
	close(connected[1]);
	return ended_well(client) & ended_well(server);
}

struct failure {
	const char *way;
	size_t where;	/* offset of the address in struct scene */
	uint16_t port;
	int error;	/* of connect(); 0: it is given up before an answer */
	const char *reason;
};

static const struct failure failures[] = {
	{ "refused", offsetof(struct scene, address), 1, ECONNREFUSED, "failed refused" },
	{ "timed out", offsetof(struct scene, blackhole), 80, ETIMEDOUT, "failed timed_out" },
	{ "unreachable", offsetof(struct scene, unreachable), 80, EHOSTUNREACH, "failed unreachable" },
	{ "given up", offsetof(struct scene, blackhole), 80, 0, "failed aborted" },
};

/* An IPv6 router without a route says so of the network, not of the host. */
static bool is_expected(const struct failure *failure, int error)
{
	if (failure->error == EHOSTUNREACH && error == ENETUNREACH)
		return true;
	return error == (failure->error ? failure->error : EINPROGRESS);
}

/* Bound before, so that its port is known whatever comes. */
static bool run_failure(const struct failure *failure, const struct scene *s)
{
	const char *where = *(const char *const *)((const char *)s + failure->where);
	pid_t client = start();

	if (!client) {
		struct ends e = { .remote = address_of(where, failure->port, s->mapped) };
		union address from = address_of(s->client_address, 0, s->mapped);
		int fd, result;
		char events[64];

		become_client(s, failure->way);
		fd = must(socket(from.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | (failure->error ? 0 : SOCK_NONBLOCK),
				 0), "socket");
		must(set_option(fd, IPPROTO_TCP, TCP_SYNCNT, 1), "TCP_SYNCNT");
		must(bind(fd, &from.any, address_length(&from)), "bind");
		e.local = local_address(fd);
		result = connect(fd, &e.remote.any, address_length(&e.remote));
		if (!result || !is_expected(failure, errno))
			die(failure->way);
		close(fd);
		snprintf(events, sizeof(events), "\"connect\",\"%s\"", failure->reason);
		expect(failure->way, s->place, "TCP", &e, events);
		exit(0);
	}
	return ended_well(client);
}

/* Twice sent, once told. Nobody answers. */
static bool run_udp(const struct scene *s)
{
	pid_t client = start();

	if (!client) {
		struct ends e = { .accepted = false };
		union address to = address_of(s->blackhole, 53, s->mapped);
		int fd;

		become_client(s, "UDP");
		fd = dial(&to, SOCK_DGRAM, 0);
		meet(&e, fd, false);
		put(&e, fd, 100);
		put(&e, fd, 100);
		expect("UDP", s->place, "UDP", &e, "\"connect\"");
		exit(0);
	}
	return ended_well(client);
}

/* All at the same time: some take seconds. */
static bool run_cases(const struct scene *s)
{
	size_t count = sizeof(endings) / sizeof(*endings), failing = sizeof(failures) / sizeof(*failures);
	pid_t runners[16];
	size_t running = 0;
	bool good = true;

	for (size_t i = 0; i < count + failing + 1; i++) {
		runners[running] = start();
		if (!runners[running])
			exit(!(i < count ? run_ending(&endings[i], s) :
			       i < count + failing ? run_failure(&failures[i - count], s) : run_udp(s)));
		running++;
	}
	while (running)
		good &= ended_well(runners[--running]);
	return good;
}

/* ---- many processes at once ---- */

static void serve_brief(const struct scene *s, int listener)
{
	for (int i = 0; i < s->count; i++) {
		struct ends e = { .accepted = true };
		int fd = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");

		meet(&e, fd, true);
		get_all(&e, fd);
		close(fd);
		if (e.rx_bytes != (uint64_t)s->bytes)
			die("brief: a process sent something else");
		expect("brief server", s->place, "TCP", &e, "\"accept\",\"close remote\"");
	}
}

/* Waits for the start, sends, and is gone: exit closes. */
static void call_brief(const struct scene *s, uint16_t port, int number, int gate)
{
	union address to = address_of(s->address, port, s->mapped);
	struct ends e = { .accepted = false };
	char command[16], byte;
	int fd;

	snprintf(command, sizeof(command), "brief-%u", (unsigned int)number % 10000);
	take_name(command);
	if (read(gate, &byte, 1) != 0)
		die("read");
	fd = dial(&to, SOCK_STREAM, 0);
	meet(&e, fd, false);
	put(&e, fd, (size_t)s->bytes);
	expect("brief", s->place, "TCP", &e, "\"connect\",\"established\",\"close local\"");
}

static bool run_processes(const struct scene *s, bool late)
{
	pid_t server, clients[MOST];
	int ends[2], gate[2];
	uint16_t port;
	bool good = true;

	must(pipe2(ends, O_CLOEXEC), "pipe");
	server = start();
	if (!server) {
		int listener;

		take_name("s brief");
		listener = listen_in(s);
		tell_port(ends[1], listener);
		serve_brief(s, listener);
		exit(0);
	}
	port = learn_port(ends);
	if (late)
		wait_for_byte("open");
	must(pipe2(gate, O_CLOEXEC), "pipe");
	enter_netns(s->client_netns);
	for (int i = 0; i < s->count; i++) {
		clients[i] = start();
		if (!clients[i]) {
			close(gate[1]);
			call_brief(s, port, i, gate[0]);
			exit(0);
		}
	}
	close(gate[1]);
	for (int i = 0; i < s->count; i++)
		good &= ended_well(clients[i]);
	return ended_well(server) && good;
}

static bool run_brief(const struct scene *s)
{
	return run_processes(s, false);
}

static bool run_late(const struct scene *s)
{
	return run_processes(s, true);
}

/* ---- many connections of one process ---- */

static struct ends many[MOST];
static int fds[MOST];

/* Each connection moves something else, so that a mix-up shows. */
static size_t request_of(int i)
{
	return REQUEST + (size_t)i;
}

static size_t reply_of(int i)
{
	return REPLY + 2 * (size_t)i;
}

static void exchange(const struct scene *s, bool client, bool more)
{
	for (int i = 0; client && i < s->count; i++)
		put(&many[i], fds[i], more ? MORE : request_of(i));
	for (int i = 0; !client && i < s->count; i++)
		get(&many[i], fds[i], more ? MORE : request_of(i));
	for (int i = 0; !client && i < s->count; i++)
		put(&many[i], fds[i], more ? MORE : reply_of(i));
	for (int i = 0; client && i < s->count; i++)
		get(&many[i], fds[i], more ? MORE : reply_of(i));
}

/* What was moved before is not to be counted: nobody looked. */
static void forget_moves(const struct scene *s)
{
	for (int i = 0; i < s->count; i++) {
		many[i].tx_before = many[i].tx_bytes;
		many[i].rx_before = many[i].rx_bytes;
		many[i].tx_bytes = many[i].rx_bytes = many[i].tx_calls = many[i].rx_calls = 0;
	}
}

static void expect_many(const struct scene *s, const char *way, const char *events)
{
	for (int i = 0; i < s->count; i++)
		expect(way, s->place, "TCP", &many[i], events);
}

/* hold: the server goes where the client goes, since it waits for its bytes. */
static void serve_many(const struct scene *s, int listener, bool hold)
{
	for (int i = 0; i < s->count; i++) {
		fds[i] = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");
		meet(&many[i], fds[i], true);
	}
	exchange(s, false, false);
	if (hold) {
		forget_moves(s);
		exchange(s, false, true);
	}
	for (int i = 0; i < s->count; i++) {
		await(fds[i], 0);
		close(fds[i]);
	}
	expect_many(s, hold ? "hold" : "burst", hold ? "\"existing\",\"close remote\"" : "\"accept\",\"close remote\"");
}

static void call_many(const struct scene *s, uint16_t port, bool hold)
{
	union address to = address_of(s->address, port, s->mapped);

	enter_netns(s->client_netns);
	for (int i = 0; i < s->count; i++) {
		fds[i] = dial(&to, SOCK_STREAM, 0);
		meet(&many[i], fds[i], false);
	}
	exchange(s, true, false);
	if (hold) {
		wait_for_byte("open");
		forget_moves(s);
		exchange(s, true, true);
		wait_for_byte("moved");
	}
	for (int i = 0; i < s->count; i++)
		close(fds[i]);
	expect_many(s, hold ? "hold" : "burst",
		    hold ? "\"existing\",\"close local\"" : "\"connect\",\"established\",\"close local\"");
}

static bool run_many(const struct scene *s, bool hold)
{
	pid_t server, client;
	uint16_t port;
	int ends[2];

	raise_file_limit();
	must(pipe2(ends, O_CLOEXEC), "pipe");
	server = start();
	if (!server) {
		int listener;

		take_way_name('s', hold ? "hold" : "burst");
		listener = listen_in(s);
		tell_port(ends[1], listener);
		serve_many(s, listener, hold);
		exit(0);
	}
	port = learn_port(ends);
	client = start();
	if (!client) {
		take_way_name('c', hold ? "hold" : "burst");
		call_many(s, port, hold);
		exit(0);
	}
	return ended_well(client) & ended_well(server);
}

static bool run_burst(const struct scene *s)
{
	return run_many(s, false);
}

static bool run_hold(const struct scene *s)
{
	return run_many(s, true);
}

/* ---- more processes than CPUs, none of which waits for another ---- */

/* A byte into done for each that has ended. */
static void serve_crowd(int listener, int done)
{
	for (;;) {
		int fd = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");

		while (read(fd, buffer, sizeof(buffer)) > 0)
			;
		close(fd);
		if (write(done, buffer, 1) != 1)
			die("write");
	}
}

/* The server has seen the end of so many. */
static void await_crowd(int done, int count)
{
	while (count > 0) {
		ssize_t n = read(done, buffer, sizeof(buffer));

		if (n <= 0)
			die("read");
		count -= (int)n;
	}
}

static void call_crowd(const struct scene *s, uint16_t open_port, uint16_t closed_port)
{
	union address open = address_of(s->address, open_port, s->mapped);
	union address closed = address_of(s->address, closed_port, s->mapped);

	for (int i = 0; i < s->count; i++) {
		int fd = must(socket(closed.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

		if (!connect(fd, &closed.any, address_length(&closed)) || errno != ECONNREFUSED)
			die("connect: not refused");
		close(fd);
		end_abruptly(dial(&open, SOCK_STREAM, 0));
		close(dial(&open, SOCK_STREAM, 0));
	}
}

/* A port of the server's that nobody listens at: bound, for as long as this process is. */
static uint16_t closed_port(const struct scene *s)
{
	union address at = address_of(s->address, 0, s->mapped);
	int fd = must(socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	must(bind(fd, &at.any, address_length(&at)), "bind");
	at = local_address(fd);
	return address_port(&at);
}

static bool run_crowd(const struct scene *s)
{
	pid_t servers[CROWD], clients[CROWD];
	union address at;
	uint16_t closed;
	bool good = true;
	int listener, ends[2];

	must(pipe2(ends, O_CLOEXEC), "pipe");
	enter_netns(s->server_netns);
	at = address_of(s->address, 0, s->mapped);
	listener = serve(&at, SOCK_STREAM, 0);
	at = local_address(listener);
	closed = closed_port(s);
	for (int i = 0; i < CROWD; i++) {
		servers[i] = start();
		if (!servers[i])
			serve_crowd(listener, ends[1]);
	}
	close(listener);
	close(ends[1]);
	enter_netns(s->client_netns);
	for (int i = 0; i < CROWD; i++) {
		clients[i] = start();
		if (!clients[i]) {
			call_crowd(s, address_port(&at), closed);
			exit(0);
		}
	}
	for (int i = 0; i < CROWD; i++)
		good &= ended_well(clients[i]);
	if (good)
		await_crowd(ends[0], 2 * CROWD * s->count);
	for (int i = 0; i < CROWD; i++) {
		must(kill(servers[i], SIGTERM), "kill");
		must(waitpid(servers[i], NULL, 0), "wait");
	}
	say("refused %d\nabort %d\n", CROWD * s->count, CROWD * s->count);
	return good;
}

static int number_of(const char *text)
{
	int n = text ? (int)strtol(text, NULL, 10) : 0;

	return n > MOST ? MOST : n;
}

static const struct mode {
	const char *name;
	int arguments;
	bool (*run)(const struct scene *s);
} modes[] = {
	{ "cases", 7, run_cases },
	{ "brief", 5, run_brief },
	{ "late", 5, run_late },
	{ "burst", 4, run_burst },
	{ "crowd", 4, run_crowd },
	{ "hold", 4, run_hold },
};

int main(int argc, char **argv)
{
	struct scene s = { .place = "all" };
	const char *name = argc > 1 ? argv[1] : "";

	argc -= 2;
	argv += 2;
	if (argc > 0 && !strcmp(*argv, "-m")) {
		s.mapped = true;
		argc--;
		argv++;
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(modes[i].name, name) || argc != modes[i].arguments)
			continue;
		s.client_netns = argv[0];
		s.server_netns = argv[1];
		s.address = argv[2];
		if (modes[i].run == run_cases) {
			s.client_address = argv[3];
			s.blackhole = argv[4];
			s.unreachable = argv[5];
			s.place = argv[6];
		} else {
			s.count = number_of(argv[3]);
			s.bytes = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 0;
		}
		return modes[i].run(&s) ? 0 : 1;
	}
	fprintf(stderr, "usage: connector cases|brief|late|burst|crowd|hold [-m] CLIENT_NETNS SERVER_NETNS ADDRESS ...\n");
	return 2;
}
