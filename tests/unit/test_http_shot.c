// SPDX-License-Identifier: MIT
/* A snapshot as it is served: its parts as they were written, its rows filtered and sorted. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "httpd/assets.h"
#include "httpd/json_text.h"
#include "httpd/lists.h"
#include "httpd/query.h"
#include "httpd/shot.h"

static struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static void assert_slice(struct slice slice, const char *text)
{
	if (slice.length != strlen(text) || memcmp(slice.data, text, slice.length))
		fail_msg("'%.*s' is not '%s'", (int)slice.length, slice.data, text);
}

static void test_members(void **state)
{
	const char *text = " { \"a\" : 1.50 , \"b\":\"x\\\"}]\\\\\",\"c\":[{\"d\":[]},\"]\"],"
			   "\"e\":{},\"f\":null,\"g\":-1e5 } ";
	static const char *const expected[][2] = {
		{ "a", "1.50" }, { "b", "\"x\\\"}]\\\\\"" }, { "c", "[{\"d\":[]},\"]\"]" },
		{ "e", "{}" }, { "f", "null" }, { "g", "-1e5" },
	};
	struct slice key, value;
	struct json_walk walk;

	(void)state;
	assert_true(json_walk_enter(&walk, slice_of(text)));
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		assert_true(json_walk_member(&walk, &key, &value));
		assert_slice(key, expected[i][0]);
		assert_slice(value, expected[i][1]);
	}
	assert_false(json_walk_member(&walk, &key, &value));
	assert_true(json_text_get(slice_of(text), "c", &value));
	assert_false(json_text_get(slice_of(text), "d", &value));
	assert_true(json_walk_enter(&walk, slice_of("[ ]")));
	assert_false(json_walk_element(&walk, &value));
	assert_false(json_walk_enter(&walk, slice_of("7")));
}

/* Whatever the text, the walk stays inside and comes to an end. */
static void test_broken_text(void **state)
{
	const char *text = "{\"a\":[1,{\"b\":\"c\\\\\"}],\"d\":\"\\\"\",\"e\":[[],\"x\"]}";

	(void)state;
	for (size_t cut = 0; cut < strlen(text); cut++) {
		char *copy = malloc(cut ? cut : 1);
		struct slice key, value;
		struct json_walk walk;
		int steps = 0;

		assert_non_null(copy);
		memcpy(copy, text, cut);
		if (json_walk_enter(&walk, (struct slice){ copy, cut }))
			while (json_walk_member(&walk, &key, &value))
				assert_true(++steps < 10);
		free(copy);
	}
}

static struct shot *parse(const char *line)
{
	struct shot *shot = NULL;

	assert_int_equal(shot_parse(slice_of(line), &shot), SHOT_SNAPSHOT);
	return shot;
}

static void test_kinds_of_lines(void **state)
{
	static const struct {
		const char *line;
		enum shot_result result;
	} rows[] = {
		{ "{\"type\":\"hello\"}", SHOT_OTHER },
		{ "{\"type\":\"snapshots\"}", SHOT_OTHER },
		{ "{\"type\":7}", SHOT_BAD },
		{ "{}", SHOT_BAD },
		{ "[]", SHOT_BAD },
		{ "7", SHOT_NOT_JSON },
		{ "{\"type\":\"snapshot\"", SHOT_NOT_JSON },
		{ "{\"type\":\"snapshot\"}}", SHOT_NOT_JSON },
		{ "{\"type\":\"snapshot\",\"x\":\"\xff\"}", SHOT_NOT_JSON },
		{ "", SHOT_NOT_JSON },
		{ "{\"type\":\"snapshot\",\"seq\":1,\"seq\":2}", SHOT_BAD },
	};
	static const char zero[] = "{\"type\":\"snapshot\",\"seq\":1,\"x\":7\0}";
	struct shot *shot = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(shot_parse(slice_of(rows[i].line), &shot), rows[i].result);
	assert_int_equal(shot_parse((struct slice){ zero, sizeof(zero) - 1 }, &shot), SHOT_NOT_JSON);
	assert_null(shot);
}

static struct slice message(struct shot *shot, enum topic topic, enum shot_form form)
{
	struct blob *blob = shot_message(shot, topic, form);

	assert_non_null(blob);
	return (struct slice){ blob->data, blob->length };
}

