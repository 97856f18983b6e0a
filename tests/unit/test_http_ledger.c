// SPDX-License-Identifier: MIT
/* What an hour of snapshots adds up to: windows, processes, drops, bounds. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "httpd/ledger.h"
#include "httpd/shot.h"

#define T0 1763704000000LL
#define CONNECT(pid, command, ip, direction, opened, failed) \
	"{\"host\":\"h\",\"pid\":" pid ",\"command\":" command ",\"uid\":0,\"proto\":\"TCP\",\"dst_ip\":\"" ip \
	"\",\"dst_port\":443,\"direction\":\"" direction "\",\"opened\":" opened ",\"failed\":" failed "}"
#define DROP(reason, proto, packets, pps) \
	"{\"host\":\"h\",\"reason\":\"" reason "\",\"reason_code\":3,\"proto\":" proto ",\"packets\":" packets \
	",\"bytes\":" packets "0,\"pps\":" pps "}"

static const struct ledger_who everyone;

struct fixture {
	struct bounds bounds;
	struct ledger ledger;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	bounds_init(&f->bounds);
	ledger_init(&f->ledger, &f->bounds);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ledger_free(&f->ledger);
	assert_int_equal(f->ledger.rows, 0);
	free(f);
	return 0;
}

/* A snapshot at T0 + ms with the members. */
static void take(struct fixture *f, long long ms, int interval_ms, const char *members)
{
	size_t size = strlen(members) + 200;
	char *text = malloc(size);
	struct shot *shot;
	int length;

	assert_non_null(text);
	length = snprintf(text, size, "{\"type\":\"snapshot\",\"timestamp\":%lld.000,\"interval_ms\":%d,%s}",
			  T0 + ms, interval_ms, members);
	assert_int_equal(shot_parse((struct slice){ text, (size_t)length }, &shot), SHOT_SNAPSHOT);
	ledger_take(&f->ledger, shot);
	shot_unref(shot);
	free(text);
}

static struct ledger_sum sum_up(struct fixture *f, uint64_t seconds, const struct ledger_who *who)
{
	struct ledger_ask ask = { seconds, *who };
	struct ledger_sum sum;

	ledger_sum(&f->ledger, &ask, &sum);
	return sum;
}

static void test_empty(void **state)
{
	struct ledger_sum sum = sum_up(*state, 60, &everyone);

	assert_int_equal(sum.since_ms, 0);
	take(*state, -T0, 1000, "\"connects\":[" CONNECT("1", "\"a\"", "10.0.0.1", "egress", "1", "0") "]");
	sum = sum_up(*state, 60, &everyone);
	assert_int_equal(sum.until_ms, 0);
}

static void test_windows(void **state)
{
	static const char one[] = "\"connects\":[" CONNECT("7", "\"curl\"", "10.0.0.1", "egress", "1", "0") "]";
	struct fixture *f = *state;
	struct ledger_sum sum;

	for (int second = 1; second <= 5000; second++)
		take(f, second * 1000, 1000, one);
	for (int seconds = 1; seconds <= 300; seconds += 13) {
		sum = sum_up(f, (uint64_t)seconds, &everyone);
		assert_int_equal(sum.begun, seconds);
		assert_int_equal(sum.since_ms, T0 + (5000 - seconds) * 1000);
		assert_int_equal(sum.until_ms, T0 + 5000 * 1000);
	}
	/* Beyond, by ten seconds: what is counted begins a little earlier, and says so. */
	for (int seconds = 301; seconds <= 3600; seconds += 77) {
		sum = sum_up(f, (uint64_t)seconds, &everyone);
		assert_in_range(sum.begun, seconds, seconds + 9);
		assert_int_equal(sum.since_ms, T0 + 5000 * 1000 - (long long)sum.begun * 1000);
	}
	/* Longer than what is kept. */
	sum = sum_up(f, 1000000, &everyone);
	assert_in_range(sum.begun, 3600, 3609);
	assert_int_equal(sum.since_ms, T0 + 5000 * 1000 - (long long)sum.begun * 1000);
	assert_int_equal(f->ledger.rows, f->ledger.buckets);
	assert_in_range(f->ledger.buckets, 300 + 330, 300 + 332);
	assert_int_equal(f->bounds.row[BOUND_LEDGER_BUCKETS].hits, 0);
}

