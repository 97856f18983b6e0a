// SPDX-License-Identifier: MIT
/*
 * The process probe against what calls returned: every way to move bytes that
 * tests/netns/movers knows, by loopback and between namespaces; sockets that were open
 * before it; a full map; no room to keep anything with a socket.
 */
#include <arpa/inet.h>
#include <jansson.h>
#include <libgen.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "tests/bpf/host_probes.h"

#define MAX_PROCESSES 8192

static char movers[4096];

struct row {
	struct process_key key;
	struct process_value value;
};

struct rows {
	struct row *row;
	size_t count;
};

static const char *const process_programs[] = { "process_", "sockets_walk", NULL };

static void add_row(struct rows *rows, const struct process_key *key, const struct process_value *v)
{
	struct row *r = rows->row;

	for (size_t i = 0; i < rows->count; i++, r++)
		if (!memcmp(&r->key, key, sizeof(*key)))
			break;
	if (r == rows->row + rows->count) {
		rows->row = realloc(rows->row, (rows->count + 1) * sizeof(*r));
		assert_non_null(rows->row);
		r = rows->row + rows->count++;
		*r = (struct row){ .key = *key };
	}
	r->value.tx_bytes += v->tx_bytes;
	r->value.rx_bytes += v->rx_bytes;
	r->value.tx_calls += v->tx_calls;
	r->value.rx_calls += v->rx_calls;
}

/* All rows of both maps, or of one process. */
static struct rows rows_of(const struct probes *p, u32 pid)
{
	struct bpf_map *maps[] = { p->bpf->maps.processes_a, p->bpf->maps.processes_b };
	struct rows rows = { 0 };

	for (size_t m = 0; m < 2; m++) {
		struct process_key key, *previous = NULL;
		struct process_value values[p->cpus];
		int fd = bpf_map__fd(maps[m]);

		for (; !bpf_map_get_next_key(fd, previous, &key); previous = &key) {
			if ((pid && key.pid != pid) || bpf_map_lookup_elem(fd, &key, values))
				continue;
			for (int i = 0; i < p->cpus; i++)
				add_row(&rows, &key, &values[i]);
		}
	}
	return rows;
}

static struct process_value sum_of(const struct rows *rows)
{
	struct process_value sum = { 0 };

	for (size_t i = 0; i < rows->count; i++) {
		sum.tx_bytes += rows->row[i].value.tx_bytes;
		sum.rx_bytes += rows->row[i].value.rx_bytes;
		sum.tx_calls += rows->row[i].value.tx_calls;
		sum.rx_calls += rows->row[i].value.rx_calls;
	}
	return sum;
}

static struct process_value sum_of_pid(const struct probes *p, u32 pid)
{
	struct rows rows = rows_of(p, pid);
	struct process_value sum = sum_of(&rows);

	free(rows.row);
	return sum;
}