static void test_messages(void **state)
{
	struct shot *shot = parse("{\"type\":\"snapshot\",\"seq\":42,\"interval_ms\":250,"
				  "\"packets\":[1],\r \"timestamp\":1763704001000.000,"
				  "\"flows\":[{}],\"httpd\":1,\"x\":1.10,\"drops\":[ ],"
				  "\"final\":true,\"flow_table\":{\"a\":1}}");
	struct blob *flows;

	(void)state;
	assert_int_equal(shot->seq, 42);
	assert_int_equal(shot->interval_ms, 250);
	assert_slice(shot->timestamp, "1763704001000.000");
	/* A CR would end a line of an event stream. */
	assert_null(memchr(shot->text->data, '\r', shot->text->length));
#define HEAD "\"seq\":42,\"timestamp\":1763704001000.000,\"interval_ms\":250,\"final\":true"
	assert_slice(message(shot, TOPIC_STATS, SHOT_LIMITED),
		     "{\"type\":\"stats\"," HEAD ",\"x\":1.10}");
	assert_slice(message(shot, TOPIC_FLOWS, SHOT_LIMITED),
		     "{\"type\":\"flows\"," HEAD ",\"flows\":[{}],\"flow_table\":{\"a\":1}}");
	assert_slice(message(shot, TOPIC_PACKETS, SHOT_LIMITED),
		     "{\"type\":\"packets\"," HEAD ",\"packets\":[1]}");
	assert_slice(message(shot, TOPIC_DROPS, SHOT_LIMITED),
		     "{\"type\":\"drops\"," HEAD ",\"drops\":[ ]}");
	assert_slice(message(shot, TOPIC_LATENCY, SHOT_LIMITED), "{\"type\":\"latency\"," HEAD "}");
#undef HEAD
	/* Made once; the whole is what was read. */
	flows = shot_message(shot, TOPIC_FLOWS, SHOT_LIMITED);
	assert_ptr_equal(flows, shot_message(shot, TOPIC_FLOWS, SHOT_BARE));
	assert_ptr_equal(shot_message(shot, TOPIC_SNAPSHOT, SHOT_LIMITED), shot->text);
	shot_unref(shot_ref(shot));
	shot_unref(shot);
}

