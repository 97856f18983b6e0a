// SPDX-License-Identifier: MIT
/* Records to lines, held against jansson, inet_ntop and printf. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/line_read.h"
#include "common/line_write.h"
#include "common/protocol.h"

static struct line_writer writer;

static int setup(void **state)
{
	(void)state;
	line_write_init();
	line_writer_init(&writer);
	line_writer_name(&writer, 0, "eth0");
	return 0;
}

static const struct packet_record tcp = {
	.time_ns = 1763704000123456789ull,
	.key = {
		.src_ip = { 10, 0, 0, 1 }, .dst_ip = { 192, 168, 100, 255 },
		.src_port_be = 0xbb01, .dst_port_be = 0x50c3, .protocol = 6, .vlan = VLAN_NONE,
		.ip_version = 4, .flags = FLOW_PORTS,
	},
	.length = 66, .tcp_flags = 0x12, .ttl = 64,
};

static const char *packet_line(const struct packet_record *r)
{
	static char line[LINE_MAX_BYTES + 1];

	*packet_line_write(line, &writer, r) = '\0';
	return line;
}

static void test_packet_line(void **state)
{
	(void)state;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	assert_string_equal(packet_line(&tcp),
		"{\"type\":\"packet\",\"timestamp\":1763704000123.456,\"ifname\":\"eth0\","
		"\"direction\":\"ingress\",\"cpu\":0,\"ip_version\":4,\"proto\":\"TCP\","
		"\"src_ip\":\"10.0.0.1\",\"dst_ip\":\"192.168.100.255\",\"src_port\":443,"
		"\"dst_port\":50000,\"length\":66,\"payload_length\":0,\"tcp_flags\":\"SA\","
		"\"icmp_type\":null,\"icmp_code\":null,\"ttl\":64,\"vlan\":null,\"fragment\":false,"
		"\"malformed\":false}\n");
#endif
}

static json_t *parse(const char *line)
{
	json_error_t error;
	json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		fail_msg("not JSON: %s: %s", error.text, line);
	return root;
}

static void test_values_that_do_not_exist_are_null(void **state)
{
	struct packet_record r = tcp;
	json_t *root;

	(void)state;
	r.key.ip_version = 0;
	r.key.protocol = 0x0806;
	r.key.flags = 0;
	root = parse(packet_line(&r));
	assert_string_equal(json_string_value(json_object_get(root, "proto")), "ARP");
	for (const char *const *key = (const char *const[]){ "ip_version", "src_ip", "dst_ip", "src_port",
	     "dst_port", "tcp_flags", "icmp_type", "icmp_code", "ttl", "vlan", NULL }; *key; key++)
		assert_true(json_is_null(json_object_get(root, *key)));
	json_decref(root);
}

static void test_icmp_has_type_and_code_but_no_ports(void **state)
{
	struct packet_record r = tcp;
	json_t *root;

	(void)state;
	r.key.protocol = 1;
	r.key.flags = FLOW_ICMP;
	r.key.src_port_be = htons(3);
	r.key.dst_port_be = htons(13);
	root = parse(packet_line(&r));
	assert_int_equal(json_integer_value(json_object_get(root, "icmp_type")), 3);
	assert_int_equal(json_integer_value(json_object_get(root, "icmp_code")), 13);
	assert_true(json_is_null(json_object_get(root, "src_port")));
	assert_true(json_is_null(json_object_get(root, "tcp_flags")));
	json_decref(root);
}

static void random_bytes(void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		((u8 *)bytes)[i] = (u8)rand();
}

/* Any bytes at all in a record give one whole JSON line that fits. */
static void test_random_records_are_json(void **state)
{
	static char line[2 * LINE_MAX_BYTES];

	(void)state;
	srand(1);
	for (int i = 0; i < 20000; i++) {
		struct packet_record r;
		struct flow_record f;
		char *end;

		random_bytes(&r, sizeof(r));
		r.key.ip_version = (u8[]){ 0, 4, 6 }[rand() % 3];
		end = packet_line_write(line, &writer, &r);
		*end = '\0';
		assert_true(end - line <= LINE_MAX_BYTES);
		json_decref(parse(line));
		random_bytes(&f, sizeof(f));
		f.key.ip_version = r.key.ip_version;
		f.packets >>= 11;	/* counts stay below 2^53 */
		f.bytes >>= 11;
		end = flow_line_write(line, &writer, &f);
		*end = '\0';
		assert_true(end - line <= LINE_MAX_BYTES);
		json_decref(parse(line));
	}
}

