// SPDX-License-Identifier: MIT
/*
 * The latency probe against what TCP_INFO says at the same moment, over loopback in a
 * namespace of this test's own: every sample is in the whole host's histogram and in one
 * network's, or is counted as unattributed.
 */
#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>

#include "common/latency_buckets.h"
#include "tests/bpf/host_probes.h"

#define MAX_NETWORKS 256
#define CONNECTIONS 50
#define EXCHANGES 2000
#define SAMPLE_INTERVAL_NS 10000000

static struct probes *load_latency(u32 max_networks)
{
	struct probes *p = calloc(1, sizeof(*p));
	struct bpf_program *program;

	assert_non_null(p);
	libbpf_set_print(silent);
	p->cpus = libbpf_num_possible_cpus();
	p->bpf = jopil_bpf__open();
	assert_non_null(p->bpf);
	bpf_object__for_each_program(program, p->bpf->obj)
		bpf_program__set_autoload(program, is_wanted(bpf_program__name(program),
							     (const char *const[]){ "latency", NULL }));
	bpf_map__set_max_entries(p->bpf->maps.latencies_a, max_networks + 1);
	bpf_map__set_max_entries(p->bpf->maps.latencies_b, max_networks + 1);
	assert_int_equal(jopil_bpf__load(p->bpf), 0);
	make_ring(p);
	return p;
}

/* What is read after this is all there is: it returns when no program runs any more. */
static void stop(struct probes *p)
{
	int inner = bpf_map__fd(p->bpf->maps.latencies_a);
	u32 zero = 0;

	jopil_bpf__detach(p->bpf);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(p->bpf->maps.latency_maps), &zero, &inner, 0),
			 0);
}

static u64 sum_of(const struct latency_value *value)
{
	u64 sum = 0;

	for (u32 i = 0; i < LATENCY_BUCKETS; i++)
		sum += value->counts[i];
	return sum;
}

/* The histogram of a network ("127.1.2.0/24"), of the whole host (NULL); all 0: none. */
static struct latency_value histogram(const struct probes *p, const char *network)
{
	struct latency_value value = { { 0 } };
	struct latency_key key = { .ip_version = 0 };
	char address[64];

	if (network) {
		key.ip_version = strchr(network, ':') ? 6 : 4;
		assert_int_equal(sscanf(network, "%63[^/]/%hhu", address, &key.prefix_length), 2);
		assert_int_equal(inet_pton(key.ip_version == 6 ? AF_INET6 : AF_INET, address, key.network), 1);
	}
	bpf_map_lookup_elem(bpf_map__fd(p->bpf->maps.latencies_a), &key, &value);
	return value;
}

static void assert_sums(const struct probes *p)
{
	struct latency_key key, *previous = NULL;
	struct latency_value value;
	int fd = bpf_map__fd(p->bpf->maps.latencies_a);
	u64 host = 0, networks = 0, samples = probe_counter(p, COUNTER_latency_samples);

	for (; !bpf_map_get_next_key(fd, previous, &key); previous = &key) {
		assert_int_equal(bpf_map_lookup_elem(fd, &key, &value), 0);
		if (key.ip_version)
			networks += sum_of(&value);
		else
			host = sum_of(&value);
	}
	assert_int_equal(host, samples);
	assert_int_equal(networks + probe_counter(p, COUNTER_latency_unattributed), samples);
}

/* ---- connections ---- */

struct pair {
	int client, server;
};

static struct sockaddr_in6 address_of(const char *text)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };

	assert_int_equal(inet_pton(AF_INET6, text, &a.sin6_addr), 1);
	return a;
}

