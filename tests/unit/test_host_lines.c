// SPDX-License-Identifier: MIT
/* Lines of the host's probes as a stream: what joins, what stays apart, what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "aggregator/aggregate.h"
#include "aggregator/snapshot.h"
#include "common/line_write.h"

#define S 1000000000ull
#define T0 (1763704000 * S)

static struct aggregate a;

/* A TCP packet without SYN, seen first from the side that did not open it. */
#define PACKET \
	"{\"type\":\"packet\",\"timestamp\":1763704000500.000,\"ifname\":\"eth0\",\"direction\":\"ingress\"," \
	"\"cpu\":0,\"ip_version\":4,\"proto\":\"TCP\",\"src_ip\":\"10.0.0.2\",\"dst_ip\":\"10.0.0.1\"," \
	"\"src_port\":443,\"dst_port\":40000,\"length\":1000,\"payload_length\":946,\"tcp_flags\":\"A\"," \
	"\"icmp_type\":null,\"icmp_code\":null,\"ttl\":64,\"vlan\":null,\"fragment\":false,\"malformed\":false}"
#define CONNECTION \
	"{\"type\":\"connection\",\"timestamp\":1763704000100.000,\"event\":\"established\",\"reason\":null," \
	"\"existing\":false,\"pid\":4242,\"command\":\"curl\",\"uid\":1000,\"cgroup\":\"/user.slice\"," \
	"\"cgroup_id\":26,\"netns\":4026531840,\"direction\":\"egress\",\"ip_version\":4,\"proto\":\"TCP\"," \
	"\"src_ip\":\"10.0.0.1\",\"src_port\":40000,\"dst_ip\":\"10.0.0.2\",\"dst_port\":443," \
	"\"service\":\"https\",\"duration_ms\":1.000,\"bytes_sent\":0,\"bytes_received\":0,\"rtt_us\":980," \
	"\"rtt_min_us\":900,\"retransmits\":3}"
#define PROCESS \
	"{\"type\":\"process\",\"timestamp\":1763704001000.000,\"pid\":500,\"command\":\"resolver\"," \
	"\"uid\":101,\"ip_version\":4,\"proto\":\"UDP\",\"remote_ip\":\"9.9.9.9\",\"remote_port\":53," \
	"\"tx_bytes\":40,\"rx_bytes\":120,\"tx_calls\":1,\"rx_calls\":2}"
#define DATAGRAM \
	"{\"type\":\"packet\",\"timestamp\":1763704000500.000,\"ifname\":\"eth0\",\"direction\":\"egress\"," \
	"\"cpu\":0,\"ip_version\":4,\"proto\":\"UDP\",\"src_ip\":\"10.0.0.1\",\"dst_ip\":\"9.9.9.9\"," \
	"\"src_port\":5353,\"dst_port\":53,\"length\":82,\"payload_length\":40,\"tcp_flags\":null," \
	"\"icmp_type\":null,\"icmp_code\":null,\"ttl\":64,\"vlan\":null,\"fragment\":false,\"malformed\":false}"
#define DROP \
	"{\"type\":\"drop\",\"timestamp\":1763704000900.000,\"ifname\":\"eth0\",\"netns\":4026531840," \
	"\"ip_version\":4,\"proto\":\"TCP\",\"src_ip\":\"10.0.0.1\",\"dst_ip\":\"10.0.0.2\"," \
	"\"src_port\":40000,\"dst_port\":443,\"reason\":\"TCP_OFOMERGE\",\"reason_code\":30," \
	"\"location\":\"tcp_data_queue\",\"count\":7,\"bytes\":700}"
#define LATENCY \
	"{\"type\":\"latency\",\"timestamp\":1763704001000.000,\"name\":\"tcp_rtt\",\"unit\":\"us\"," \
	"\"network\":null,\"count\":9,\"buckets\":[[32,1],[33,8]]}"
#define PROBE \
	"{\"type\":\"probe\",\"timestamp\":1763704001000.000,\"probe\":\"process\",\"counters\":" \
	"{\"tx_bytes\":10,\"rx_bytes\":20,\"unattributed_tx_bytes\":3,\"unattributed_rx_bytes\":4}}"
