// SPDX-License-Identifier: MIT
/*
 * The connection probe against what both ends know: every way for a connection to end
 * that tests/netns/connector makes, many at once, what was open before, who owns it.
 */
#include <arpa/inet.h>
#include <jansson.h>
#include <libgen.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/bpf/host_probes.h"

#define DEADLINE_S 60	/* for what the kernel finishes after its processes: far above what it takes */

static char connector[4096];

static const char *const connection_programs[] = { "connection_", "sockets_walk", NULL };

static const char *const event_names[] = {
	[CONNECTION_CONNECT] = "connect", [CONNECTION_ACCEPT] = "accept",
	[CONNECTION_ESTABLISHED] = "established", [CONNECTION_CLOSE] = "close",
	[CONNECTION_FAILED] = "failed",
};

static const char *const reason_names[] = {
	[REASON_NONE] = "", [REASON_LOCAL] = " local", [REASON_REMOTE] = " remote",
	[REASON_ABORT] = " abort", [REASON_REFUSED] = " refused", [REASON_TIMED_OUT] = " timed_out",
	[REASON_RESET] = " reset", [REASON_UNREACHABLE] = " unreachable",
	[REASON_ABORTED] = " aborted", [REASON_ERROR] = " error",
};

/* What an end says of itself, and the records of it. */
struct expected {
	json_t *line;
	struct flow_key key;
	u32 netns;
};

static u64 number(json_t *line, const char *name)
{
	return (u64)json_integer_value(json_object_get(line, name));
}

static const char *string(json_t *line, const char *name)
{
	return json_string_value(json_object_get(line, name));
}

static struct expected expected_of(const char *text)
{
	struct expected e = { .line = json_loads(text, 0, NULL) };
	int family;

	assert_non_null(e.line);
	e.netns = (u32)number(e.line, "netns");
	e.key.ip_version = (u8)number(e.line, "ip_version");
	family = e.key.ip_version == 6 ? AF_INET6 : AF_INET;
	e.key.vlan = VLAN_NONE;
	e.key.flags = FLOW_PORTS;
	e.key.protocol = strcmp(string(e.line, "proto"), "UDP") ? IPPROTO_TCP : IPPROTO_UDP;
	e.key.direction = strcmp(string(e.line, "direction"), "egress") ? DIRECTION_INGRESS
									 : DIRECTION_EGRESS;
	e.key.src_port_be = htons((u16)number(e.line, "src_port"));
	e.key.dst_port_be = htons((u16)number(e.line, "dst_port"));
	assert_int_equal(inet_pton(family, string(e.line, "src_ip"), e.key.src_ip), 1);
	assert_int_equal(inet_pton(family, string(e.line, "dst_ip"), e.key.dst_ip), 1);
	return e;
}

static bool is_of(const struct connection_record *r, const struct expected *e)
{
	return r->owner.netns == e->netns && !memcmp(&r->key, &e->key, sizeof(r->key));
}

/* The n-th record of this end; NULL: there are fewer. */
static const struct connection_record *record_of(const struct probes *p, const struct expected *e,
						 size_t n)
{
	for (size_t i = 0; i < p->event_count; i++)
		if (is_of(&p->events[i], e) && !n--)
			return &p->events[i];
	return NULL;
}

static void event_text(const struct connection_record *r, char text[64])
{
	snprintf(text, 64, "%s%s", r->existing ? "existing" : event_names[r->event],
		 reason_names[r->reason]);
}

static bool is_owner(const struct socket_owner *owner, json_t *line)
{
	return owner->pid == number(line, "pid") && owner->uid == number(line, "uid") &&
	       owner->cgroup_id && !strncmp((const char *)owner->command, string(line, "command"), 16);
}

static bool is_whole(const struct connection_record *r, json_t *line)
{
	if (r->event != CONNECTION_CLOSE && r->event != CONNECTION_FAILED)
		return r->duration_ns == DURATION_NONE;
	/* Not how long: a clock of 4 ms steps may not have moved. */
	return r->bytes_sent == number(line, "bytes_sent") &&
	       r->bytes_received == number(line, "bytes_received") &&
	       r->duration_ns != DURATION_NONE && (!r->bytes_sent || r->rtt_us || r->rtt_min_us);
}

static bool is_exact(const struct probes *p, const struct expected *e)
{
	json_t *events = json_object_get(e->line, "events");
	bool exact = !record_of(p, e, json_array_size(events));

	for (size_t i = 0; i < json_array_size(events); i++) {
		const struct connection_record *r = record_of(p, e, i);
		char text[64];

		if (!r)
			return false;
		event_text(r, text);
		exact &= !strcmp(text, json_string_value(json_array_get(events, i))) &&
			 is_owner(&r->owner, e->line) && is_whole(r, e->line);
	}
	return exact;
}

