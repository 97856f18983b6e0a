// SPDX-License-Identifier: MIT
/* What lines add up to: sums, time, interfaces without end, and lines that are wrong. */
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
#define LONG_LINE 4096

static struct aggregate a;

static int setup(void **state)
{
	(void)state;
	line_write_init();
	assert_int_equal(aggregate_init(&a, &(struct aggregate_limits){ 0, 1024, 16384 }), 0);
	aggregate_set_clock(&a, T0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	aggregate_free(&a);
	return 0;
}

static int give(const char *line)
{
	size_t length = strlen(line);
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

/* One packet from 10.0.0.1 to 10.0.0.2, port `port` to 443; with more keys in front. */
static void give_packet(const char *more, const char *ifname, unsigned int port, u64 ns)
{
	char line[LONG_LINE], time[32];

	*line_put_time(time, ns) = '\0';
	snprintf(line, sizeof(line),
		 "{%s\"type\":\"packet\",\"timestamp\":%s,\"ifname\":\"%s\",\"direction\":\"ingress\",\"cpu\":3,"
		 "\"ip_version\":4,\"proto\":\"TCP\",\"src_ip\":\"10.0.0.1\",\"dst_ip\":\"10.0.0.2\","
		 "\"src_port\":%u,\"dst_port\":443,\"length\":100,\"payload_length\":0,\"tcp_flags\":\"A\","
		 "\"icmp_type\":null,\"icmp_code\":null,\"ttl\":64,\"vlan\":null,\"fragment\":false,"
		 "\"malformed\":false}", more, time, ifname, port);
	assert_int_equal(give(line), -1);
}

static void give_icmp(const char *type)
{
	char line[LONG_LINE];

	snprintf(line, sizeof(line),
		 "{\"type\":\"flow\",\"timestamp\":1763704001000.000,\"ifname\":\"e\",\"direction\":\"egress\","
		 "\"ip_version\":4,\"proto\":\"ICMP\",\"src_ip\":\"10.0.0.%c\",\"dst_ip\":\"10.0.0.%c\","
		 "\"src_port\":null,\"dst_port\":null,\"icmp_type\":%s,\"icmp_code\":0,\"vlan\":null,"
		 "\"fragment\":false,\"packets\":5,\"bytes\":500,\"tcp_flags\":null,"
		 "\"first\":1763704000000.000,\"last\":1763704000900.000}",
		 *type == '8' ? '1' : '2', *type == '8' ? '2' : '1', type);
	assert_int_equal(give(line), -1);
}

/* A counters line of "eth0": all ingress TCP, on CPU 0. */
static int give_counters(unsigned int packets, const char *rows)
{
	char line[LONG_LINE];

	snprintf(line, sizeof(line),
		 "{\"type\":\"counters\",\"timestamp\":1763704001000.000,\"ifname\":\"eth0\",\"packets\":%u,"
		 "\"bytes\":%u,\"ingress_packets\":%u,\"ingress_bytes\":%u,\"egress_packets\":0,"
		 "\"egress_bytes\":0,\"packet_lines\":%u,\"folded\":0,\"unattributed\":0,"
		 "\"unattributed_bytes\":0,\"malformed\":0,\"ring_full\":0,%s,\"more\":false}",
		 packets, packets * 100, packets, packets * 100, packets, rows);
	return give(line);
}

/* The snapshot; json_decref() it. */
static json_t *snapshot(void)
{
	struct snapshot_request request = { .now_ns = T0, .interval_ns = S, .sequence = 1, .top = 10 };
	struct text text = { 0 };
	json_t *root;

	snapshot_write(&text, &a, &request);
	assert_false(text.failed);
	root = json_loadb(text.bytes, text.length, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	text_free(&text);
	return root;
}

static json_int_t number(const json_t *root, const char *object, const char *key)
{
	const json_t *value = json_object_get(json_object_get(root, object), key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static void test_a_gap_in_a_flow_makes_two(void **state)
{
	(void)state;
	a.idle_ns = 10 * S;
	give_packet("", "e", 1, T0);
	give_packet("", "e", 1, T0 + 9 * S);
	assert_int_equal(a.flows.created, 1);
	give_packet("", "e", 1, T0 + 20 * S);
	assert_int_equal(a.flows.created, 2);
	assert_int_equal(a.flows.expired, 1);
	assert_int_equal(a.flows.active, 1);
	/* Without an idle time, never. */
	a.idle_ns = 0;
	give_packet("", "e", 1, T0 + 2000 * S);
	assert_int_equal(a.flows.created, 2);
}

static void test_idle_flows_leave_as_time_moves_on(void **state)
{
	(void)state;
	a.idle_ns = 10 * S;
	for (unsigned int port = 1; port <= 100; port++)
		give_packet("", "e", port, T0);
	for (unsigned int i = 1; i <= 100; i++)
		give_packet("", "e", 200, T0 + i * S / 4);
	assert_int_equal(a.flows.active, 1);
	assert_int_equal(a.flows.expired, 100);
}

static void test_a_wrong_clock_ends_no_flow(void **state)
{
	(void)state;
	a.idle_ns = 10 * S;
	give_packet("", "e", 1, T0);
	give_packet("", "e", 2, T0 + 1000000 * S);
	give_packet("", "e", 1, T0 + 1000000 * S);
	give_packet("", "e", 1, T0 + S);
	aggregate_next_interval(&a);
	assert_int_equal(a.flows.created, 2);
	assert_int_equal(a.flows.expired, 0);
	/* And does not stay for ever, nor keep others. */
	give_packet("", "e", 3, T0 + 30 * S);
	aggregate_next_interval(&a);
	assert_int_equal(a.flows.active, 1);
}

static void test_hosts_whose_clocks_differ_keep_their_flows(void **state)
{
	(void)state;
	a.idle_ns = 10 * S;
	for (unsigned int i = 0; i < 100; i++) {
		give_packet("\"host\":\"one\",", "e", 1, T0 + i * S / 10);
		give_packet("\"host\":\"late\",", "e", 1, T0 - 3600 * S + i * S / 10);
		aggregate_next_interval(&a);
	}
	assert_int_equal(a.flows.created, 2);
	assert_int_equal(a.flows.expired, 0);
}

static void test_icmp_both_ways_is_one_flow(void **state)
{
	(void)state;
	give_icmp("8");
	give_icmp("0");
	assert_int_equal(a.flows.active, 1);
	assert_int_equal(flow_packets(flow_at(&a.flows, 0)), 10);
	assert_int_equal(flow_at(&a.flows, 0)->icmp_type, 8);
}

static void test_interfaces_and_hosts_without_end(void **state)
{
	char ifname[32], host[48];
	json_t *root;

	(void)state;
	for (unsigned int i = 0; i < INTERFACES_MAX + 500; i++) {
		snprintf(ifname, sizeof(ifname), "veth%x", i * 7919);
		snprintf(host, sizeof(host), "\"host\":\"h%x\",", i * 104729);
		give_packet(host, ifname, 1, T0);
		give_packet(host, ifname, 1, T0);
	}
	assert_int_equal(a.interfaces.n, INTERFACES_MAX + 1);
	assert_int_equal(a.interfaces.n_hosts, HOSTS_MAX + 1);
	assert_int_equal(a.interfaces.over, 1000);
	assert_int_equal(a.interfaces.hosts_over, 1000);
	root = snapshot();
	assert_int_equal(number(root, "totals", "packets"), 2 * (INTERFACES_MAX + 500));
	assert_int_equal(number(root, "losses", "interfaces_over"), 1000);
	json_decref(root);
}

/* The same name at two hosts is two interfaces, found again among many. */
static void test_interfaces_are_found_again(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++)
		for (unsigned int i = 0; i < 600; i++) {
			char ifname[32];

			snprintf(ifname, sizeof(ifname), "eth%u", i % 300);
			give_packet(i < 300 ? "\"host\":\"a\"," : "\"host\":\"b\",", ifname, 1, T0);
		}
	assert_int_equal(a.interfaces.n, 600);
	assert_int_equal(a.flows.active, 600);
	for (u32 i = 0; i < 600; i++)
		assert_int_equal(a.interfaces.all[i]->packet_lines, 3);
}

/* So many lines, a bad one behind each: what is shown of them is an even choice, in order. */
static void check_feed(unsigned int lines, size_t shown)
{
	json_t *root, *feed, *packet;
	json_int_t last = 0;
	size_t i;

	for (unsigned int port = 1; port <= lines; port++) {
		give_packet("", "e", port, T0);
		assert_int_equal(give("{\"type\":\"packet\",\"timestamp\":1.0,\"ifname\":\"bad\"}"),
				 BAD_TYPE);
	}
	root = snapshot();
	feed = json_object_get(root, "packets");
	assert_int_equal(json_array_size(feed), shown);
	assert_int_equal(json_integer_value(json_object_get(root, "packets_left_out")),
			 lines - shown);
	json_array_foreach(feed, i, packet) {
		json_int_t port = json_integer_value(json_object_get(packet, "src_port"));

		/* No gap is wider than three of the average. */
		assert_in_range(port - last, 1, 1 + 3 * lines / shown);
		last = port;
	}
	assert_true(lines + 1 - (unsigned int)last <= 1 + 3 * lines / shown);
	json_decref(root);
	aggregate_next_interval(&a);
}

static void test_the_feed_is_an_even_choice(void **state)
{
	static const unsigned int lines[] = { 1, 199, 200, 201, 399, 400, 401, 799, 801, 5000, 60000 };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		check_feed(lines[i], lines[i] < FEED_PACKETS ? lines[i] : FEED_PACKETS);
	/* Of a shorter interval less, of a longer one no more; one at least. */
	packet_feed_init(&a.feed, S / 10);
	check_feed(1000, FEED_PACKETS / 10);
	packet_feed_init(&a.feed, 10 * S);
	check_feed(1000, FEED_PACKETS);
	packet_feed_init(&a.feed, S / 1000);
	check_feed(1000, 1);
	check_feed(1, 1);
}

/* Gives each line of a golden file, and calls check with it. */
static void give_golden(const char *path, void (*check)(const char *line))
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	if (!f)
		fail_msg("%s cannot be opened: run from the top of the tree", path);
	while (getline(&line, &size, f) > 0) {
		if (check)
			check(line);
		line[strcspn(line, "\n")] = '\0';
		assert_int_equal(give(line), -1);
	}
	free(line);
	fclose(f);
}

static void hello_again(const char *line)
{
	json_t *root = json_loads(line, 0, NULL);
	double ms = json_real_value(json_object_get(root, "timestamp"));
	char again[LINE_MAX_BYTES + 1];

	*line_put_hello(again, json_string_value(json_object_get(root, "tool")),
			json_string_value(json_object_get(root, "host")),
			(u64)(ms * 1000 + 0.5) * 1000) = '\0';
	assert_string_equal(again, line);
	json_decref(root);
}

static void test_golden_lines(void **state)
{
	json_t *root, *row;
	json_int_t rows = 0, cpus = 0;
	size_t i;

	(void)state;
	give_golden("tests/golden/hello.ndjson", hello_again);
	give_golden("tests/golden/counters.ndjson", NULL);
	root = snapshot();
	assert_int_equal(number(root, "totals", "packets"), 9);
	assert_int_equal(number(root, "totals", "egress_bytes"), 300);
	assert_int_equal(number(root, "losses", "ring_full"), 5);
	assert_int_equal(json_array_size(json_object_get(root, "interfaces")), 2);
	json_array_foreach(json_object_get(root, "protocols"), i, row)
		rows += json_integer_value(json_object_get(row, "packets"));
	json_array_foreach(json_object_get(root, "cpus"), i, row)
		cpus += json_integer_value(json_object_get(row, "packets"));
	assert_int_equal(rows, 9);
	assert_int_equal(cpus, 9);
	json_decref(root);
	give_golden("tests/golden/packet.ndjson", NULL);
	give_golden("tests/golden/flow.ndjson", NULL);
	assert_int_equal(a.bad[BAD_JSON] + a.bad[BAD_TYPE] + a.unknown_type, 0);
}

/* Lines whose type is not the first key, and not the one that the last line had. */
static void test_types_in_any_order(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		give_packet("\"a\":{\"type\":\"flow\"},", "e", 1, T0);
		give_icmp("8");
		assert_int_equal(give("{\"host\":\"h\",\"type\":\"hello\"}"), -1);
		assert_int_equal(give("{\"b\":1,\"type\":\"of the future\",\"length\":\"x\"}"), -1);
		assert_int_equal(give("{\"b\":1,\"type\":\"flow\",\"length\":\"x\"}"), BAD_TYPE);
		assert_int_equal(give("{\"b\":1,\"type\":\"flow\",\"length\":\"x\""), BAD_JSON);
		assert_int_equal(give("{\"b\":1}"), BAD_TYPE);
	}
	assert_int_equal(a.packet_lines, 2);
	assert_int_equal(a.flow_lines, 2);
	assert_int_equal(a.hello_lines, 2);
	assert_int_equal(a.unknown_type, 2);
	assert_int_equal(a.lines, 14);
}

#define GOOD_ROWS(packets) \
	"\"protocols\":[{\"direction\":\"ingress\",\"proto\":\"TCP\",\"packets\":" packets ",\"bytes\":100," \
	"\"unattributed\":0,\"unattributed_bytes\":0}],\"cpus\":[{\"cpu\":0,\"packets\":" packets ",\"bytes\":100}]"

static void test_a_bad_counters_line_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"\"protocols\":[],\"cpus\":1", "\"protocols\":{},\"cpus\":[]", "\"protocols\":[]", "\"cpus\":[]",
		"\"protocols\":[{\"direction\":\"ingress\",\"proto\":\"TCP\",\"packets\":\"7\",\"bytes\":1}],\"cpus\":[]",
		"\"protocols\":[{\"direction\":\"up\",\"proto\":\"TCP\",\"packets\":7,\"bytes\":1}],\"cpus\":[]",
		"\"protocols\":[],\"cpus\":[{\"cpu\":-1,\"packets\":7,\"bytes\":1}]",
		"\"protocols\":[],\"cpus\":[{\"cpu\":0,\"packets\":9007199254740993,\"bytes\":1}]",
	};
	json_t *before, *after;

	(void)state;
	assert_int_equal(give_counters(5, GOOD_ROWS("5")), -1);
	before = snapshot();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(give_counters(7, bad[i]), BAD_TYPE);
	after = snapshot();
	for (const char *const *key = (const char *const[]){ "totals", "protocols", "cpus", "interfaces",
	     "accounting", "history", NULL }; *key; key++)
		assert_true(json_equal(json_object_get(before, *key), json_object_get(after, *key)));
	json_decref(before);
	json_decref(after);
}