#define DROP_COUNTERS \
	"{\"type\":\"drop_counters\",\"timestamp\":1763704001000.000,\"drops\":[{\"reason\":\"NO_SOCKET\"," \
	"\"reason_code\":3,\"proto\":\"UDP\",\"packets\":11,\"bytes\":770},{\"reason\":\"NOT_SPECIFIED\"," \
	"\"reason_code\":2,\"proto\":null,\"packets\":5,\"bytes\":50}],\"more\":false}"

static const char *const all[] = { PACKET, CONNECTION, PROCESS, DATAGRAM, DROP, LATENCY, PROBE,
				   DROP_COUNTERS };
#define N (sizeof(all) / sizeof(all[0]))

static int setup(void **state)
{
	struct aggregate_limits limits = { 0, 64, 64 };

	(void)state;
	line_write_init();
	assert_int_equal(aggregate_init(&a, &limits), 0);
	aggregate_set_clock(&a, T0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	aggregate_free(&a);
	return 0;
}

static int give_bytes(const char *line, size_t length)
{
	char *copy = malloc(length + LINE_READ_PADDING);
	int why;

	memcpy(copy, line, length);
	memset(copy + length, '"', LINE_READ_PADDING);
	copy[length] = '\n';
	why = aggregate_line(&a, copy, length);
	aggregate_settle(&a);
	free(copy);
	return why;
}

static int give(const char *line)
{
	return give_bytes(line, strlen(line));
}

/* The snapshot; json_decref() it. */
static json_t *snapshot(void)
{
	struct snapshot_request request = { .now_ns = T0, .interval_ns = S, .sequence = 1, .top = 10 };
	struct text text = { 0 };
	json_t *root;

	snapshot_write(&text, &a, &request);
	assert_false(text.failed);
	root = json_loadb(text.bytes, text.length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	assert_non_null(root);
	text_free(&text);
	return root;
}

/* A member, as text: numbers, strings and null alike. */
static void check(const json_t *object, const char *key, const char *want)
{
	char *text = json_dumps(json_object_get(object, key), JSON_ENCODE_ANY | JSON_COMPACT);

	assert_non_null(text);
	assert_string_equal(text, want);
	free(text);
}

static json_t *row(const json_t *root, const char *table, const char *key, const char *value)
{
	json_t *at;
	size_t i;

	json_array_foreach(json_object_get(root, table), i, at) {
		const json_t *text = json_object_get(at, key);

		if (json_is_string(text) && !strcmp(json_string_value(text), value))
			return at;
	}
	fail_msg("no %s with %s %s", table, key, value);
	return NULL;
}

static void check_joined(void)
{
	json_t *root = snapshot(), *flow = row(root, "flows", "proto", "TCP");

	check(flow, "src_ip", "\"10.0.0.1\"");
	check(flow, "src_port", "40000");
	check(flow, "dst_bytes", "1000");
	check(flow, "pid", "4242");
	check(flow, "command", "\"curl\"");
	check(flow, "rtt_us", "980");
	check(flow, "retransmits", "3");
	check(flow, "drops", "7");
	flow = row(root, "flows", "proto", "UDP");
	check(flow, "pid", "500");
	check(flow, "command", "\"resolver\"");
	check(flow, "rtt_us", "null");
	check(flow, "retransmits", "null");
	check(flow, "drops", "0");
	json_decref(root);
}

static void test_flows_join_with_what_comes_before_them_and_after(void **state)
{
	for (size_t i = 0; i < N; i++)
		assert_int_equal(give(all[i]), -1);
	check_joined();
	teardown(state);
	setup(state);
	for (size_t i = N; i-- > 0; )
		assert_int_equal(give(all[i]), -1);
	check_joined();
}

static void test_a_syn_says_more_than_an_event(void **state)
{
	char syn[1024];
	json_t *root;

	(void)state;
	strcpy(syn, PACKET);
	memcpy(strstr(syn, "\"tcp_flags\":\"A\""), "\"tcp_flags\":\"S\"", 15);
	assert_int_equal(give(syn), -1);
	assert_int_equal(give(CONNECTION), -1);
	root = snapshot();
	check(row(root, "flows", "proto", "TCP"), "src_ip", "\"10.0.0.2\"");
	json_decref(root);
}

static void test_what_ended_long_before_is_another_flow(void **state)
{
	char end[1024];
	json_t *root;

	(void)state;
	strcpy(end, CONNECTION);
	memcpy(strstr(end, "\"established\""), "\"close\"      ", 13);
	memcpy(strstr(end, "1763704000100"), "1763703900100", 13);
	assert_int_equal(give(end), -1);
	assert_int_equal(give(PACKET), -1);
	root = snapshot();
	check(row(root, "flows", "proto", "TCP"), "pid", "null");
	check(row(root, "flows", "proto", "TCP"), "drops", "null");
	json_decref(root);
}

static void test_hosts_are_apart(void **state)
{
	char line[2048];
	json_t *root;

	(void)state;
	assert_int_equal(give(PACKET), -1);
	snprintf(line, sizeof(line), "{\"host\":\"other\",%s", &CONNECTION[1]);
	assert_int_equal(give(line), -1);
	snprintf(line, sizeof(line), "{\"host\":\"other\",%s", &DROP[1]);
	assert_int_equal(give(line), -1);
	root = snapshot();
	check(row(root, "flows", "proto", "TCP"), "pid", "null");
	check(row(root, "flows", "proto", "TCP"), "drops", "null");
	check(row(root, "connections", "proto", "TCP"), "host", "\"other\"");
	assert_int_equal(json_array_size(json_object_get(root, "hosts")), 2);
	json_decref(root);
}

static void test_losses_and_totals_are_the_counters(void **state)
{
	json_t *root;

	(void)state;
	for (size_t i = 0; i < N; i++)
		assert_int_equal(give(all[i]), -1);
	root = snapshot();
	check(json_object_get(root, "losses"), "process_unattributed_bytes", "7");
	check(root, "drops_unspecified", "{\"packets\":5,\"bytes\":50,\"pps\":0}");
	check(row(root, "drops", "reason", "NO_SOCKET"), "packets", "11");
	/* The wire saw 1000 in and 82 out; the probe counted 20 and 10. */
	check(json_object_get(root, "unowned"), "rx_bytes", "980");
	check(json_object_get(root, "unowned"), "tx_bytes", "72");
	check(json_array_get(json_object_get(root, "probes"), 0), "counters",
	      "{\"tx_bytes\":10,\"rx_bytes\":20,\"unattributed_tx_bytes\":3,\"unattributed_rx_bytes\":4}");
	check(row(root, "latency", "name", "tcp_rtt"), "buckets", "[[32,1],[33,8]]");
	check(row(root, "latency", "name", "tcp_rtt"), "p50", "33");
	json_decref(root);
}

static void test_bad_lines_change_nothing(void **state)
{
	static const char *const bad[] = {
		"{\"type\":\"connection\"}", "{\"type\":\"process\",\"pid\":1}", "{\"type\":\"drop\",\"count\":-1}",
		"{\"type\":\"probe\",\"timestamp\":1.0,\"probe\":\"process\",\"counters\":{\"tx_bytes\":-1}}",
		"{\"type\":\"probe\",\"timestamp\":1.0,\"probe\":\"process\",\"counters\":[]}",
		"{\"type\":\"probe\",\"timestamp\":1.0,\"probe\":1,\"counters\":{}}",
		"{\"type\":\"probe\",\"probe\":\"process\",\"counters\":{}}",
		"{\"type\":\"latency\",\"timestamp\":1.0,\"name\":\"x\",\"unit\":\"us\",\"network\":null,\"buckets\":[[1]]}",
		"{\"type\":\"latency\",\"timestamp\":1.0,\"name\":\"x\",\"unit\":\"us\",\"network\":null,"
		"\"buckets\":[[1,2],3]}",
		"{\"type\":\"latency\",\"timestamp\":1.0,\"name\":\"x\",\"unit\":\"us\",\"network\":7,\"buckets\":[]}",
		"{\"type\":\"latency\",\"timestamp\":1.0,\"name\":\"x\",\"unit\":\"us\",\"buckets\":[]}",
		"{\"type\":\"latency\",\"timestamp\":-1.0,\"name\":\"x\",\"unit\":\"us\",\"network\":null,\"buckets\":[]}",
		"{\"type\":\"drop_counters\",\"timestamp\":1.0,\"drops\":{}}",
		"{\"type\":\"drop_counters\",\"timestamp\":1.0,\"drops\":[{\"reason\":\"A\",\"reason_code\":1,"
		"\"proto\":\"TCP\",\"packets\":1,\"bytes\":1},{\"reason\":\"A\",\"reason_code\":4294967296,"
		"\"proto\":\"TCP\",\"packets\":1,\"bytes\":1}]}",
		"{\"type\":\"drop_counters\",\"timestamp\":1.0,\"drops\":[{\"reason\":\"A\",\"reason_code\":1,"
		"\"proto\":6,\"packets\":1,\"bytes\":1}]}",
		/* No connection has no ports. */
		"{\"type\":\"connection\",\"timestamp\":1.0,\"event\":\"connect\",\"reason\":null,\"existing\":false,"
		"\"pid\":1,\"command\":\"x\",\"uid\":0,\"cgroup\":null,\"cgroup_id\":0,\"netns\":1,\"direction\":\"egress\","
		"\"ip_version\":4,\"proto\":\"TCP\",\"src_ip\":\"10.0.0.1\",\"src_port\":null,\"dst_ip\":\"10.0.0.2\","
		"\"dst_port\":null,\"service\":null,\"duration_ms\":null,\"bytes_sent\":0,\"bytes_received\":0,"
		"\"rtt_us\":null,\"rtt_min_us\":null,\"retransmits\":0}",
	};
	json_t *before, *after;

	(void)state;
	for (size_t i = 0; i < N; i++)
		assert_int_equal(give(all[i]), -1);
	before = snapshot();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(give(bad[i]), BAD_TYPE);
	assert_int_equal(give("{\"type\":\"latency\",}"), BAD_JSON);
	after = snapshot();
	assert_int_equal(a.bad[BAD_TYPE], sizeof(bad) / sizeof(bad[0]));
	json_object_del(before, "losses");
	json_object_del(after, "losses");
	json_object_del(before, "input");
	json_object_del(after, "input");
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
}

/* Whatever becomes of a line: no read strays, and every snapshot is JSON. */
static void test_broken_lines_break_nothing(void **state)
{
	static const char bytes[] = "\"\\{}[],:0123456789-.eEnulltrue\x80\xff\x01 ";
	char line[2048];

	(void)state;
	srand(4);
	for (u32 i = 0; i < 40000; i++) {
		size_t length = strlen(all[i % N]);

		memcpy(line, all[i % N], length);
		for (int changes = rand() % 4; changes >= 0; changes--)
			line[(size_t)rand() % length] = bytes[(size_t)rand() % (sizeof(bytes) - 1)];
		if (rand() % 8 == 0)
			length = (size_t)rand() % length;
		give_bytes(line, length);
		if (i % 1000 == 0) {
			json_decref(snapshot());
			aggregate_next_interval(&a);
		}
	}
	assert_true(a.connection_lines && a.process_lines && a.drop_lines);
	assert_true(a.latency_lines && a.probe_lines && a.drop_counters_lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_flows_join_with_what_comes_before_them_and_after),
		TEST(test_a_syn_says_more_than_an_event),
		TEST(test_what_ended_long_before_is_another_flow),
		TEST(test_hosts_are_apart),
		TEST(test_losses_and_totals_are_the_counters),
		TEST(test_bad_lines_change_nothing),
		TEST(test_broken_lines_break_nothing),
	};

	return cmocka_run_group_tests_name("host_lines", tests, NULL, NULL);
}
