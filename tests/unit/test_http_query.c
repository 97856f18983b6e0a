// SPDX-License-Identifier: MIT
/* Targets of requests, and the parameters of /api/flows. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "httpd/flow_query.h"
#include "httpd/query.h"

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

static int parse_flow_query(const char *text, struct flow_query *query, char name[64])
{
	const char *at_fault = "", *why = "";
	struct target target;
	char *copy;
	int err;

	assert_int_equal(parse(text, &target, &copy), 0);
	err = flow_query_parse(&target.query, query, &at_fault, &why);
	snprintf(name, 64, "%s", err ? at_fault : "");
	assert_true(!err || *why);
	free(copy);
	return err;
}

static void test_flow_query(void **state)
{
	struct flow_query query;
	char name[64];

	(void)state;
	assert_int_equal(parse_flow_query("/", &query, name), 0);
	assert_int_equal(query.limit, FLOW_LIMIT_DEFAULT);
	assert_int_equal(query.sort, -1);
	assert_int_equal(query.port, -1);
	assert_int_equal(query.network.family, 0);
	assert_string_equal(query.proto, "");
	assert_int_equal(parse_flow_query("/?limit=10000&sort=rtt_us&proto=icmpV6&port=0&ip=10.9.8.7/12",
					  &query, name), 0);
	assert_int_equal(query.limit, 10000);
	assert_int_equal(query.sort, FLOW_NUMBER_rtt_us);
	assert_string_equal(query.proto, "icmpV6");
	assert_int_equal(query.port, 0);
	assert_int_equal(query.network.family, AF_INET);
	assert_int_equal(query.network.bits, 12);
	assert_int_equal(parse_flow_query("/?ip=2001:db8::1", &query, name), 0);
	assert_int_equal(query.network.family, AF_INET6);
	assert_int_equal(query.network.bits, 128);
}

static void test_bad_flow_query(void **state)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{ "/?limit=0", "limit" }, { "/?limit=10001", "limit" }, { "/?limit=", "limit" },
		{ "/?limit=-1", "limit" }, { "/?limit=1e3", "limit" }, { "/?limit=1K", "limit" },
		{ "/?limit=99999999999999999999", "limit" }, { "/?limit=1&limit=2", "limit" },
		{ "/?sort=", "sort" }, { "/?sort=BPS", "sort" }, { "/?sort=proto", "sort" },
		{ "/?proto=", "proto" }, { "/?proto=0123456789abcdef", "proto" },
		{ "/?port=65536", "port" }, { "/?port=http", "port" }, { "/?port", "port" },
		{ "/?ip=", "ip" }, { "/?ip=10.0.0", "ip" }, { "/?ip=10.0.0.1/33", "ip" },
		{ "/?ip=10.0.0.1/", "ip" }, { "/?ip=::/129", "ip" }, { "/?ip=localhost", "ip" },
		{ "/?ip=::1%25lo", "ip" }, { "/?ip=10.0.0.1/8/8", "ip" },
		{ "/?ip=1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222", "ip" },
		{ "/?limits=1", "limits" }, { "/?limit=1&x=2", "x" }, { "/?=1", "" },
	};
	struct flow_query query;
	char name[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (parse_flow_query(rows[i].text, &query, name) != -EINVAL)
			fail_msg("'%s' is taken", rows[i].text);
		assert_string_equal(name, rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_bad_targets),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_too_many_parameters),
		cmocka_unit_test(test_flow_query),
		cmocka_unit_test(test_bad_flow_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
