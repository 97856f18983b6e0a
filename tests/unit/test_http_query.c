// SPDX-License-Identifier: MIT
/* Targets of requests, and the parameters of lists. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "httpd/json_query.h"
#include "httpd/list_query.h"
#include "httpd/lists.h"
#include "httpd/query.h"
#include "httpd/summary.h"

/* In a block of just its size. */
static int parse(const char *text, struct target *target, char **ret_copy)
{
	*ret_copy = strdup(text);
	assert_non_null(*ret_copy);
	memset(target, 0, sizeof(*target));
	return target_parse(*ret_copy, target);
}

static void test_paths(void **state)
{
	static const struct {
		const char *text, *path, *authority;
	} rows[] = {
		{ "/", "/", NULL },
		{ "/api/flows", "/api/flows", NULL },
		{ "/api/flows?limit=1", "/api/flows", NULL },
		{ "/%61pi", "/api", NULL },
		{ "/a+b", "/a+b", NULL },
		{ "/gr%C3%BC%C3%9Fe", "/gr\xc3\xbc\xc3\x9f" "e", NULL },
		{ "/a%2fb", "/a/b", NULL },
		{ "http://localhost:5000/health?x", "/health", "localhost:5000" },
		{ "HTTPS://[::1]:5000", "/", "[::1]:5000" },
		{ "http://h?a=b", "/", "h" },
	};
	struct target target;
	char *copy;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (parse(rows[i].text, &target, &copy))
			fail_msg("%s is refused", rows[i].text);
		assert_string_equal(target.path, rows[i].path);
		if (rows[i].authority)
			assert_string_equal(target.authority, rows[i].authority);
		else
			assert_null(target.authority);
		free(copy);
	}
}

static void test_bad_targets(void **state)
{
	static const char *const rows[] = {
		"", "*", "api", "?x=1", "/a b", "/a\tb", "/\x80", "/\x7f", "/a#b", "/%", "/%4", "/%4g",
		"/%00", "/a?b=%00", "/?%zz", "/?a=%", "/%ff", "/?a=%c3", "ftp://localhost/", "/\n",
	};
	struct target target;
	char *copy;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (parse(rows[i], &target, &copy) != -EINVAL)
			fail_msg("'%s' is taken", rows[i]);
		free(copy);
	}
}

static void test_parameters(void **state)
{
	struct target target;
	char *copy;

	(void)state;
	assert_int_equal(parse("/x?a=1&b=x%26y+z&&c&d==", &target, &copy), 0);
	assert_int_equal(target.query.count, 4);
	assert_string_equal(target.query.pair[0].name, "a");
	assert_string_equal(target.query.pair[0].value, "1");
	assert_string_equal(target.query.pair[1].value, "x&y z");
	assert_string_equal(target.query.pair[2].name, "c");
	assert_string_equal(target.query.pair[2].value, "");
	assert_string_equal(target.query.pair[3].value, "=");
	free(copy);
}

static void test_too_many_parameters(void **state)
{
	char text[16 + 2 * (QUERY_PAIRS_MAX + 1)] = "/?";
	struct target target;
	char *copy;

	(void)state;
	for (int i = 0; i < QUERY_PAIRS_MAX; i++)
		strcat(text, "a&");
	assert_int_equal(parse(text, &target, &copy), 0);
	assert_int_equal(target.query.count, QUERY_PAIRS_MAX);
	free(copy);
	strcat(text, "a");
	assert_int_equal(parse(text, &target, &copy), -E2BIG);
	free(copy);
}

static int parse_list_query(const struct parameter *table, const char *text, char **ret_copy,
			    struct list_query *query, char name[64])
{
	const char *at_fault = "", *why = "";
	struct target target;
	int err;

	assert_int_equal(parse(text, &target, ret_copy), 0);
	err = list_query_parse(&target.query, table, query, &at_fault, &why);
	snprintf(name, 64, "%s", err ? at_fault : "");
	assert_true(!err || *why);
	return err;
}