/* Rows and what found no row are what was counted. Only when nothing runs any more. */
static void assert_balance(struct probes *p)
{
	struct process_value sum;

	detach_probes(p);
	sum = sum_of_pid(p, 0);
#define ASSERT_BALANCE(figure) \
	assert_int_equal(sum.figure + probe_counter(p, COUNTER_process_unattributed_##figure), \
			 probe_counter(p, COUNTER_process_##figure))
	ASSERT_BALANCE(tx_bytes);
	ASSERT_BALANCE(rx_bytes);
	ASSERT_BALANCE(tx_calls);
	ASSERT_BALANCE(rx_calls);
}

/* ---- every way to move bytes ---------------------------------------------------- */

static u16 protocol_of(const char *name)
{
	static const struct {
		const char *name;
		u16 protocol;
	} known[] = {
		{ "TCP", IPPROTO_TCP }, { "UDP", IPPROTO_UDP }, { "ICMP", IPPROTO_ICMP },
		{ "ICMPv6", IPPROTO_ICMPV6 }, { "UDPLite", IPPROTO_UDPLITE },
		{ "SCTP", IPPROTO_SCTP }, { "PACKET", 0 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(known[i].name, name))
			return known[i].protocol;
	return (u16)strtoul(name, NULL, 10);
}

static struct process_key key_of(json_t *line)
{
	json_t *port = json_object_get(line, "remote_port");
	const char *ip = json_string_value(json_object_get(line, "remote_ip"));
	struct process_key key = {
		.pid = (u32)json_integer_value(json_object_get(line, "pid")),
		.uid = (u32)json_integer_value(json_object_get(line, "uid")),
		.ip_version = (u8)json_integer_value(json_object_get(line, "ip_version")),
		.protocol = protocol_of(json_string_value(json_object_get(line, "proto"))),
	};

	memcpy(key.command, json_string_value(json_object_get(line, "command")),
	       strnlen(json_string_value(json_object_get(line, "command")), 15));
	if (ip) {
		key.flags |= PROCESS_REMOTE;
		assert_int_equal(inet_pton(key.ip_version == 6 ? AF_INET6 : AF_INET, ip,
					   key.remote_ip), 1);
	}
	if (json_is_integer(port)) {
		key.flags |= PROCESS_PORT;
		key.remote_port_be = htons((u16)json_integer_value(port));
	}
	return key;
}

static void print_row(const char *what, const struct row *r)
{
	char ip[INET6_ADDRSTRLEN] = "?";

	if (r->key.flags & PROCESS_REMOTE)
		inet_ntop(r->key.ip_version == 6 ? AF_INET6 : AF_INET, r->key.remote_ip, ip, sizeof(ip));
	print_message("#   %s: %u %.16s uid %u v%u proto %u %s:%u tx %llu/%llu rx %llu/%llu\n", what,
		      r->key.pid, r->key.command, r->key.uid, r->key.ip_version, r->key.protocol,
		      ip, ntohs(r->key.remote_port_be), (unsigned long long)r->value.tx_bytes,
		      (unsigned long long)r->value.tx_calls, (unsigned long long)r->value.rx_bytes,
		      (unsigned long long)r->value.rx_calls);
}

/* A figure that the generator cannot know (calls of splice) is null. */
static bool is_figure(json_t *line, const char *name, u64 value)
{
	json_t *expected = json_object_get(line, name);

	return json_is_null(expected) || (u64)json_integer_value(expected) == value;
}

/* One process, one remote: one row, with what its calls returned, and no other. */
static bool is_exact(const struct probes *p, json_t *line)
{
	struct row expected = { .key = key_of(line) };
	struct rows rows = rows_of(p, expected.key.pid);
	bool exact = rows.count == 1 && !memcmp(&rows.row[0].key, &expected.key, sizeof(expected.key));

	if (exact)
		exact = is_figure(line, "tx_bytes", rows.row[0].value.tx_bytes) &&
			is_figure(line, "rx_bytes", rows.row[0].value.rx_bytes) &&
			is_figure(line, "tx_calls", rows.row[0].value.tx_calls) &&
			is_figure(line, "rx_calls", rows.row[0].value.rx_calls);
	if (!exact) {
		expected.value.tx_bytes = (u64)json_integer_value(json_object_get(line, "tx_bytes"));
		expected.value.rx_bytes = (u64)json_integer_value(json_object_get(line, "rx_bytes"));
		expected.value.tx_calls = (u64)json_integer_value(json_object_get(line, "tx_calls"));
		expected.value.rx_calls = (u64)json_integer_value(json_object_get(line, "rx_calls"));
		print_row("expected", &expected);
		for (size_t i = 0; i < rows.count; i++)
			print_row("have", &rows.row[i]);
	}
	free(rows.row);
	return exact;
}

/* Returns how many ends were not exact. */
static size_t compare(const struct probes *p, char *output)
{
	size_t wrong = 0;
	char *rest = NULL;

	for (char *text = strtok_r(output, "\n", &rest); text; text = strtok_r(NULL, "\n", &rest)) {
		json_t *line = json_loads(text, 0, NULL), *skipped;
		bool exact;

		assert_non_null(line);
		skipped = json_object_get(line, "skipped");
		exact = skipped || is_exact(p, line);
		wrong += !exact;
		print_message("# %-10s %-42s %s\n", json_string_value(json_object_get(line, "place")),
			      json_string_value(json_object_get(line, "way")),
			      skipped ? json_string_value(skipped) : exact ? "exact" : "WRONG");
		json_decref(line);
	}
	return wrong;
}

static void move_and_compare(const char *client, const char *server, const char *address,
			     const char *iface, const char *place)
{
	struct probes *p = load_probes(process_programs, MAX_PROCESSES);
	char *output;
	size_t wrong;

	attach_probes(p);
	output = RUN(movers, client, server, address, iface, place);
	assert_non_null(output);
	wrong = compare(p, output);
	free(output);
	assert_balance(p);
	unload_probes(p);
	assert_int_equal(wrong, 0);
}

static void test_loopback_ipv4(void **state)
{
	(void)state;
	move_and_compare(netns_paths[0], netns_paths[0], "127.0.0.1", "lo", "lo IPv4");
}

static void test_loopback_ipv6(void **state)
{
	(void)state;
	move_and_compare(netns_paths[0], netns_paths[0], "::1", "lo", "lo IPv6");
}

static void test_between_namespaces_ipv4(void **state)
{
	(void)state;
	move_and_compare(netns_paths[0], netns_paths[1], "10.78.0.2", "veth_a", "veth IPv4");
}

static void test_between_namespaces_ipv6(void **state)
{
	(void)state;
	move_and_compare(netns_paths[0], netns_paths[1], "fd78::2", "veth_a", "veth IPv6");
}

/* ---- sockets of this process ----------------------------------------------------------- */

#define WAITING 5000	/* bytes that wait to be read before the probe is there */

/* Both ends of a TCP connection over loopback. */
struct pair {
	int client, server;
};

static struct pair make_pair(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t length = sizeof(at);
	struct pair pair;

	assert_int_equal(bind(listener, (struct sockaddr *)&at, length), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &length), 0);
	pair.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(pair.client, (struct sockaddr *)&at, length), 0);
	pair.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(pair.server >= 0);
	close(listener);
	return pair;
}

static void close_pair(const struct pair *pair)
{
	close(pair->client);
	close(pair->server);
}

/* In one call each, as much as there is. */
static void send_bytes(const struct pair *pair, size_t bytes)
{
	static const char nothing[1 << 16];

	assert_int_equal(send(pair->client, nothing, bytes, 0), bytes);
}

static void recv_bytes(const struct pair *pair, size_t bytes)
{
	static char anything[1 << 16];

	assert_int_equal(recv(pair->server, anything, bytes, MSG_WAITALL), bytes);
}

static void splice_bytes(const struct pair *pair, size_t bytes)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	while (bytes) {
		ssize_t n = splice(pair->server, NULL, ends[1], NULL, bytes, 0);

		assert_true(n > 0);
		bytes -= (size_t)n;
	}
	close(ends[0]);
	close(ends[1]);
}

/* Not walked: what the first call returns tells how much it read, in however many pieces. */
static void test_open_before_then_recv(void **state)
{
	struct pair pair = make_pair();
	struct process_value sum;
	struct probes *p;

	(void)state;
	send_bytes(&pair, WAITING);
	p = load_probes(process_programs, MAX_PROCESSES);
	attach_probes(p);
	send_bytes(&pair, WAITING);
	recv_bytes(&pair, WAITING + 10);
	recv_bytes(&pair, WAITING - 10);
	splice_bytes((send_bytes(&pair, 100), &pair), 100);
	sum = sum_of_pid(p, (u32)getpid());
	assert_int_equal(sum.tx_bytes, WAITING + 100);
	assert_int_equal(sum.rx_bytes, 2 * WAITING + 100);
	assert_int_equal(sum.rx_calls, 2);
	assert_balance(p);
	unload_probes(p);
	close_pair(&pair);
}

/* splice() tells nothing: the walk does, and listeners hand it down. */
static void test_open_before_then_splice(void **state)
{
	struct pair pair = make_pair();
	struct process_value sum;
	struct probes *p;

	(void)state;
	send_bytes(&pair, WAITING);
	recv_bytes(&pair, 17);
	p = load_probes(process_programs, MAX_PROCESSES);
	attach_probes(p);
	(void)walk_sockets(p, NULL, 0);
	splice_bytes(&pair, WAITING - 17);
	sum = sum_of_pid(p, (u32)getpid());
	assert_int_equal(sum.rx_bytes, WAITING - 17);
	assert_balance(p);
	unload_probes(p);
	close_pair(&pair);
}

static void test_full_map(void **state)
{
	struct probes *p = load_probes(process_programs, 1);
	u64 unattributed;

	(void)state;
	attach_probes(p);
	for (int i = 0; i < 10; i++) {
		struct pair pair = make_pair();

		send_bytes(&pair, 1000);
		recv_bytes(&pair, 1000);
		close_pair(&pair);
	}
	assert_balance(p);
	unattributed = probe_counter(p, COUNTER_process_unattributed_tx_bytes) +
		       probe_counter(p, COUNTER_process_unattributed_rx_bytes);
	/* Ten remotes a side and one row: what one of them moved is attributed, at most. */
	assert_true(unattributed >= 18000);
	unload_probes(p);
}

/* No room for socket storage: bytes by what calls return, and how often is counted. */
static void test_no_room(void **state)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd;
	struct process_value sum;
	struct probes *p;
	struct pair pair;

	(void)state;
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_true(succeeds(RUN("ip", "link", "set", "lo", "up")));
	fd = open("/proc/sys/net/core/optmem_max", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1) {	/* by namespace since 6.8 */
		assert_int_equal(setns(own, CLONE_NEWNET), 0);
		skip();
	}
	close(fd);
	p = load_probes(process_programs, MAX_PROCESSES);
	attach_probes(p);
	pair = make_pair();
	send_bytes(&pair, WAITING);
	recv_bytes(&pair, WAITING);
	sum = sum_of_pid(p, (u32)getpid());
	assert_int_equal(sum.tx_bytes, WAITING);
	assert_int_equal(sum.rx_bytes, WAITING);
	assert_int_equal(probe_counter(p, COUNTER_process_unowned), 1);
	assert_balance(p);
	unload_probes(p);
	close_pair(&pair);
	assert_int_equal(setns(own, CLONE_NEWNET), 0);
	close(own);
}