static void test_packets_in_messages(void **state)
{
	static const struct {
		const char *line;
		size_t most;
		const char *snapshot, *packets;
	} rows[] = {
		{ "{\"type\":\"snapshot\",\"packets\":[1,2,3,4],\"packets_left_out\":7,\"x\":1}", 4,
		  "{\"type\":\"snapshot\",\"packets\":[1,2,3,4],\"packets_left_out\":7,\"x\":1}",
		  "{\"type\":\"packets\",\"packets\":[1,2,3,4],\"packets_left_out\":7}" },
		{ "{\"type\":\"snapshot\",\"packets\":[1,2,3,4],\"packets_left_out\":7,\"x\":1}", 2,
		  "{\"type\":\"snapshot\",\"packets\":[2,4],\"packets_left_out\":9,\"x\":1}",
		  "{\"type\":\"packets\",\"packets\":[2,4],\"packets_left_out\":9}" },
		{ "{\"packets_left_out\":1,\"type\":\"snapshot\",\"packets\":[1,2,3]}", 0,
		  "{\"packets\":[],\"packets_left_out\":4,\"type\":\"snapshot\"}",
		  "{\"type\":\"packets\",\"packets\":[],\"packets_left_out\":4}" },
		{ "{\"type\":\"snapshot\",\"packets\":[{},[]]}", 1,
		  "{\"type\":\"snapshot\",\"packets\":[[]],\"packets_left_out\":1}",
		  "{\"type\":\"packets\",\"packets\":[[]],\"packets_left_out\":1}" },
		{ "{\"type\":\"snapshot\",\"packets\":7,\"packets_left_out\":-1e300}", 0,
		  "{\"type\":\"snapshot\",\"packets\":7,\"packets_left_out\":-1e300}",
		  "{\"type\":\"packets\",\"packets\":7,\"packets_left_out\":-1e300}" },
		{ "{\"type\":\"snapshot\",\"packets\":[1,2],\"packets_left_out\":1e300}", 1,
		  "{\"type\":\"snapshot\",\"packets\":[2],\"packets_left_out\":1}",
		  "{\"type\":\"packets\",\"packets\":[2],\"packets_left_out\":1}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct shot *shot = parse(rows[i].line);

		shot_limit_packets(shot, rows[i].most);
		assert_slice(message(shot, TOPIC_SNAPSHOT, SHOT_LIMITED), rows[i].snapshot);
		assert_slice(message(shot, TOPIC_PACKETS, SHOT_LIMITED), rows[i].packets);
		assert_int_equal(shot_message_packets(shot, TOPIC_PACKETS, SHOT_BARE), 0);
		assert_int_equal(shot_message_packets(shot, TOPIC_FLOWS, SHOT_LIMITED), 0);
		assert_int_equal(shot_message_packets(shot, TOPIC_SNAPSHOT, SHOT_LIMITED),
				 shot->packets < rows[i].most ? shot->packets : rows[i].most);
		shot_unref(shot);
	}
}

/* Whatever the limit, so many are shown, in order, and the others counted. */
static void test_packets_are_chosen_evenly(void **state)
{
	for (size_t most = 0; most <= 12; most++) {
		struct shot *shot = parse("{\"type\":\"snapshot\",\"packets\":"
					  "[1,2,3,4,5,6,7,8,9,10],\"packets_left_out\":0}");
		struct slice text;
		json_t *root, *packets, *packet;
		json_int_t last = 0;
		size_t i, shown = most < 10 ? most : 10;

		(void)state;
		shot_limit_packets(shot, most);
		text = message(shot, TOPIC_PACKETS, SHOT_LIMITED);
		root = json_loadb(text.data, text.length, 0, NULL);
		assert_non_null(root);
		packets = json_object_get(root, "packets");
		assert_int_equal(json_array_size(packets), shown);
		assert_int_equal(json_integer_value(json_object_get(root, "packets_left_out")),
				 10 - shown);
		json_array_foreach(packets, i, packet) {
			json_int_t gap = json_integer_value(packet) - last;

			assert_in_range(gap, 10 / shown, (10 + shown - 1) / shown);
			last = json_integer_value(packet);
		}
		json_decref(root);
		shot_unref(shot);
	}
}

static void test_topics(void **state)
{
	static const struct {
		const char *text;
		int result;
		unsigned int set;
		const char *unknown;
	} rows[] = {
		{ "", 0, 0, NULL },
		{ "flows", 0, TOPIC_BIT(TOPIC_FLOWS), NULL },
		{ "latency,snapshot,latency", 0,
		  TOPIC_BIT(TOPIC_LATENCY) | TOPIC_BIT(TOPIC_SNAPSHOT), NULL },
		{ "flow", -EINVAL, 0, "flow" },
		{ "flows,Stats", -EINVAL, 0, "Stats" },
		{ "flows,", -EINVAL, 0, "" },
		{ ",flows", -EINVAL, 0, "" },
		{ "flows, stats", -EINVAL, 0, " stats" },
	};
	struct body body = { 0 };
	struct slice unknown;
	unsigned int set;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(topics_parse(rows[i].text, &set, &unknown), rows[i].result);
		if (rows[i].result)
			assert_slice(unknown, rows[i].unknown);
		else
			assert_int_equal(set, rows[i].set);
	}
	assert_int_equal(topics_parse(topics_known(), &set, &unknown), -EINVAL);
	topics_write(TOPIC_BIT(TOPIC_STATS) | TOPIC_BIT(TOPIC_DROPS), &body);
	topics_write(0, &body);
	assert_slice((struct slice){ body.data, body.length }, "[\"stats\",\"drops\"][]");
	free(body.data);
}

static const char *const port_keys[] = { "src_port", NULL };

static void test_odd_snapshots(void **state)
{
	static const char *const lines[] = {
		"{\"type\":\"snapshot\"}",
		"{\"type\":\"snapshot\",\"flows\":null,\"interval_ms\":-5,\"seq\":\"x\",\"timestamp\":[]}",
		"{\"type\":\"snapshot\",\"flows\":{\"a\":1},\"interval_ms\":1e99}",
		"{\"type\":\"snapshot\",\"flows\":[],\"interval_ms\":99999999999}",
		"{\"type\":\"snapshot\",\"flows\":[1,null,\"x\",[],{},{\"src_ip\":7,\"src_port\":\"x\"}]}",
	};
	static const struct parameter port = { "port", PARAMETER_NUMBER, "", .keys = port_keys };
	static const struct list_query all, some = {
		.sort = "bps", .filter_count = 1, .filter[0] = { .parameter = &port, .text = "7" },
	};
	struct list list, other;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct shot *shot = parse(lines[i]);

		assert_int_equal(shot->interval_ms, 1000);
		for (int topic = 0; topic < TOPIC_COUNT; topic++)
			assert_non_null(shot_message(shot, topic, SHOT_BARE));
		assert_int_equal(shot->timestamp_ms, 0);
		assert_int_equal(list_select(&all, shot_part(shot, "flows"), &list), 0);
		assert_int_equal(list.total, i == 4 ? 6 : 0);
		assert_int_equal(list.matched, list.total);
		assert_int_equal(list_select(&some, shot_part(shot, "flows"), &other), 0);
		assert_int_equal(other.matched, 0);
		free(list.rows);
		free(other.rows);
		shot_unref(shot);
	}
}

