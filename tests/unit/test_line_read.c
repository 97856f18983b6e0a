// SPDX-License-Identifier: MIT
/* Lines to records: what the writer makes is read, and written again to the letter. */
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

static struct line_reader reader;
static struct line_writer writer;

static int setup(void **state)
{
	(void)state;
	line_write_init();
	line_writer_init(&writer);
	line_reader_init(&reader);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	line_reader_free(&reader);
	return 0;
}

/* The line on the heap with just the padding that is promised, for ASan. */
static char *padded(const char *line, size_t length)
{
	char *copy = malloc(length + LINE_READ_PADDING);

	memcpy(copy, line, length);
	memset(copy + length, '"', LINE_READ_PADDING);
	copy[length] = '\n';
	return copy;
}

/* A record of any kind. */
union record {
#define LINE(name, record, producer, what) struct record name;
#include "common/events.def"
};

/* What there is of each LINE of events.def. */
static const struct kind {
	const char *name;
	size_t bytes;
	enum line_status (*read)(struct line_reader *lr, const char *line, size_t length, void *ret);
	char *(*write)(char *p, struct line_writer *w, const void *r);
} kinds[] = {
#define LINE(name, record, producer, what) \
	{ #name, sizeof(struct record), \
	  (enum line_status (*)(struct line_reader *, const char *, size_t, void *))name##_line_read, \
	  (char *(*)(char *, struct line_writer *, const void *))name##_line_write },
#include "common/events.def"
};

static const struct kind *kind_of(const char *line)
{
	json_t *root = json_loads(line, 0, NULL);
	const char *type = json_string_value(json_object_get(root, "type"));
	const struct kind *found = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (type && !strcmp(type, kinds[i].name))
			found = &kinds[i];
	json_decref(root);
	return found;
}

/* The text as the writer wants it: terminated, and longer-lived than the line. */
static const char *kept(struct line_text text, char copy[LINE_TEXT_MAX + 1])
{
	if (!text.text)
		return NULL;
	memcpy(copy, text.text, text.length);
	copy[text.length] = '\0';
	return copy;
}

/* Gives the writer what a line says beside its record. */
static void keep_texts(void)
{
	static char ifname[LINE_TEXT_MAX + 1], cgroup[LINE_TEXT_MAX + 1], service[LINE_TEXT_MAX + 1],
		reason[LINE_TEXT_MAX + 1], location[LINE_TEXT_MAX + 1];

	line_writer_name(&writer, 0, kept(reader.ifname, ifname));
	writer.cgroup = kept(reader.cgroup, cgroup);
	writer.service = kept(reader.service, service);
	writer.reason = kept(reader.reason, reason);
	writer.location = kept(reader.location, location);
}

static enum line_status read_kind(const struct kind *kind, const char *line, void *r)
{
	size_t length = strlen(line);
	char *copy = padded(line, length);
	enum line_status status;
	struct line_text type;

	reader.ifname.text = reader.cgroup.text = reader.service.text = NULL;
	reader.reason.text = reader.location.text = NULL;
	status = kind->read(&reader, copy, length, r);
	if (status == LINE_OK)
		keep_texts();
	line_type(copy, length, &type);
	free(copy);
	return status;
}

static enum line_status read_packet(const char *line, struct packet_record *r)
{
	return read_kind(&kinds[0], line, r);
}

static void again(const char *line)
{
	const struct kind *kind = kind_of(line);
	char written[LINE_MAX_BYTES + 1];
	union record r;

	assert_non_null(kind);
	if (read_kind(kind, line, &r) != LINE_OK)
		fail_msg("not read: %s", line);
	*(kind->write(written, &writer, &r) - 1) = '\0';
	assert_string_equal(written, line);
}

/* Calls check with each line of a golden file; returns how many. */
static int each_line(const char *path, void (*check)(const char *line))
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	int n = 0;

	if (!f)
		fail_msg("%s cannot be opened: run from the top of the tree", path);
	for (; getline(&line, &size, f) > 0; n++) {
		line[strcspn(line, "\n")] = '\0';
		check(line);
	}
	free(line);
	fclose(f);
	return n;
}

static void each_golden(void (*check)(const char *line))
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "tests/golden/%s.ndjson", kinds[i].name);
		assert_true(each_line(path, check) > 3);
	}
}

static void test_golden_lines(void **state)
{
	(void)state;
	each_golden(again);
}