/* IPv6 sockets, also for mapped addresses. */
static struct pair connect_pair(const char *from, const char *to)
{
	struct sockaddr_in6 client = address_of(from), server = address_of(to);
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pair pair = { .client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	socklen_t size = sizeof(server);

	assert_int_equal(bind(listener, (struct sockaddr *)&server, sizeof(server)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&server, &size), 0);
	assert_int_equal(bind(pair.client, (struct sockaddr *)&client, sizeof(client)), 0);
	assert_int_equal(connect(pair.client, (struct sockaddr *)&server, sizeof(server)), 0);
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

static void move(int from, int to)
{
	char byte = 0;

	assert_int_equal(send(from, &byte, 1, MSG_NOSIGNAL), 1);
	assert_int_equal(recv(to, &byte, 1, 0), 1);
}

static void exchange(const struct pair *pair)
{
	move(pair->client, pair->server);
	move(pair->server, pair->client);
}

static u32 rtt_us(int fd)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	return info.tcpi_rtt;
}

/*
 * The first segment that an established socket receives gives a sample, of the round-trip
 * time that the handshake left. Later ones may give more, after 10 ms.
 */
static void run_connections(const char *from, const char *to, struct latency_value *ret_at_client,
			    struct latency_value *ret_at_server)
{
	for (int i = 0; i < CONNECTIONS; i++) {
		struct pair pair = connect_pair(from, to);

		ret_at_client->counts[latency_bucket(rtt_us(pair.client))]++;
		ret_at_server->counts[latency_bucket(rtt_us(pair.server))]++;
		exchange(&pair);
		close_pair(&pair);
	}
}

static void assert_holds(const struct latency_value *actual, const struct latency_value *expected)
{
	for (u32 i = 0; i < LATENCY_BUCKETS; i++)
		assert_true(actual->counts[i] >= expected->counts[i]);
}

static void check_network(const char *from, const char *to, const char *from_network,
			  const char *to_network)
{
	struct probes *p = load_latency(MAX_NETWORKS);
	struct latency_value at_client = { { 0 } }, at_server = { { 0 } }, seen;

	attach_probes(p);
	run_connections(from, to, &at_client, &at_server);
	stop(p);
	assert_sums(p);
	seen = histogram(p, to_network);	/* the client's remote */
	assert_holds(&seen, &at_client);
	seen = histogram(p, from_network);
	assert_holds(&seen, &at_server);
	assert_int_equal(probe_counter(p, COUNTER_latency_unattributed), 0);
	unload_probes(p);
}

static void ipv4_by_24(void **state)
{
	(void)state;
	check_network("::ffff:127.77.1.1", "::ffff:127.77.2.200", "127.77.1.0/24", "127.77.2.0/24");
}

static void ipv6_by_48(void **state)
{
	(void)state;
	check_network("fd78:0:1:2::1", "fd78:0:2:ffff::1", "fd78:0:1::/48", "fd78:0:2::/48");
}

static void a_socket_gives_one_sample_in_10_ms(void **state)
{
	struct probes *p = load_latency(MAX_NETWORKS);
	struct pair pair = connect_pair("::ffff:127.77.3.1", "::ffff:127.77.4.1");
	struct timespec start, end;
	struct latency_value seen;
	u64 elapsed;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &start);
	attach_probes(p);
	for (int i = 0; i < EXCHANGES; i++)
		exchange(&pair);
	stop(p);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_sums(p);
	elapsed = (u64)(end.tv_sec - start.tv_sec) * 1000000000 + (u64)end.tv_nsec - (u64)start.tv_nsec;
	seen = histogram(p, "127.77.4.0/24");
	assert_in_range(sum_of(&seen), 1, elapsed / SAMPLE_INTERVAL_NS + 1);
	seen = histogram(p, "127.77.3.0/24");
	assert_in_range(sum_of(&seen), 1, elapsed / SAMPLE_INTERVAL_NS + 1);
	close_pair(&pair);
	unload_probes(p);
}

static void what_finds_the_map_full_is_counted(void **state)
{
	struct probes *p = load_latency(1);
	struct latency_value at_client = { { 0 } }, at_server = { { 0 } }, seen;

	(void)state;
	attach_probes(p);
	run_connections("::ffff:127.77.5.1", "::ffff:127.77.6.1", &at_client, &at_server);
	stop(p);
	assert_sums(p);
	assert_true(probe_counter(p, COUNTER_latency_unattributed) >= CONNECTIONS);
	seen = histogram(p, NULL);
	assert_holds(&seen, &at_client);
	assert_holds(&seen, &at_server);
	unload_probes(p);
}

/* All guards at once: no other probe is loaded here. */
static void set_guards(const struct probes *p)
{
	u64 values[p->cpus];	/* of 4 bytes, 8 apart */

	for (int i = 0; i < p->cpus; i++)
		values[i] = 1;
	for (u32 row = 0; row < bpf_map__max_entries(p->bpf->maps.guards); row++)
		assert_int_equal(bpf_map_update_elem(bpf_map__fd(p->bpf->maps.guards), &row, values, 0),
				 0);
}

static void the_nested_program_works_when_the_first_is_interrupted(void **state)
{
	struct probes *p = load_latency(MAX_NETWORKS);
	struct bpf_link *link = bpf_program__attach(p->bpf->progs.latency_nested);
	struct latency_value at_client = { { 0 } }, at_server = { { 0 } }, seen;

	(void)state;
	assert_non_null(link);
	run_connections("::ffff:127.77.7.1", "::ffff:127.77.8.1", &at_client, &at_server);
	assert_int_equal(probe_counter(p, COUNTER_latency_samples), 0);
	memset(&at_client, 0, sizeof(at_client));
	set_guards(p);
	run_connections("::ffff:127.77.7.1", "::ffff:127.77.8.1", &at_client, &at_server);
	bpf_link__destroy(link);
	stop(p);
	assert_sums(p);
	seen = histogram(p, "127.77.8.0/24");
	assert_holds(&seen, &at_client);
	unload_probes(p);
}

static int set_up(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET))
		return -1;
	if (!succeeds(RUN("ip", "link", "set", "lo", "up")) ||
	    !succeeds(RUN("ip", "addr", "add", "fd78:0:1:2::1/128", "dev", "lo", "nodad")) ||
	    !succeeds(RUN("ip", "addr", "add", "fd78:0:2:ffff::1/128", "dev", "lo", "nodad")))
		return -1;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_by_24),
		cmocka_unit_test(ipv6_by_48),
		cmocka_unit_test(a_socket_gives_one_sample_in_10_ms),
		cmocka_unit_test(what_finds_the_map_full_is_counted),
		cmocka_unit_test(the_nested_program_works_when_the_first_is_interrupted),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