static void test_short_and_long_intervals(void **state)
{
	static const char one[] = "\"connects\":[" CONNECT("7", "\"curl\"", "10.0.0.1", "egress", "1", "0") "]";
	struct fixture *f = *state;
	struct ledger_sum sum;

	for (int i = 1; i <= 200; i++)
		take(f, i * 100, 100, one);
	assert_int_equal(f->ledger.buckets, 20);
	sum = sum_up(f, 5, &everyone);
	assert_int_equal(sum.begun, 50);
	assert_int_equal(sum.since_ms, T0 + 15000);
	for (int i = 1; i <= 10; i++)
		take(f, 20000 + i * 5000, 5000, one);
	sum = sum_up(f, 7, &everyone);
	assert_int_equal(sum.begun, 2);
	assert_int_equal(sum.since_ms, T0 + 60000);
}

static void test_clock_steps(void **state)
{
	static const char one[] = "\"connects\":[" CONNECT("7", "\"curl\"", "10.0.0.1", "egress", "1", "0") "]";
	struct fixture *f = *state;
	struct ledger_sum sum;

	take(f, 100000, 1000, one);
	take(f, 99500, 1000, one);	/* a little back: goes with the newest */
	sum = sum_up(f, 60, &everyone);
	assert_int_equal(sum.begun, 2);
	assert_int_equal(sum.until_ms, T0 + 100000);
	take(f, 50000, 1000, one);	/* far back: from here on */
	sum = sum_up(f, 60, &everyone);
	assert_int_equal(sum.begun, 1);
	assert_int_equal(sum.since_ms, T0 + 49000);
	take(f, 50000 + 7200 * 1000, 1000, one);	/* far ahead: an hour is over */
	assert_int_equal(sum_up(f, 3600, &everyone).begun, 1);
}

static void test_who(void **state)
{
	struct fixture *f = *state;
	struct ledger_who who = { .pid = 7 };
	struct ledger_sum sum;

	take(f, 1000, 1000, "\"connects\":["
	     CONNECT("7", "\"curl\"", "10.0.0.1", "egress", "3", "1") ","
	     CONNECT("7", "\"nginx\"", "10.0.0.9", "ingress", "20", "0") ","
	     CONNECT("8", "\"curl\"", "2001:db8::1", "egress", "5", "2") ","
	     CONNECT("null", "null", "10.0.0.1", "egress", "100", "0") ","
	     "7,null,{},{\"opened\":\"x\"},{\"opened\":-5}],\"connects_left_out\":4");
	sum = sum_up(f, 60, &everyone);
	assert_int_equal(sum.begun, 108);
	assert_int_equal(sum.accepted, 20);
	assert_int_equal(sum.failed, 3);
	assert_int_equal(sum.left_out, 4);
	sum = sum_up(f, 60, &who);
	assert_int_equal(sum.begun, 3);
	assert_int_equal(sum.accepted, 20);
	assert_int_equal(sum.failed, 1);
	who = (struct ledger_who){ .command = "curl" };
	assert_int_equal(sum_up(f, 60, &who).begun, 8);
	who.pid = 8;
	assert_int_equal(sum_up(f, 60, &who).begun, 5);
	who.command = "nginx";
	assert_int_equal(sum_up(f, 60, &who).begun, 0);
}