static const char flows_line[] =
	"{\"type\":\"snapshot\",\"flows\":["
	"{\"n\":0,\"proto\":\"TCP\",\"src_ip\":\"10.0.0.1\",\"src_port\":50000,\"dst_ip\":\"10.0.0.2\","
	"\"dst_port\":443,\"bps\":100,\"bytes\":5,\"rtt_us\":null},"
	"{\"n\":1,\"proto\":\"ICMPv6\",\"src_ip\":\"fe80::1\",\"src_port\":null,\"dst_ip\":\"2001:db8::2\","
	"\"dst_port\":null,\"bps\":50,\"bytes\":5,\"rtt_us\":7},"
	"{\"n\":2,\"proto\":\"UDP\",\"src_ip\":\"192.168.1.1\",\"src_port\":53,\"dst_ip\":\"10.0.0.1\","
	"\"dst_port\":50001,\"bps\":25,\"bytes\":1e3,\"rtt_us\":9},"
	"{\"n\":3,\"proto\":\"0x88cc\",\"src_ip\":null,\"dst_ip\":null,\"bps\":1}]}";

/* The rows' "n" in the order in which they are found. */
static void assert_order(const struct parameter *table, struct slice array, const char *target_text,
			 const char *expected)
{
	char *text = strdup(target_text), order[16] = "";
	const char *name, *why;
	struct list_query query;
	struct target target;
	struct list list;

	assert_int_equal(target_parse(text, &target), 0);
	assert_int_equal(list_query_parse(&target.query, table, &query, &name, &why), 0);
	assert_int_equal(list_select(&query, array, &list), 0);
	assert_true(list.matched < sizeof(order));
	for (size_t i = 0; i < list.matched; i++)
		order[i] = list.rows[i].text.data[5];
	if (strcmp(order, expected))
		fail_msg("%s gives %s", target_text, order);
	free(list.rows);
	free(text);
}

static void test_flow_selection(void **state)
{
	static const struct {
		const char *target, *order;
	} rows[] = {
		{ "/", "0123" },
		{ "/?sort=bps", "0123" },
		{ "/?sort=bytes", "2013" },
		{ "/?sort=rtt_us", "2103" },
		{ "/?sort=last", "0123" },
		{ "/?proto=tcp", "0" },
		{ "/?proto=icmpv6", "1" },
		{ "/?proto=0X88CC", "3" },
		{ "/?proto=SCTP", "" },
		{ "/?port=443", "0" },
		{ "/?port=50000", "0" },
		{ "/?port=53", "2" },
		{ "/?port=0", "" },
		{ "/?ip=10.0.0.1", "02" },
		{ "/?ip=10.0.0.0/31", "02" },
		{ "/?ip=10.0.0.2/31", "0" },
		{ "/?ip=10.255.0.0/8", "02" },
		{ "/?ip=0.0.0.0/0", "02" },
		{ "/?ip=::/0", "1" },
		{ "/?ip=2001:db8::/32", "1" },
		{ "/?ip=2001:db9::/31", "1" },
		{ "/?ip=2001:db9::/32", "" },
		{ "/?ip=::ffff:10.0.0.1", "" },
		{ "/?ip=10.0.0.1&proto=udp&port=53&sort=bytes", "2" },
	};
	struct shot *shot = parse(flows_line);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_order(flow_parameters, shot_part(shot, "flows"), rows[i].target, rows[i].order);
	shot_unref(shot);
}