static void test_list_query(void **state)
{
	struct list_query query;
	char name[64], *copy;

	(void)state;
	assert_int_equal(parse_list_query(flow_parameters, "/", &copy, &query, name), 0);
	assert_int_equal(query.limit, LIST_LIMIT_DEFAULT);
	assert_null(query.sort);
	assert_null(query.fields);
	assert_int_equal(query.filter_count, 0);
	free(copy);
	assert_int_equal(parse_list_query(flow_parameters,
					  "/?limit=10000&sort=rtt_us&proto=icmpV6&port=0&ip=10.9.8.7/12"
					  "&fields=a_b,c2", &copy, &query, name), 0);
	assert_int_equal(query.limit, 10000);
	assert_string_equal(query.sort, "rtt_us");
	assert_string_equal(query.fields, "a_b,c2");
	assert_int_equal(query.filter_count, 3);
	assert_string_equal(query.filter[0].text, "icmpV6");
	assert_true(query.filter[1].number < 1);
	assert_int_equal(query.filter[2].network.family, AF_INET);
	assert_int_equal(query.filter[2].network.bits, 12);
	free(copy);
	assert_int_equal(parse_list_query(flow_parameters, "/?ip=2001:db8::1", &copy, &query, name), 0);
	assert_int_equal(query.filter[0].network.family, AF_INET6);
	assert_int_equal(query.filter[0].network.bits, 128);
	free(copy);
}

static void test_bad_list_query(void **state)
{
	static const struct {
		const struct parameter *table;
		const char *text, *name;
	} rows[] = {
#define FLOWS(text, name) { flow_parameters, "/?" text, name }
		FLOWS("limit=0", "limit"), FLOWS("limit=10001", "limit"), FLOWS("limit=", "limit"),
		FLOWS("limit=-1", "limit"), FLOWS("limit=1e3", "limit"), FLOWS("limit=1K", "limit"),
		FLOWS("limit=99999999999999999999", "limit"), FLOWS("limit=1&limit=2", "limit"),
		FLOWS("sort=", "sort"), FLOWS("sort=BPS", "sort"), FLOWS("sort=proto", "sort"),
		FLOWS("proto=", "proto"), FLOWS("proto=0123456789abcdef", "proto"),
		FLOWS("port=65536", "port"), FLOWS("port=http", "port"), FLOWS("port", "port"),
		FLOWS("ip=", "ip"), FLOWS("ip=10.0.0", "ip"), FLOWS("ip=10.0.0.1/33", "ip"),
		FLOWS("ip=10.0.0.1/", "ip"), FLOWS("ip=::/129", "ip"), FLOWS("ip=localhost", "ip"),
		FLOWS("ip=::1%25lo", "ip"), FLOWS("ip=10.0.0.1/8/8", "ip"), FLOWS("ip=host", "ip"),
		FLOWS("ip=1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222", "ip"),
		FLOWS("fields=", "fields"), FLOWS("fields=a,", "fields"), FLOWS("fields=,a", "fields"),
		FLOWS("fields=a,,b", "fields"), FLOWS("fields=A", "fields"), FLOWS("fields=%22", "fields"),
		FLOWS("limits=1", "limits"), FLOWS("limit=1&x=2", "x"), FLOWS("=1", ""),
		{ connection_parameters, "/?pid=0", "pid" }, { connection_parameters, "/?pid=-1", "pid" },
		{ connection_parameters, "/?pid=2147483648", "pid" },
		{ connection_parameters, "/?pid=1.5", "pid" },
		{ connection_parameters, "/?command=", "command" },
		{ connection_parameters, "/?command=0123456789012345678901234567890123456789012345678901234567890"
		  "1234", "command" },
		{ connection_parameters, "/?state=OPEN", "state" },
		{ connection_parameters, "/?state=established", "state" },
		{ connection_parameters, "/?since=-1", "since" },
		{ connection_parameters, "/?since=yesterday", "since" },
		{ connection_parameters, "/?since=1000000000000001", "since" },
		{ connection_parameters, "/?sort=bps", "sort" },
		{ process_parameters, "/?ip=10.0.0.1", "ip" },
		{ process_parameters, "/?sort=bytes", "sort" },
		{ remote_parameters, "/?ip=10.0.0.256", "ip" },
		{ drop_parameters, "/?reason=", "reason" }, { drop_parameters, "/?limit=0", "limit" },
		{ latency_parameters, "/?network=all", "network" },
		{ latency_parameters, "/?network=10.0.0.0/", "network" },
		{ NULL, "/?a=1", "a" },
	};
	struct list_query query;
	char name[64], *copy;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (parse_list_query(rows[i].table, rows[i].text, &copy, &query, name) != -EINVAL)
			fail_msg("'%s' is taken", rows[i].text);
		assert_string_equal(name, rows[i].name);
		free(copy);
	}
}