static void test_numbers(void **state)
{
	char ours[32], theirs[32];

	(void)state;
	srand(2);
	for (int i = 0; i < 200000; i++) {
		u64 value = ((u64)rand() << 40 ^ (u64)rand() << 20 ^ (u64)rand()) >> (rand() % 64);

		*line_put_number(ours, value) = '\0';
		snprintf(theirs, sizeof(theirs), "%llu", (unsigned long long)value);
		assert_string_equal(ours, theirs);
	}
	*line_put_number(ours, UINT64_MAX) = '\0';
	assert_string_equal(ours, "18446744073709551615");
}

static void test_times(void **state)
{
	static const struct {
		u64 ns;
		const char *text;
	} rows[] = {
		{ 0, "0.000" }, { 999, "0.000" }, { 1000, "0.001" }, { 123456789, "123.456" },
		{ 999999999999999999ull, "999999999999.999" },
		{ 1000000000000000000ull, "1000000000000.000" },
		{ 1763704000123456789ull, "1763704000123.456" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet_record r = tcp;
		char want[64];

		*line_put_time(text, rows[i].ns) = '\0';
		assert_string_equal(text, rows[i].text);
		r.time_ns = rows[i].ns;
		snprintf(want, sizeof(want), "\"timestamp\":%s,", rows[i].text);
		assert_non_null(strstr(packet_line(&r), want));
	}
}

static bool is_ipv4_compatible(const u8 *a)
{
	static const u8 zeros[12];

	return !memcmp(a, zeros, sizeof(zeros));
}

/* glibc writes the deprecated ::a.b.c.d dotted; RFC 5952 5 does so for known prefixes only. */
static void test_ipv6_as_inet_ntop(void **state)
{
	char ours[64], theirs[64];
	u8 a[16];

	(void)state;
	srand(3);
	for (int i = 0; i < 200000; i++) {
		for (int k = 0; k < 16; k += 2) {
			int kind = rand() % 3;

			a[k] = kind ? (u8)rand() : 0;
			a[k + 1] = kind == 2 ? (u8)(rand() % 3) : kind ? (u8)rand() : 0;
		}
		*line_put_address(ours, 6, a) = '\0';
		inet_ntop(AF_INET6, a, theirs, sizeof(theirs));
		if (!is_ipv4_compatible(a))
			assert_string_equal(ours, theirs);
	}
	assert_int_equal(inet_pton(AF_INET6, "::ffff:1.2.3.4", a), 1);
	*line_put_address(ours, 6, a) = '\0';
	assert_string_equal(ours, "::ffff:1.2.3.4");
	assert_int_equal(inet_pton(AF_INET6, "::102:304", a), 1);
	*line_put_address(ours, 6, a) = '\0';
	assert_string_equal(ours, "::102:304");
}

/* Names are bytes from outside: whatever they are, the line is JSON and UTF-8. */
static void test_strings_of_any_bytes(void **state)
{
	char line[2048];

	(void)state;
	srand(4);
	for (int i = 0; i < 100000; i++) {
		char name[64], *end;
		size_t length = (size_t)rand() % sizeof(name);
		json_t *value;

		random_bytes(name, length);
		end = line_put_string(line, name, length);
		assert_true((size_t)(end - line) <= 6 * length + 2);
		value = json_loadb(line, (size_t)(end - line), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		assert_non_null(value);
		json_decref(value);
	}
	*line_put_string(line, "caf\xc3\xa9 \xff\xc0\x80 \"q\"\n", 14) = '\0';
	assert_string_equal(line, "\"caf\xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \\\"q\\\"\\u000a\"");
}

static void test_interface_names(void **state)
{
	static const char nasty[] = "\"\\\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10";
	struct packet_record r = tcp;
	json_t *root;

	(void)state;
	line_writer_name(&writer, 9, nasty);
	r.key.iface = 9;
	root = parse(packet_line(&r));
	assert_string_equal(json_string_value(json_object_get(root, "ifname")), nasty);
	json_decref(root);
	line_writer_name(&writer, 10, NULL);
	r.key.iface = 10;
	assert_non_null(strstr(packet_line(&r), "\"ifname\":\"if10\""));
}

/* Each byte that is no UTF-8 becomes three: a name must not make readers refuse its line. */
static void test_readers_take_any_cgroup(void **state)
{
	const struct connection_record r = { .key = { .protocol = 6, .vlan = VLAN_NONE, .ip_version = 4,
						      .flags = FLOW_PORTS }, .owner = { .pid = 1 } };
	char name[LINE_CGROUP_BYTES + 2] = "", line[LINE_MAX_BYTES + LINE_READ_PADDING], *end;
	struct connection_record again;
	struct line_reader reader;

	(void)state;
	line_reader_init(&reader);
	line_writer_init(&writer);
	writer.cgroup = name;
	for (size_t n = 0; n <= LINE_CGROUP_BYTES; n++) {
		name[n] = (char)(n % 5 == 4 ? 'x' : 0xff);
		end = connection_line_write(line, &writer, &r);
		assert_int_equal(connection_line_read(&reader, line, (size_t)(end - line) - 1, &again), LINE_OK);
		assert_true(reader.cgroup.length <= LINE_TEXT_MAX && reader.cgroup.length >= n);
	}
	line_reader_free(&reader);
}

static void test_hello(void **state)
{
	char line[LINE_MAX_BYTES + 1];
	json_t *root;

	(void)state;
	*line_put_hello(line, "reader", "we\"b", 1000000) = '\0';
	root = parse(line);
	assert_string_equal(json_string_value(json_object_get(root, "host")), "we\"b");
	assert_int_equal(json_integer_value(json_object_get(root, "schema")), 1);
	json_decref(root);
}

static void test_protocol_names_both_ways(void **state)
{
	char name[PROTOCOL_NAME_MAX];
	int is_ip;
	u16 number;

	(void)state;
	for (unsigned int n = 0; n < 65536; n++) {
		size_t length = protocol_name(0, (u16)n, name);

		assert_int_equal(protocol_parse(name, length, &number, &is_ip), 0);
		assert_int_equal(number, n);
		assert_false(is_ip);
	}
	for (u16 n = 0; n < 256; n++) {
		size_t length = protocol_name(6, n, name);

		assert_int_equal(protocol_parse(name, length, &number, &is_ip), 0);
		assert_int_equal(number, n);
		assert_true(is_ip);
	}
	for (const char *const *bad = (const char *const[]){ "", "tcp", "256", "-1", "0x", "0x88CC",
	     "0x12345", "01", "TCPX", NULL }; *bad; bad++)
		assert_int_not_equal(protocol_parse(*bad, strlen(*bad), &number, &is_ip), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packet_line),
		cmocka_unit_test(test_values_that_do_not_exist_are_null),
		cmocka_unit_test(test_icmp_has_type_and_code_but_no_ports),
		cmocka_unit_test(test_random_records_are_json),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_ipv6_as_inet_ntop),
		cmocka_unit_test(test_strings_of_any_bytes),
		cmocka_unit_test(test_interface_names),
		cmocka_unit_test(test_readers_take_any_cgroup),
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_protocol_names_both_ways),
	};

	return cmocka_run_group_tests_name("line_write", tests, setup, NULL);
}