/* The same line as jansson writes it with its keys in another order, and loosely. */
static void reordered_again(const char *line)
{
	static const size_t styles[] = { JSON_SORT_KEYS, JSON_SORT_KEYS | JSON_COMPACT,
					 JSON_SORT_KEYS | JSON_ENSURE_ASCII };
	const struct kind *kind = kind_of(line);

	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		json_t *root = json_loads(line, 0, NULL);
		union record want, got;
		char *text;

		json_object_set_new(root, "zzz", json_pack("{s:[i,{}],s:s}", "a", 1, "b", "\"\\\x01"));
		json_object_set_new(root, "a", json_null());
		text = json_dumps(root, styles[i] | JSON_REAL_PRECISION(16));
		assert_int_equal(read_kind(kind, line, &want), LINE_OK);
		assert_int_equal(read_kind(kind, text, &got), LINE_OK);
		assert_memory_equal(&got, &want, kind->bytes);
		free(text);
		json_decref(root);
	}
}

static void test_any_order_spacing_and_unknown_keys(void **state)
{
	(void)state;
	each_golden(reordered_again);
}

/* The members of a good packet line behind its type, some of them as they are given. */
#define GOOD(ifname, proto, length, tcp_flags) \
	"\"timestamp\":1.5," ifname ",\"direction\":\"egress\",\"cpu\":0,\"ip_version\":4," \
	proto ",\"src_ip\":\"1.2.3.4\",\"dst_ip\":\"1.2.3.5\",\"src_port\":1,\"dst_port\":2," \
	length ",\"payload_length\":0," tcp_flags ",\"icmp_type\":null,\"icmp_code\":null," \
	"\"ttl\":64,\"vlan\":null,\"fragment\":false,\"malformed\":false"
#define GOOD_NAME "\"ifname\":\"e\""
#define GOOD_PROTO "\"proto\":\"TCP\""
#define GOOD_LENGTH "\"length\":66"
#define GOOD_FLAGS "\"tcp_flags\":\"S\""
#define GOOD_REST GOOD(GOOD_NAME, GOOD_PROTO, GOOD_LENGTH, GOOD_FLAGS)
#define WITH_LENGTH(length) GOOD(GOOD_NAME, GOOD_PROTO, length, GOOD_FLAGS)

/* 16 levels */
#define DEEP(value) "[[[[[[[[[[[[[[[[" value "]]]]]]]]]]]]]]]]"

static void test_spellings_that_mean_the_same(void **state)
{
	static const char *const lines[] = {
		"{\"type\":\"packet\"," GOOD_REST "}",
		" {\t\"type\" : \"packet\" ," GOOD_REST " } ",
		"{\"type\":\"packet\"," WITH_LENGTH("\"len\\u0067th\":66") "}",
		"{\"type\":\"packet\"," GOOD_REST ",\"deep\":[[[[{\"a\":[]}]]]],\"n\":-1.5e+10}",
		"{\"type\":\"packet\"," GOOD(GOOD_NAME, "\"proto\":\"T\\u0043P\"", GOOD_LENGTH, GOOD_FLAGS) "}",
		"{" GOOD_REST ",\"type\":\"pac\\u006bet\"}",
		"{\"type\":\"packet\"," WITH_LENGTH("\"length\":6.6e1") "}",
		"{\"type\":\"packet\"," WITH_LENGTH("\"length\":66.0") "}",
		"{\"type\":\"packet\"," GOOD_REST ",\"a\\\"b\":{\"\\\\\":[]}}",
		"{\"type\":\"packet\"," GOOD_REST ",\"big\":12345678901234567890123}",
		"{\"type\":\"packet\"," GOOD_REST ",\"a\\u0022b\":12345678901234567890123}",
		"{\"type\":\"packet\"," GOOD_REST ",\"host\":null}",
		"{\"type\":\"packet\"," GOOD_REST ",\"deep\":" DEEP(DEEP(DEEP("1"))) "}",
	};
	struct packet_record want, got;

	(void)state;
	assert_int_equal(read_packet(lines[0], &want), LINE_OK);
	assert_int_equal(want.time_ns, 1500000);
	assert_int_equal(want.key.direction, DIRECTION_EGRESS);
	for (size_t i = 1; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (read_packet(lines[i], &got) != LINE_OK)
			fail_msg("not read: %s", lines[i]);
		assert_memory_equal(&got, &want, sizeof(got));
	}
}