/* exec changes the name, not the process: two rows of one pid. */
static void test_name_after_exec(void **state)
{
	struct probes *p = load_probes(process_programs, MAX_PROCESSES);
	struct pair pair = make_pair();
	struct rows rows;
	pid_t child;

	(void)state;
	attach_probes(p);
	child = fork();
	if (!child) {
		prctl(PR_SET_NAME, "before");
		dup2(pair.client, STDOUT_FILENO);
		if (write(STDOUT_FILENO, "12345", 5) == 5)
			execlp("printf", "printf", "1234567", NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	rows = rows_of(p, (u32)child);
	assert_int_equal(rows.count, 2);
	for (size_t i = 0; i < rows.count; i++) {
		bool before = !strcmp((const char *)rows.row[i].key.command, "before");

		if (!before)
			assert_string_equal((const char *)rows.row[i].key.command, "printf");
		assert_int_equal(rows.row[i].value.tx_bytes, before ? 5 : 7);
	}
	free(rows.row);
	assert_balance(p);
	unload_probes(p);
	close_pair(&pair);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loopback_ipv4),
		cmocka_unit_test(test_loopback_ipv6),
		cmocka_unit_test(test_between_namespaces_ipv4),
		cmocka_unit_test(test_between_namespaces_ipv6),
		cmocka_unit_test(test_open_before_then_recv),
		cmocka_unit_test(test_open_before_then_splice),
		cmocka_unit_test(test_full_map),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_name_after_exec),
	};

	(void)argc;
	snprintf(movers, sizeof(movers), "%s/../netns/movers", dirname(argv[0]));
	return cmocka_run_group_tests(tests, make_namespaces, remove_namespaces);
}