static void test_groups(void **state)
{
	struct ledger_key mask = { .kind = 0xff, .port = 0xffff, .family = 0xff };
	struct ledger_ask ask = { .seconds = 60 };
	struct fixture *f = *state;
	struct ledger_row *groups;
	char ip[INET6_ADDRSTRLEN];
	size_t count;

	memset(mask.ip, 0xff, sizeof(mask.ip));
	for (int second = 1; second <= 3; second++)
		take(f, second * 1000, 1000, "\"connects\":["
		     CONNECT("7", "\"a\"", "10.0.0.1", "egress", "1", "1") ","
		     CONNECT("8", "\"b\"", "10.0.0.1", "egress", "1", "0") ","
		     CONNECT("8", "\"b\"", "2001:db8::1", "egress", "5", "0") "]");
	assert_int_equal(ledger_group(&f->ledger, &ask, LEDGER_CONNECT, &mask, 10, &groups, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(groups[0].count, 15);
	inet_ntop(groups[0].key.family, groups[0].key.ip, ip, sizeof(ip));
	assert_string_equal(ip, "2001:db8::1");
	assert_int_equal(groups[1].count, 6);
	assert_int_equal(groups[1].other, 3);
	assert_int_equal(groups[1].key.port, 443);
	assert_int_equal(groups[1].key.pid, 0);
	assert_string_equal(groups[1].key.name, "");
	free(groups);
	assert_int_equal(ledger_group(&f->ledger, &ask, LEDGER_DROP, &mask, 10, &groups, &count), 0);
	assert_int_equal(count, 0);
	free(groups);
}

/* Many groups of every size, of which the largest are wanted. */
static void test_largest_groups(void **state)
{
	struct ledger_key mask = { .kind = 0xff, .pid = UINT32_MAX };
	struct ledger_ask ask = { .seconds = 3600 };
	struct fixture *f = *state;
	struct ledger_row *groups;
	char members[200];
	size_t count;

	/* Multiples modulo a prime: each of 1 to 1008 once. */
	for (int i = 1; i < 1009; i++) {
		snprintf(members, sizeof(members), "\"connects\":[{\"pid\":%d,\"opened\":%d,\"failed\":0}]",
			 i * 3 % 1009, i * 3 % 1009);
		take(f, i * 100, 100, members);
	}
	for (size_t most = 1; most <= 1009; most += 252) {
		assert_int_equal(ledger_group(&f->ledger, &ask, LEDGER_CONNECT, &mask, most, &groups, &count), 0);
		assert_int_equal(count, most < 1008 ? most : 1008);
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(groups[i].count, 1008 - i);
			assert_int_equal(groups[i].key.pid, 1008 - i);
		}
		free(groups);
	}
}

static void test_drops(void **state)
{
	static const struct {
		const char *members;
		uint64_t drops, bytes, unspecified;
	} rows[] = {
		/* 1000 were there before the stream began; 5 are of this interval. */
		{ "\"drops\":[" DROP("NO_SOCKET", "\"UDP\"", "1000", "5") "],"
		  "\"drops_unspecified\":{\"packets\":50,\"bytes\":500,\"pps\":0}", 5, 50, 0 },
		{ "\"drops\":[" DROP("NO_SOCKET", "\"UDP\"", "1007", "7") "],"
		  "\"drops_unspecified\":{\"packets\":53,\"bytes\":530,\"pps\":3}", 12, 120, 3 },
		/* New ones, all of this interval. */
		{ "\"drops\":[" DROP("NO_SOCKET", "\"UDP\"", "1007", "0") ","
		  DROP("TCP_CSUM", "\"TCP\"", "2", "2") "," DROP("NO_SOCKET", "null", "1", "1") "]", 15, 150, 3 },
		/* Not among the rows for once, and back. */
		{ "\"drops\":[]", 15, 150, 3 },
		{ "\"drops\":[" DROP("TCP_CSUM", "\"TCP\"", "4", "1") "]", 17, 170, 3 },
		/* Attached anew: counts from zero again. */
		{ "\"drops\":[" DROP("NO_SOCKET", "\"UDP\"", "3", "3") "]", 20, 200, 3 },
	};
	struct ledger_who somebody = { .pid = 1 };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ledger_sum sum;

		take(f, (long long)(i + 1) * 1000, 1000, rows[i].members);
		sum = sum_up(f, 3600, &everyone);
		assert_int_equal(sum.drops, rows[i].drops);
		assert_int_equal(sum.drop_bytes, rows[i].bytes);
		assert_int_equal(sum.unspecified, rows[i].unspecified);
		assert_int_equal(sum_up(f, 3600, &somebody).drops, 0);
	}
}