static void print_records(const struct probes *p, const struct expected *e)
{
	const struct connection_record *r;
	char text[64];

	for (size_t i = 0; (r = record_of(p, e, i)); i++) {
		event_text(r, text);
		print_message("#   have: %s pid %u %.16s uid %u sent %llu received %llu duration %lld rtt %u "
			      "min %u error %u\n", text, r->owner.pid, r->owner.command, r->owner.uid,
			      (unsigned long long)r->bytes_sent, (unsigned long long)r->bytes_received,
			      (long long)r->duration_ns, r->rtt_us, r->rtt_min_us, r->error);
	}
}

static bool are_complete(struct probes *p, const struct expected *expected, size_t count)
{
	ring_buffer__consume(p->ring);
	for (size_t i = 0; i < count; i++)
		if (!record_of(p, &expected[i],
			       json_array_size(json_object_get(expected[i].line, "events")) - 1))
			return false;
	return true;
}

/* The kernel closes what its processes left: waits for the last event of each. */
static void await_events(struct probes *p, const struct expected *expected, size_t count)
{
	time_t end = time(NULL) + DEADLINE_S;

	while (!are_complete(p, expected, count) && time(NULL) < end)
		poll(NULL, 0, 5);
}

/* Returns how many ends were not as they should be. */
static size_t compare(struct probes *p, char *output)
{
	struct expected *expected = NULL;
	size_t count = 0, wrong = 0;
	char *rest = NULL;

	for (char *text = strtok_r(output, "\n", &rest); text; text = strtok_r(NULL, "\n", &rest)) {
		expected = realloc(expected, (count + 1) * sizeof(*expected));
		assert_non_null(expected);
		expected[count++] = expected_of(text);
	}
	assert_true(count);
	await_events(p, expected, count);
	for (size_t i = 0; i < count; i++) {
		json_t *line = expected[i].line;
		bool exact = is_exact(p, &expected[i]);

		wrong += !exact;
		if (count < 20 || !exact)
			print_message("# %-10s %-20s %-8s %s\n", string(line, "place"),
				      string(line, "way"), string(line, "direction"),
				      exact ? "exact" : "WRONG");
		if (!exact)
			print_records(p, &expected[i]);
		json_decref(line);
	}
	free(expected);
	return wrong;
}

static void connect_and_compare(char *(*run)(void))
{
	struct probes *p = load_probes(connection_programs, 1);
	char *output;
	size_t wrong;

	attach_probes(p);
	output = run();
	assert_non_null(output);
	wrong = compare(p, output);
	free(output);
	assert_int_equal(probe_counter(p, COUNTER_connection_ring_full), 0);
	unload_probes(p);
	assert_int_equal(wrong, 0);
}

/* ---- every way to end ------------------------------------------------------------- */

/* .99 never answers; what is beyond 10.88/16 and fd88::/16 cannot be reached. */
static int make_scene(void **state)
{
	const char *a = netns_names[0], *b = netns_names[1];

	if (make_namespaces(state))
		return -1;
	return succeeds(RUN("ip", "netns", "exec", b, "sysctl", "-qw", "net.ipv4.ip_forward=1",
			    "net.ipv6.conf.all.forwarding=1")) &&
	       succeeds(RUN("ip", "-n", b, "route", "add", "unreachable", "10.88.0.0/16")) &&
	       succeeds(RUN("ip", "-n", b, "-6", "route", "add", "unreachable", "fd88::/16")) &&
	       succeeds(RUN("ip", "-n", a, "route", "add", "10.88.0.0/16", "via", "10.78.0.2")) &&
	       succeeds(RUN("ip", "-n", a, "-6", "route", "add", "fd88::/16", "via", "fd78::2")) &&
	       succeeds(RUN("ip", "-n", a, "neigh", "add", "10.78.0.99", "lladdr", "02:00:00:00:00:99",
			    "dev", "veth_a", "nud", "permanent")) &&
	       succeeds(RUN("ip", "-n", a, "neigh", "add", "fd78::99", "lladdr", "02:00:00:00:00:99",
			    "dev", "veth_a", "nud", "permanent")) &&
	       succeeds(RUN("ip", "netns", "exec", a, "sysctl", "-qw", "net.core.somaxconn=4096")) &&
	       succeeds(RUN("ip", "netns", "exec", b, "sysctl", "-qw", "net.core.somaxconn=4096"))
		       ? 0 : -1;
}