static void test_names_of_any_length_are_bounded(void **state)
{
	char *line = malloc(60100), name[LINE_TEXT_MAX + 1];
	json_t *root;

	(void)state;
	strcpy(line, "{\"type\":\"hello\",\"host\":\"");
	memset(line + strlen(line), 'h', 60000);
	strcpy(line + 23 + 60000, "\"}");
	assert_int_equal(give(line), BAD_TYPE);
	free(line);
	memset(name, 0x7f, sizeof(name));	/* six bytes each, where they are escaped */
	name[LINE_TEXT_MAX] = '\0';
	give_packet("", name, 1, T0);
	root = snapshot();
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_a_gap_in_a_flow_makes_two),
		TEST(test_idle_flows_leave_as_time_moves_on),
		TEST(test_a_wrong_clock_ends_no_flow),
		TEST(test_hosts_whose_clocks_differ_keep_their_flows),
		TEST(test_icmp_both_ways_is_one_flow),
		TEST(test_interfaces_and_hosts_without_end),
		TEST(test_interfaces_are_found_again),
		TEST(test_the_feed_is_an_even_choice),
		TEST(test_golden_lines),
		TEST(test_types_in_any_order),
		TEST(test_a_bad_counters_line_changes_nothing),
		TEST(test_names_of_any_length_are_bounded),
	};

	return cmocka_run_group_tests_name("aggregate", tests, NULL, NULL);
}