static void test_drop_owners(void **state)
{
	static const char flow[] =
		"\"proto\":\"UDP\",\"src_ip\":\"10.0.0.1\",\"src_port\":1000,\"dst_ip\":\"10.0.0.2\",\"dst_port\":53";
	static const char back[] =
		"\"proto\":\"UDP\",\"src_ip\":\"10.0.0.2\",\"src_port\":53,\"dst_ip\":\"10.0.0.1\",\"dst_port\":1000";
	struct ledger_who who = { .pid = 7 };
	struct fixture *f = *state;
	struct ledger_sum sum;
	char members[2000];

	snprintf(members, sizeof(members), "\"connections\":[{\"pid\":7,\"command\":\"dig\",%s}],"
		 "\"flows\":[{\"pid\":null,\"command\":null,%s}],"
		 "\"drop_flows\":[{%s,\"packets\":9,\"recent\":4},{%s,\"packets\":9,\"recent\":0},"
		 "{\"proto\":\"UDP\",\"src_ip\":\"10.0.0.3\",\"src_port\":1,\"dst_ip\":\"10.0.0.2\","
		 "\"dst_port\":53,\"recent\":2}],"
		 "\"drops\":[" DROP("NO_SOCKET", "\"UDP\"", "6", "6") "]", flow, flow, back, flow);
	take(f, 1000, 1000, members);
	sum = sum_up(f, 60, &everyone);
	assert_int_equal(sum.drop_flows, 6);
	assert_int_equal(sum.drops, 6);
	assert_false(sum.all_owned);
	assert_int_equal(sum_up(f, 60, &who).drop_flows, 4);
	who = (struct ledger_who){ .command = "dig" };
	assert_int_equal(sum_up(f, 60, &who).drop_flows, 4);
	who.command = "dog";
	assert_int_equal(sum_up(f, 60, &who).drop_flows, 0);
	/* In a window without drops nobody is missing. */
	take(f, 10000, 1000, "\"drops\":[]");
	assert_true(sum_up(f, 1, &who).all_owned);
}

static void test_bounds(void **state)
{
	struct fixture *f = *state;
	struct ledger_sum sum;
	char members[4000];

	f->bounds.row[BOUND_LEDGER_ROWS].limit = 25;
	for (int second = 1; second <= 10; second++) {
		int length = snprintf(members, sizeof(members), "\"connects\":[");

		for (int i = 0; i < 10; i++)
			length += snprintf(members + length, sizeof(members) - (size_t)length,
					   "%s{\"pid\":%d,\"opened\":1,\"failed\":0}", i ? "," : "",
					   second * 100 + i);
		snprintf(members + length, sizeof(members) - (size_t)length, "]");
		take(f, second * 1000, 1000, members);
		assert_true(f->ledger.rows <= 25);
	}
	/* Two seconds fit; what is told is whole, and from when. */
	sum = sum_up(f, 3600, &everyone);
	assert_int_equal(sum.begun, 20);
	assert_int_equal(sum.left_out, 0);
	assert_int_equal(sum.since_ms, T0 + 8000);
	assert_int_equal(f->bounds.row[BOUND_LEDGER_ROWS].hits, 8);
}

static void test_many_reasons(void **state)
{
	struct fixture *f = *state;
	char members[400];

	for (int i = 0; i < LIMIT_LEDGER_REASONS + 10; i++) {
		snprintf(members, sizeof(members), "\"drops\":[{\"host\":\"h\",\"reason\":\"R%d\",\"proto\":null,"
			 "\"packets\":1,\"bytes\":1,\"pps\":1}]", i);
		take(f, i * 100, 100, members);
	}
	assert_int_equal(f->bounds.row[BOUND_LEDGER_REASONS].hits, 10);
	assert_int_equal(sum_up(f, 3600, &everyone).drops, LIMIT_LEDGER_REASONS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_empty),
		TEST(test_windows),
		TEST(test_short_and_long_intervals),
		TEST(test_clock_steps),
		TEST(test_who),
		TEST(test_groups),
		TEST(test_largest_groups),
		TEST(test_drops),
		TEST(test_drop_owners),
		TEST(test_bounds),
		TEST(test_many_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
