// SPDX-License-Identifier: MIT
/* Command lines as tables. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/options.h"

static struct {
	bool verbose;
	const char *dir;
	uint64_t number, bytes, interval_ns;
	int parsed;
} got;

static int parse_colour(const char *argument, void *target, const char **ret_why)
{
	if (strcmp(argument, "red")) {
		*ret_why = "not a colour that is known";
		return -EINVAL;
	}
	*(int *)target = 1;
	return 0;
}

static const struct option_row rows[] = {
	{ "verbose", 'v', OPTION_FLAG, NULL, "say more", &got.verbose, 0, 0, false, NULL },
	{ "dir", 'd', OPTION_STRING, "DIR", "where", &got.dir, 0, 0, false, NULL },
	{ "number", 0, OPTION_NUMBER, "N", "how many", &got.number, 1, 100, false, NULL },
	{ "bytes", 0, OPTION_NUMBER, "N", "how large", &got.bytes, 0, 0, true, NULL },
	{ "interval", 'i', OPTION_SECONDS, "S", "how often", &got.interval_ns, 1000000, 0, false, NULL },
	/* V, which --version must not be taken for. */
	{ "colour", 'V', OPTION_PARSED, "NAME", "which", &got.parsed, 0, 0, false, parse_colour },
	{ .name = NULL },
};

static enum options_result parse(int argc, char **argv, bool takes_operands, int *ret_operands)
{
	struct program_info program = { "test", takes_operands ? "FILE..." : "", "A test.", takes_operands };
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
	enum options_result result;

	memset(&got, 0, sizeof(got));
	fflush(stdout);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	result = options_parse(&program, rows, argc, argv, ret_operands);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	close(null);
	return result;
}

#define PARSE(...)                                                                     \
	({                                                                             \
		char *argv_[] = { "test", __VA_ARGS__, NULL };                         \
		parse((int)(sizeof(argv_) / sizeof(argv_[0])) - 1, argv_, true, &operands); \
	})

static void test_every_kind(void **state)
{
	int operands;

	(void)state;
	assert_int_equal(PARSE("-v", "eth0", "--dir", "/x", "--number=7", "--bytes", "16M", "-i", "0.25",
			       "--colour", "red", "eth1"),
			 OPTIONS_GO);
	assert_true(got.verbose);
	assert_string_equal(got.dir, "/x");
	assert_int_equal(got.number, 7);
	assert_int_equal(got.bytes, 16 << 20);
	assert_int_equal(got.interval_ns, 250000000);
	assert_int_equal(got.parsed, 1);
	assert_int_equal(operands, 11);	/* eth0 and eth1 behind all options */
}

static void test_refusals(void **state)
{
	char *no_operands[] = { "test", "extra", NULL };
	int operands;

	(void)state;
	assert_int_equal(PARSE("--number", "0"), OPTIONS_BAD);
	assert_int_equal(PARSE("--number", "101"), OPTIONS_BAD);
	assert_int_equal(PARSE("--number", "1x"), OPTIONS_BAD);
	assert_int_equal(PARSE("--number", "-1"), OPTIONS_BAD);
	assert_int_equal(PARSE("--number", ""), OPTIONS_BAD);
	assert_int_equal(PARSE("--number"), OPTIONS_BAD);
	assert_int_equal(PARSE("--colour", "blue"), OPTIONS_BAD);
	assert_int_equal(PARSE("--nothing"), OPTIONS_BAD);
	assert_int_equal(PARSE("-x"), OPTIONS_BAD);
	assert_int_equal(PARSE("-i", "0"), OPTIONS_BAD);
	assert_int_equal(parse(2, no_operands, false, &operands), OPTIONS_BAD);
}

static void test_help_and_version_end(void **state)
{
	int operands;

	(void)state;
	assert_int_equal(PARSE("--help"), OPTIONS_END);
	assert_int_equal(PARSE("-h"), OPTIONS_END);
	assert_int_equal(PARSE("--version"), OPTIONS_END);
}

static void test_number(void **state)
{
	uint64_t value = 0;

	(void)state;
	assert_int_equal(options_number("18446744073709551615", 0, 0, false, &value), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(options_number("18446744073709551616", 0, 0, false, &value), -ERANGE);
	assert_int_equal(options_number("18014398509481984K", 0, 0, true, &value), -ERANGE);
	assert_int_equal(options_number("1k", 0, 0, true, &value), 0);
	assert_int_equal(value, 1024);
	assert_int_equal(options_number("1K", 0, 0, false, &value), -EINVAL);
	assert_int_equal(options_number("1KB", 0, 0, true, &value), -EINVAL);
	assert_int_equal(options_number(" 1", 0, 0, false, &value), -EINVAL);
}

static void test_seconds(void **state)
{
	uint64_t ns = 0;

	(void)state;
	assert_int_equal(options_seconds("1", 0, 0, &ns), 0);
	assert_int_equal(ns, 1000000000);
	assert_int_equal(options_seconds(".5", 0, 0, &ns), 0);
	assert_int_equal(ns, 500000000);
	assert_int_equal(options_seconds("0.000000001", 0, 0, &ns), 0);
	assert_int_equal(ns, 1);
	assert_int_equal(options_seconds("1.", 0, 0, &ns), -EINVAL);
	assert_int_equal(options_seconds("1e3", 0, 0, &ns), -EINVAL);
	assert_int_equal(options_seconds("-1", 0, 0, &ns), -EINVAL);
	assert_int_equal(options_seconds("99999999999999999999", 0, 0, &ns), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_help_and_version_end),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_seconds),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