static char *cases_ipv4(void)
{
	return RUN(connector, "cases", netns_paths[0], netns_paths[1], "10.78.0.2", "10.78.0.1",
		   "10.78.0.99", "10.88.0.1", "IPv4");
}

static char *cases_mapped(void)
{
	return RUN(connector, "cases", "-m", netns_paths[0], netns_paths[1], "10.78.0.2", "10.78.0.1",
		   "10.78.0.99", "10.88.0.1", "v4-mapped");
}

static char *cases_ipv6(void)
{
	return RUN(connector, "cases", netns_paths[0], netns_paths[1], "fd78::2", "fd78::1", "fd78::99",
		   "fd88::1", "IPv6");
}

static char *burst(void)
{
	return RUN(connector, "burst", netns_paths[0], netns_paths[1], "10.78.0.2", "1000");
}

static char *burst_loopback(void)
{
	return RUN(connector, "burst", netns_paths[0], netns_paths[0], "::1", "200");
}

static char *brief(void)
{
	return RUN(connector, "brief", netns_paths[0], netns_paths[1], "10.78.0.2", "200", "10240");
}

static void test_endings_ipv4(void **state)
{
	(void)state;
	connect_and_compare(cases_ipv4);
}

static void test_endings_mapped(void **state)
{
	(void)state;
	connect_and_compare(cases_mapped);
}

static void test_endings_ipv6(void **state)
{
	(void)state;
	connect_and_compare(cases_ipv6);
}

static void test_burst(void **state)
{
	(void)state;
	connect_and_compare(burst);
}

static void test_burst_over_loopback(void **state)
{
	(void)state;
	connect_and_compare(burst_loopback);
}

static void test_brief_processes(void **state)
{
	(void)state;
	connect_and_compare(brief);
}

/* ---- what is open already, and whose it is ------------------------------------------ */

/* Both ends of a TCP connection over loopback, in this process. */
struct pair {
	int listener, client, server;
};

static struct pair make_pair(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(at);
	struct pair pair;

	pair.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(pair.listener, (struct sockaddr *)&at, length), 0);
	assert_int_equal(listen(pair.listener, 1), 0);
	assert_int_equal(getsockname(pair.listener, (struct sockaddr *)&at, &length), 0);
	pair.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(pair.client, (struct sockaddr *)&at, length), 0);
	pair.server = accept4(pair.listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(pair.server >= 0);
	return pair;
}

static void close_pair(const struct pair *pair)
{
	close(pair->client);
	close(pair->server);
	close(pair->listener);
}

static u16 port_be_of(int fd)
{
	struct sockaddr_in at;
	socklen_t length = sizeof(at);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
	return at.sin_port;
}

/* Records of the socket with this local port: how many, and the last one. */
static size_t find_local(const struct connection_record *records, size_t count, u16 port_be,
			 u8 protocol, struct connection_record *ret_record)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		const struct flow_key *key = &records[i].key;
		u16 local = key->direction == DIRECTION_EGRESS ? key->src_port_be : key->dst_port_be;

		if (local != port_be || key->protocol != protocol)
			continue;
		*ret_record = records[i];
		found++;
	}
	return found;
}

#define WALKED_MAX 65536

/* also: another process that has it open; the one with the lower pid is named. */
static void assert_walked(const struct probes *p, int fd, u8 protocol, u8 direction, pid_t also)
{
	struct connection_record *records = calloc(WALKED_MAX, sizeof(*records)), r = { 0 };
	size_t count;

	assert_non_null(records);
	count = walk_sockets(p, records, WALKED_MAX);
	assert_true(count <= WALKED_MAX);
	assert_int_equal(find_local(records, count, port_be_of(fd), protocol, &r), 1);
	assert_int_equal(r.type, RECORD_CONNECTION);
	assert_int_equal(r.event, CONNECTION_ESTABLISHED);
	assert_int_equal(r.existing, 1);
	assert_int_equal(r.key.direction, direction);
	assert_true(r.owner.pid == (u32)getpid() || r.owner.pid == (u32)also);
	free(records);
}

