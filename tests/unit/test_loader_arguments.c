/* SPDX-License-Identifier: MIT */
/* The loader's command line: what is taken, what is refused, what stays in force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loader/arguments.h"
#include "loader/probe.h"

#define PAGE 4096u

static int only(const char *text, struct only_argument *ret)
{
	const char *why = NULL;
	int err;

	*ret = (struct only_argument){ 0 };
	err = arguments_only(text, ret, &why);
	assert_true(err ? why != NULL : ret->given);
	return err;
}

static int has(const struct only_argument *o, unsigned int protocol)
{
	return o->protocols[protocol >> 6] >> (protocol & 63) & 1;
}

static void test_only(void **state)
{
	struct only_argument o;

	(void)state;
	assert_int_equal(only("tcp,UDP,icmp", &o), 0);
	assert_true(has(&o, 6) && has(&o, 17) && has(&o, 1) && has(&o, 58));
	assert_int_equal(o.protocols[0], 1ull << 1 | 1ull << 6 | 1ull << 17 | 1ull << 58);
	assert_int_equal(only("47", &o), 0);
	assert_true(has(&o, 47));
	assert_int_equal(only("icmpv6", &o), 0);
	assert_true(has(&o, 58) && !has(&o, 1));
	assert_int_equal(only("1", &o), 0);	/* the number is ICMP alone */
	assert_true(has(&o, 1) && !has(&o, 58));
	assert_int_equal(only("255,0,sctp", &o), 0);
	assert_true(has(&o, 255) && has(&o, 0) && has(&o, 132));
	assert_int_equal(only("all", &o), 0);
	assert_int_equal(o.protocols[0] | o.protocols[1] | o.protocols[2] | o.protocols[3], 0);
}

static void test_only_refuses(void **state)
{
	static const char *const bad[] = { "", ",", "tcp,", ",tcp", "tcp,,udp", "arp", "0x0800",
					   "256", "-1", "tcp udp", "tcpx", "all,tcp" };
	struct only_argument o;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(only(bad[i], &o) < 0);
}

static void test_packet_lines(void **state)
{
	struct lines_argument p = { 0 };
	const char *why = NULL;

	(void)state;
	assert_int_equal(arguments_lines("all", &p, &why), 0);
	assert_int_equal(p.lines, PACKET_LINES_ALL);
	assert_int_equal(arguments_lines("0", &p, &why), 0);
	assert_true(p.given);
	assert_int_equal(p.lines, 0);
	assert_int_equal(arguments_lines("4294967294", &p, &why), 0);
	assert_true(arguments_lines("4294967295", &p, &why) < 0);
	assert_true(arguments_lines("many", &p, &why) < 0);
	assert_true(arguments_lines("-1", &p, &why) < 0);
	assert_true(arguments_lines("", &p, &why) < 0);
}

static void test_hooks_and_probes(void **state)
{
	const char *why = NULL;
	struct probe_argument p = { 0 };
	u8 hook = 99;

	(void)state;
	assert_int_equal(arguments_hook("auto", &hook, &why), 0);
	assert_int_equal(hook, PIN_HOOK_NONE);
	assert_int_equal(arguments_hook("generic", &hook, &why), 0);
	assert_int_equal(hook, PIN_HOOK_GENERIC);
	assert_true(arguments_hook("none", &hook, &why) < 0);
	assert_true(arguments_hook("XDP ", &hook, &why) < 0);
	assert_int_equal(probe_parse("packet", &p, &why), 0);
	assert_true(p.given);
	assert_int_equal(p.set, PROBE_PACKET);
	assert_int_equal(p.named, PROBE_PACKET);
	assert_int_equal(probe_parse("all", &p, &why), 0);
	assert_int_equal(p.set, PROBE_PACKET | PROBES_HOST);
	assert_int_equal(p.named, 0);	/* what cannot be done is left out */
	assert_int_equal(probe_parse("drop,all", &p, &why), 0);
	assert_int_equal(p.named, PROBE_HOST(HOST_PROBE_DROP));
	assert_int_equal(probe_parse("latency,connection,process", &p, &why), 0);
	assert_int_equal(p.set, PROBES_HOST & ~PROBE_HOST(HOST_PROBE_DROP));
	assert_true(probe_parse("packet,", &p, &why) < 0);
	assert_true(probe_parse("drops", &p, &why) < 0);
	assert_true(probe_parse("", &p, &why) < 0);
	assert_non_null(why);
}

static void test_ring_sizes(void **state)
{
	(void)state;
	assert_int_equal(arguments_ring_round(1, PAGE), PAGE);
	assert_int_equal(arguments_ring_round(PAGE, PAGE), PAGE);
	assert_int_equal(arguments_ring_round(PAGE + 1, PAGE), 2 * PAGE);
	assert_int_equal(arguments_ring_round(4000000, PAGE), 4u << 20);
	assert_int_equal(arguments_ring_round(RING_BYTES_LIMIT, PAGE), RING_BYTES_LIMIT);
	assert_int_equal(arguments_ring_default(0, PAGE), PAGE);
	assert_int_equal(arguments_ring_default(1, PAGE), 4u << 20);
	assert_int_equal(arguments_ring_default(PACKET_LINES_ALL, PAGE), 16u << 20);
}

static void test_settings(void **state)
{
	struct pin_settings s = { 0 };
	struct arguments args = { 0 };

	(void)state;
	arguments_settings(&args, PAGE, false, &s);	/* a first run without options */
	assert_int_equal(s.packet_lines, DEFAULT_PACKET_LINES);
	assert_int_equal(s.max_flows, DEFAULT_MAX_FLOWS);
	assert_int_equal(s.ring_bytes, 4u << 20);
	s.cpus = 2;

	args.packet_lines = (struct lines_argument){ true, PACKET_LINES_ALL };
	arguments_settings(&args, PAGE, false, &s);	/* the ring goes with it */
	assert_int_equal(s.ring_bytes, 16u << 20);
	assert_int_equal(s.max_flows, DEFAULT_MAX_FLOWS);

	args = (struct arguments){ .ring_bytes = 8192, .max_flows = 10 };
	args.only.given = true;
	args.only.protocols[0] = 2;
	arguments_settings(&args, PAGE, false, &s);
	assert_int_equal(s.packet_lines, PACKET_LINES_ALL);
	assert_int_equal(s.ring_bytes, 8192);
	assert_int_equal(s.max_flows, 10);

	args = (struct arguments){ .packet_lines = { true, 5 } };
	arguments_settings(&args, PAGE, false, &s);	/* chosen by hand: it stays */
	assert_int_equal(s.packet_lines, 5);
	assert_int_equal(s.ring_bytes, 8192);
	assert_int_equal(s.only[0], 2);

	args = (struct arguments){ .only = { true, { 0 } } };
	arguments_settings(&args, PAGE, false, &s);
	assert_int_equal(s.only[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only),
		cmocka_unit_test(test_only_refuses),
		cmocka_unit_test(test_packet_lines),
		cmocka_unit_test(test_hooks_and_probes),
		cmocka_unit_test(test_ring_sizes),
		cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