static void test_connection_selection(void **state)
{
	static const char line[] =
		"[{\"n\":0,\"state\":\"open\",\"pid\":7,\"command\":\"a \\\"b\\u00fc\",\"started\":1000.5,\"ended\":null},"
		"{\"n\":1,\"state\":\"failed\",\"pid\":70,\"command\":\"a\",\"started\":900,\"ended\":2000},"
		"{\"n\":2,\"state\":\"closed\",\"pid\":null,\"command\":null,\"started\":null,\"ended\":1500}]";
	static const struct {
		const char *target, *order;
	} rows[] = {
		{ "/?pid=7", "0" }, { "/?pid=70", "1" }, { "/?pid=8", "" },
		{ "/?command=a", "1" }, { "/?command=A", "" }, { "/?command=a+%22b%C3%BC", "0" },
		{ "/?command=a+%22b", "" }, { "/?command=null", "" },
		{ "/?state=open", "0" }, { "/?state=connecting", "" },
		{ "/?since=0", "012" }, { "/?since=1000", "012" }, { "/?since=1001", "12" },
		{ "/?since=1501", "1" }, { "/?since=2001", "" },
		{ "/?sort=ended", "120" }, { "/?sort=started&limit=1", "012" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_order(connection_parameters, slice_of(line), rows[i].target, rows[i].order);
}

static void test_network_selection(void **state)
{
	static const char line[] =
		"[{\"n\":0,\"network\":null},{\"n\":1,\"network\":\"10.0.0.0/24\"},"
		"{\"n\":2,\"network\":\"2001:db8::/48\"},{\"n\":3,\"network\":\"10.0.1.0/24\"}]";
	static const struct {
		const char *target, *order;
	} rows[] = {
		{ "/", "0123" }, { "/?network=host", "0" }, { "/?network=10.0.0.0/24", "1" },
		{ "/?network=10.0.0.77", "1" }, { "/?network=10.0.0.0/16", "13" },
		{ "/?network=2001:db8:0:5::1", "2" }, { "/?network=::/0", "2" },
		{ "/?network=192.0.2.0/24", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_order(latency_parameters, slice_of(line), rows[i].target, rows[i].order);
}

static void test_fields(void **state)
{
	static const struct {
		const char *fields, *row, *text;
	} rows[] = {
		{ NULL, "{ \"a\": 1 }", "{ \"a\": 1 }" },
		{ "a", "{\"ab\":1,\"a\":[2],\"b\":\"x\"}", "{\"a\":[2]}" },
		{ "b,ab", "{\"ab\":1.50,\"a\":[2],\"b\":\"x\"}", "{\"ab\":1.50,\"b\":\"x\"}" },
		{ "c", "{\"a\":1}", "{}" },
		{ "a", "7", "7" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct list_query query = { .fields = rows[i].fields };
		struct body body = { 0 };

		list_write_row(&query, slice_of(rows[i].row), &body);
		assert_slice((struct slice){ body.data, body.length }, rows[i].text);
		free(body.data);
	}
}

static void test_strings(void **state)
{
	static const struct {
		const char *json, *text;
	} rows[] = {
		{ "\"\"", "" }, { "\"abc\"", "abc" }, { "\"a\\\"\\\\\\/b\"", "a\"\\/b" },
		{ "\"\\b\\f\\n\\r\\t\"", "\b\f\n\r\t" }, { "\"\\u0041\\u00fC\"", "A\xc3\xbc" },
		{ "\"\\u20ac\"", "\xe2\x82\xac" }, { "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80" },
		{ "\"\\ud83dx\"", "\xef\xbf\xbdx" }, { "\"\\u0000\"", "\xef\xbf\xbd" },
		{ "\"\xc3\xbc\"", "\xc3\xbc" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_true(json_text_copy(slice_of(rows[i].json), text, sizeof(text)));
		assert_string_equal(text, rows[i].text);
		assert_true(json_text_is(slice_of(rows[i].json), rows[i].text));
		assert_false(json_text_is(slice_of(rows[i].json), "else"));
		assert_false(*rows[i].text && json_text_is(slice_of(rows[i].json), ""));
	}
	/* Cut off between characters. */
	assert_true(json_text_copy(slice_of("\"ab\xc3\xbc\""), text, 4));
	assert_string_equal(text, "ab");
	assert_false(json_text_copy(slice_of("null"), text, sizeof(text)));
	assert_string_equal(text, "");
	assert_false(json_text_is(slice_of("7"), "7"));
	/* Zeroes, which no JSON has: not what stands behind the end of the text. */
	assert_false(json_text_is((struct slice){ "\"a\0b\"", 5 }, "a\0b"));
	assert_true(isnan(json_text_number(slice_of("null"))));
	assert_true(json_text_number(slice_of("-1.5}")) < -1.4);
}

static void test_types(void **state)
{
	(void)state;
	assert_string_equal(assets_type("/"), "text/html; charset=utf-8");
	assert_string_equal(assets_type("/a/b.js"), "text/javascript; charset=utf-8");
	assert_string_equal(assets_type("/a.b/c"), "application/octet-stream");
	assert_string_equal(assets_type("/c"), "application/octet-stream");
	assert_null(assets_find("/../main.c"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_broken_text),
		cmocka_unit_test(test_kinds_of_lines),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_packets_in_messages),
		cmocka_unit_test(test_packets_are_chosen_evenly),
		cmocka_unit_test(test_topics),
		cmocka_unit_test(test_odd_snapshots),
		cmocka_unit_test(test_flow_selection),
		cmocka_unit_test(test_connection_selection),
		cmocka_unit_test(test_network_selection),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