/* Also by a process that shares it: one record a walk, in each walk. */
static void test_open_before(void **state)
{
	struct pair pair = make_pair();
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), gate[2];
	struct probes *p;
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(connect(udp, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	child = fork();
	if (!child) {
		close(gate[1]);
		_exit(read(gate[0], &byte, 1) != 0);
	}
	p = load_probes(connection_programs, 1);
	attach_probes(p);
	for (int i = 0; i < 2; i++) {
		assert_walked(p, pair.client, IPPROTO_TCP, DIRECTION_EGRESS, child);
		assert_walked(p, pair.server, IPPROTO_TCP, DIRECTION_INGRESS, child);
		assert_walked(p, udp, IPPROTO_UDP, DIRECTION_EGRESS, child);
	}
	close(gate[0]);
	close(gate[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close_pair(&pair);
	close(udp);
	unload_probes(p);
}

/* Its client bound a port: that does not make it a server. */
static void test_bound_client(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct pair pair = make_pair();
	socklen_t length = sizeof(at);
	struct probes *p;
	int client, server;

	(void)state;
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(client, (struct sockaddr *)&at, length), 0);
	at.sin_port = port_be_of(pair.listener);
	assert_int_equal(connect(client, (struct sockaddr *)&at, length), 0);
	server = accept4(pair.listener, NULL, NULL, SOCK_CLOEXEC);
	p = load_probes(connection_programs, 1);
	attach_probes(p);
	assert_walked(p, client, IPPROTO_TCP, DIRECTION_EGRESS, getpid());
	unload_probes(p);
	close(client);
	close(server);
	close_pair(&pair);
}

/* The end of the accepted side of a connection from this port; NULL: not yet. */
static const struct connection_record *end_of_accepted(const struct probes *p, u16 client_port_be)
{
	for (size_t i = 0; i < p->event_count; i++)
		if (p->events[i].key.src_port_be == client_port_be &&
		    p->events[i].key.direction == DIRECTION_INGRESS &&
		    p->events[i].event != CONNECTION_ACCEPT)
			return &p->events[i];
	return NULL;
}

/* A listener's child belongs to whoever has it: here another process than accepted it. */
static void test_user_is_owner(void **state)
{
	struct probes *p = load_probes(connection_programs, 1);
	const struct connection_record *r;
	time_t end = time(NULL) + DEADLINE_S;
	struct pair pair;
	u16 client_port_be;
	int gate[2];
	pid_t child;
	char byte;

	(void)state;
	attach_probes(p);
	pair = make_pair();
	client_port_be = port_be_of(pair.client);
	assert_int_equal(send(pair.client, "x", 1, 0), 1);
	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	child = fork();
	if (!child) {
		close(gate[1]);
		_exit(recv(pair.server, &byte, 1, 0) != 1 || read(gate[0], &byte, 1) != 0);
	}
	close(pair.server);
	close(gate[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(gate[0]);
	close(pair.client);
	close(pair.listener);
	while (!(r = end_of_accepted(p, client_port_be)) && time(NULL) < end) {
		ring_buffer__consume(p->ring);
		poll(NULL, 0, 1);
	}
	assert_non_null(r);
	assert_int_equal(r->event, CONNECTION_CLOSE);
	assert_int_equal(r->owner.pid, child);
	assert_int_equal(r->bytes_received, 1);
	unload_probes(p);
}

/* What finds no room is counted. */
static void test_full_ring(void **state)
{
	struct probes *p = load_probes(connection_programs, 1);
	int small = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "test_events", 0, 0, 4096, NULL);
	struct ring_buffer *ring;
	u32 zero = 0;

	(void)state;
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(p->bpf->maps.event_ring), &zero, &small, 0), 0);
	ring = ring_buffer__new(small, keep_event, p, NULL);
	assert_non_null(ring);
	attach_probes(p);
	for (int i = 0; i < 50; i++) {
		struct pair pair = make_pair();

		close_pair(&pair);
	}
	detach_probes(p);
	ring_buffer__consume(ring);
	assert_true(p->event_count > 0);
	assert_true(probe_counter(p, COUNTER_connection_ring_full) > 0);
	assert_int_equal(p->event_count + probe_counter(p, COUNTER_connection_ring_full),
			 probe_counter(p, COUNTER_connection_connects) +
			 probe_counter(p, COUNTER_connection_accepts) +
			 probe_counter(p, COUNTER_connection_established) +
			 probe_counter(p, COUNTER_connection_closed) +
			 probe_counter(p, COUNTER_connection_failed) +
			 probe_counter(p, COUNTER_connection_udp_connects));
	ring_buffer__free(ring);
	close(small);
	unload_probes(p);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endings_ipv4),
		cmocka_unit_test(test_endings_mapped),
		cmocka_unit_test(test_endings_ipv6),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_burst_over_loopback),
		cmocka_unit_test(test_brief_processes),
		cmocka_unit_test(test_open_before),
		cmocka_unit_test(test_bound_client),
		cmocka_unit_test(test_user_is_owner),
		cmocka_unit_test(test_full_ring),
	};

	(void)argc;
	snprintf(connector, sizeof(connector), "%s/../netns/connector", dirname(argv[0]));
	return cmocka_run_group_tests(tests, make_scene, remove_namespaces);
}