/* Of two values nobody can say which one counts: others who read the line take the first, or the last. */
static void test_no_key_comes_twice(void **state)
{
	static const char *const lines[] = {
		"{\"type\":\"packet\"," GOOD_REST ",\"length\":66}",
		"{\"type\":\"packet\"," GOOD_REST ",\"length\":67}",
		"{\"type\":\"packet\",\"len\\u0067th\":66," GOOD_REST "}",
		"{\"type\":\"packet\"," GOOD_REST ",\"type\":\"packet\"}",
		"{\"type\":\"packet\"," GOOD_REST ",\"type\":\"flow\"}",
		"{\"type\":\"packet\"," GOOD_REST ",\"host\":\"a\",\"host\":\"b\"}",
		"{\"type\":\"packet\",\"ifname\":\"x\"," GOOD_REST "}",
		"{\"length\":66," GOOD_REST ",\"type\":\"packet\"}",
	};
	struct packet_record r;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(read_packet(lines[i], &r), LINE_WRONG_TYPE);
	assert_int_equal(read_packet("{\"type\":\"packet\"," GOOD_REST ",\"length\":66", &r), LINE_NOT_JSON);
}

/* Room for an interface's name is bounded, whatever a line says. */
static void test_long_names(void **state)
{
	static const char *const spellings[] = { "x", "\\n", "\\u00e9" };
	struct packet_record r;
	char line[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
		for (size_t n = 100; n <= LINE_TEXT_MAX + 1; n++) {
			size_t bytes = i == 2 ? 2 * n : n;
			char name[6 * (LINE_TEXT_MAX + 1) + 1], *p = name;

			for (size_t k = 0; k < n; k++)
				p = stpcpy(p, spellings[i]);
			sprintf(line, "{\"type\":\"packet\"," GOOD("\"ifname\":\"%s\"", GOOD_PROTO, GOOD_LENGTH,
								     GOOD_FLAGS) "}", name);
			assert_int_equal(read_packet(line, &r), bytes <= LINE_TEXT_MAX ? LINE_OK : LINE_WRONG_TYPE);
			if (bytes <= LINE_TEXT_MAX)
				assert_int_equal(reader.ifname.length, bytes);
		}
}

static void test_host_key_overrides(void **state)
{
	static const char line[] = "{\"type\":\"packet\",\"host\":\"db1\"," GOOD_REST "}";
	struct packet_record r;
	char *copy;

	(void)state;
	assert_int_equal(read_packet("{\"type\":\"packet\"," GOOD_REST "}", &r), LINE_OK);
	assert_null(reader.host.text);
	copy = padded(line, sizeof(line) - 1);
	assert_int_equal(packet_line_read(&reader, copy, sizeof(line) - 1, &r), LINE_OK);
	assert_int_equal(reader.host.length, 3);
	assert_memory_equal(reader.host.text, "db1", 3);
	free(copy);
}

static void test_wrong_types(void **state)
{
	/* Each comes behind the good keys, and the last of two counts. */
	static const char *const bad[] = {
		"\"length\":\"66\"", "\"length\":-1", "\"length\":1.5", "\"length\":4294967296",
		"\"length\":null",
		"\"cpu\":65536", "\"src_port\":65536", "\"src_port\":\"1\"", "\"ttl\":256", "\"vlan\":4096",
		"\"direction\":\"up\"", "\"direction\":null", "\"ip_version\":5", "\"ip_version\":6",
		"\"ip_version\":null", "\"proto\":\"tcp\"", "\"proto\":6", "\"proto\":\"ARP\"",
		"\"src_ip\":\"1.2.3\"", "\"src_ip\":\"1.2.3.256\"", "\"src_ip\":\"::1\"", "\"src_ip\":1",
		"\"src_ip\":null", "\"tcp_flags\":\"X\"", "\"tcp_flags\":7", "\"fragment\":0",
		"\"fragment\":\"true\"", "\"timestamp\":\"1\"", "\"timestamp\":-1", "\"timestamp\":null",
		"\"timestamp\":18446744073710", "\"timestamp\":1e300", "\"src_port\":null",
		"\"dst_port\":null",
		"\"icmp_type\":8", "\"icmp_type\":8,\"icmp_code\":0", "\"host\":1",
		"\"length\":123456789012345678901",
		"\"ifname\":1", "\"ifname\":null", "\"icmp_type\":256", "\"length\":[66]", "\"length\":{}",
	};
	struct packet_record r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char line[1024];

		snprintf(line, sizeof(line), "{\"type\":\"packet\"," GOOD_REST ",%s}", bad[i]);
		if (read_packet(line, &r) != LINE_WRONG_TYPE)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(read_packet("{\"type\":\"packet\"}", &r), LINE_WRONG_TYPE);
	assert_int_equal(read_packet("[]", &r), LINE_WRONG_TYPE);
	assert_int_equal(read_packet("{" GOOD_REST "}", &r), LINE_WRONG_TYPE);
	assert_int_equal(read_packet("{\"type\":7," GOOD_REST "}", &r), LINE_WRONG_TYPE);
	assert_int_equal(read_packet("{\"type\":\"flow\"," GOOD_REST "}", &r), LINE_OTHER_TYPE);
	assert_int_equal(read_packet("{" GOOD_REST ",\"typ\\u0065\":\"flow\"}", &r), LINE_OTHER_TYPE);
}

static void test_not_json(void **state)
{
	static const char *const bad[] = {
		"", "{", "}", "packet", "{\"type\":\"packet\"", "{\"type\":\"packet\"," GOOD_REST,
		"{\"type\":\"packet\"," GOOD_REST ",}", "{\"type\":\"packet\"," GOOD_REST "}}",
		"{\"type\":\"packet\"," GOOD_REST "} x", "{\"type\":\"packet\",\"length\":01," GOOD_REST "}",
		"{\"type\":\"packet\",\"length\":+1," GOOD_REST "}",
		"{\"type\":\"packet\",'a':1," GOOD_REST "}",
		"{\"type\":\"packet\",\"a\":nul," GOOD_REST "}",
		"{\"type\":\"packet\",\"a\":\"\x01\"," GOOD_REST "}",
	};
	struct packet_record r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_packet(bad[i], &r) != LINE_NOT_JSON)
			fail_msg("accepted: %s", bad[i]);
}