/* In a block of just its size. */
static int parse_json(const char *text, struct json_query *query, char name[64])
{
	const char *at_fault = "", *why = "";
	size_t length = strlen(text);
	char *copy = malloc(length ? length : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, length);
	err = json_query_parse((struct slice){ copy, length }, summary_parameters, query, &at_fault, &why);
	free(copy);
	snprintf(name, 64, "%s", err ? at_fault : "");
	assert_true(!err || *why);
	return err;
}

static void test_json_query(void **state)
{
	static const struct {
		const char *text, *pairs;
	} rows[] = {
		{ "{}", "" },
		{ " {\"pid\": 7 , \"command\":\"a\\u0062\", \"x\":[{}]} ", "pid=7 command=ab " },
		{ "{\"duration\":3600,\"pid\":null}", "duration=3600 " },
		{ "{\"pid\":0,\"command\":\"\",\"duration_seconds\":0}", "" },
		{ "{\"pid\":-9223372036854775808,\"duration\":0}", "pid=-9223372036854775808 duration=0 " },
	};
	struct json_query query;
	char name[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char pairs[200] = "";

		assert_int_equal(parse_json(rows[i].text, &query, name), 0);
		for (size_t j = 0; j < query.query.count; j++)
			snprintf(pairs + strlen(pairs), sizeof(pairs) - strlen(pairs), "%s=%s ",
				 query.query.pair[j].name, query.query.pair[j].value);
		assert_string_equal(pairs, rows[i].pairs);
		json_query_free(&query);
	}
}

static void test_bad_json_query(void **state)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{ "", "the body" }, { "null", "the body" }, { "[]", "the body" }, { "{", "the body" },
		{ "{\"pid\":1}{}", "the body" }, { "{\"pid\":1,\"pid\":1}", "the body" },
		{ "{\"command\":\"\\u0000\"}", "the body" }, { "{\"command\":\"\xff\"}", "the body" },
		{ "{\"pid\":9223372036854775808}", "the body" },
		{ "{\"pid\":\"1\"}", "pid" }, { "{\"pid\":1.0}", "pid" }, { "{\"pid\":false}", "pid" },
		{ "{\"pid\":{}}", "pid" }, { "{\"command\":1}", "command" },
		{ "{\"duration\":\"60\"}", "duration" }, { "{\"duration\":6e1}", "duration" },
	};
	struct json_query query;
	char name[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (parse_json(rows[i].text, &query, name) != -EINVAL)
			fail_msg("%s is taken", rows[i].text);
		assert_string_equal(name, rows[i].name);
		json_query_free(&query);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_bad_targets),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_too_many_parameters),
		cmocka_unit_test(test_list_query),
		cmocka_unit_test(test_bad_list_query),
		cmocka_unit_test(test_json_query),
		cmocka_unit_test(test_bad_json_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