static void test_cut_at_every_length(void **state)
{
	static const char line[] = "{\"type\":\"packet\"," GOOD_REST "}";
	struct packet_record r;
	char cut[sizeof(line)];

	(void)state;
	for (size_t length = 0; length < sizeof(line) - 1; length++) {
		memcpy(cut, line, length);
		cut[length] = '\0';
		assert_int_not_equal(read_packet(cut, &r), LINE_OK);
	}
}

static void test_line_type(void **state)
{
	static const struct {
		const char *line;
		enum line_status status;
		const char *type;
	} rows[] = {
		{ "{\"type\":\"packet\"}", LINE_OK, "packet" },
		{ "{\"a\":1,\"type\":\"flow\"}", LINE_OK, "flow" },
		{ "{\"a\":[{}],\"type\":\"flow\"}", LINE_OK, "flow" },
		{ "{\"typ\\u0065\":\"hello\"}", LINE_OK, "hello" },
		{ "{\"a\":{\"type\":\"x\"},\"type\":\"new\\u0020one\"}", LINE_OK, "?" },
		{ "{\"a\":1}", LINE_WRONG_TYPE, NULL },
		{ "{\"type\":1}", LINE_WRONG_TYPE, NULL },
		{ "[1]", LINE_WRONG_TYPE, NULL },
		{ "{\"type\":", LINE_NOT_JSON, NULL },
		{ "", LINE_NOT_JSON, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *copy = padded(rows[i].line, strlen(rows[i].line));
		struct line_text type;

		assert_int_equal(line_type(copy, strlen(rows[i].line), &type), rows[i].status);
		if (rows[i].type) {
			assert_int_equal(type.length, strlen(rows[i].type));
			assert_memory_equal(type.text, rows[i].type, type.length);
		}
		free(copy);
	}
}

static void random_key(struct flow_key *key)
{
	static const u8 versions[] = { 0, 4, 6 };
	static const u16 protocols[] = { 6, 17, 1, 58, 132, 253, 0 };

	memset(key, 0, sizeof(*key));
	key->ip_version = versions[rand() % 3];
	key->protocol = key->ip_version ? protocols[rand() % 7] : (u16)rand();
	key->vlan = rand() % 2 ? VLAN_NONE : (u16)(rand() & 4095);
	key->direction = (u8)(rand() % 2);
	for (int i = 0; i < (key->ip_version == 6 ? 16 : key->ip_version); i++) {
		key->src_ip[i] = rand() % 2 ? (u8)rand() : 0;
		key->dst_ip[i] = rand() % 2 ? (u8)rand() : 0;
	}
	if (key->ip_version && rand() % 2) {
		bool icmp = key->protocol == 1 || key->protocol == 58;

		key->flags = icmp ? FLOW_ICMP : FLOW_PORTS;
		key->src_port_be = __builtin_bswap16((u16)(icmp ? rand() & 255 : rand()));
		key->dst_port_be = __builtin_bswap16((u16)(icmp ? rand() & 255 : rand()));
	}
	if (rand() % 8 == 0)
		key->flags |= FLOW_FRAGMENT;
	if (!key->ip_version)
		key->flags |= FLOW_NO_ADDRESS;
}

/* Every record that the kernel can make comes back as it was, to the microsecond. */
static void test_random_records_come_back(void **state)
{
	char line[LINE_MAX_BYTES + 1];

	(void)state;
	srand(11);
	for (int i = 0; i < 50000; i++) {
		struct packet_record p = { .time_ns = ((u64)rand() << 30 ^ (u64)rand()) / 1000 * 1000,
					   .length = (u32)rand(), .payload_length = (u32)rand(),
					   .cpu = (u16)rand(), .malformed = (u8)(rand() % 2) }, got;

		random_key(&p.key);
		if (p.key.ip_version && p.key.protocol == 6)
			p.tcp_flags = (u8)rand();
		if (p.key.ip_version)
			p.ttl = (u8)rand();
		*(packet_line_write(line, &writer, &p) - 1) = '\0';
		if (read_packet(line, &got) != LINE_OK)
			fail_msg("not read: %s", line);
		assert_memory_equal(&got, &p, sizeof(p));
	}
}

/*
 * Names are remembered, so each comes after others, those of the same beginning and hash
 * among them: a serial stands for one name, and a name without one is still told.
 */
static void test_interface_names_that_take_turns(void **state)
{
	static const char *const names[] = {
		"eth0", "eth1", "eth", "eth0.100", "", "e", "enp0s31f6", "enp0s31f6.4094", "fifteen_letters",
		"sixteen__letters", "seventeen_letters", "a\\u0041\\n", "\xc3\xa9th0", "wlan0", "wlan1", "lo",
		"veth000001", "veth000002", "veth000003", "veth000004", "veth000005", "veth000006", "veth000007",
	};
	const size_t n = sizeof(names) / sizeof(names[0]);
	char line[512], seen[1024][32] = { { 0 } };

	(void)state;
	for (u32 round = 0; round < 300; round++) {
		const char *name = names[round < 2 * n ? round % n : (size_t)rand() % n];
		struct line_text want = { name, strlen(name) };
		struct packet_record got;
		char *copy;

		sprintf(line, "{\"type\":\"packet\",\"timestamp\":1.5,\"ifname\":\"%s\",%s}", name,
			strstr(GOOD_REST, "\"direction\""));
		copy = padded(line, strlen(line));
		assert_int_equal(packet_line_read(&reader, copy, strlen(line), &got), LINE_OK);
		if (strchr(name, '\\'))
			want = (struct line_text){ "aA\n", 3 };
		assert_int_equal(reader.ifname.length, want.length);
		assert_memory_equal(reader.ifname.text, want.text, want.length);
		free(copy);
		assert_true(reader.ifname_serial < 1024);
		assert_int_equal(!reader.ifname_serial, want.length > 15 || want.text != name);
		if (reader.ifname_serial && *seen[reader.ifname_serial])
			assert_string_equal(seen[reader.ifname_serial] + 1, name);
		sprintf(seen[reader.ifname_serial], "=%s", name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interface_names_that_take_turns),
		cmocka_unit_test(test_golden_lines),
		cmocka_unit_test(test_any_order_spacing_and_unknown_keys),
		cmocka_unit_test(test_spellings_that_mean_the_same),
		cmocka_unit_test(test_no_key_comes_twice),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_host_key_overrides),
		cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_not_json),
		cmocka_unit_test(test_cut_at_every_length),
		cmocka_unit_test(test_line_type),
		cmocka_unit_test(test_random_records_come_back),
	};

	return cmocka_run_group_tests_name("line_read", tests, setup, teardown);
}
