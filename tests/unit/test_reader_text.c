// SPDX-License-Identifier: MIT
/* What the reader reads as text: its own options, and /proc/locks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>

#include "bpf/packet_config.h"
#include "reader/parse_options.h"
#include "reader/pinset.h"
#include "reader/request.h"

static void lists_of_types(void **state)
{
	static const struct {
		const char *text;
		int result;
		u32 types;
	} rows[] = {
		{ "packet", 0, PRINT_PACKET },
		{ "flow,counters", 0, PRINT_FLOW | PRINT_COUNTERS },
		{ "counters,packet,flow,packet", 0, PRINT_COUNTERS | PRINT_PACKET | PRINT_FLOW },
		{ "connection,process", 0, PRINT_CONNECTION | PRINT_PROCESS },
		{ "packet,flow,counters,connection,process,drop,latency", 0, PRINT_ALL },
		{ "", -EINVAL, 0 }, { ",", -EINVAL, 0 }, { "packet,", -EINVAL, 0 },
		{ "packets", -EINVAL, 0 }, { "pack", -EINVAL, 0 }, { "hello", -EINVAL, 0 },
		{ "packet flow", -EINVAL, 0 }, { "drops", -EINVAL, 0 }, { "probe", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *why = NULL;
		u32 types = 0;

		assert_int_equal(parse_types(rows[i].text, &types, &why), rows[i].result);
		assert_int_equal(types, rows[i].types);
		assert_int_equal(why != NULL, rows[i].result != 0);
	}
}

static void numbers_of_packet_lines(void **state)
{
	static const struct {
		const char *text;
		int result;
		u32 lines;
	} rows[] = {
		{ "0", 0, 0 }, { "1000", 0, 1000 }, { "all", 0, PACKET_LINES_ALL },
		{ "4294967294", 0, 4294967294u }, { "4294967295", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 }, { "", -EINVAL, 0 }, { "ALL", -EINVAL, 0 }, { "1k", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request request = { .packet_lines = 0 };
		const char *why = NULL;

		assert_int_equal(parse_packet_lines(rows[i].text, &request, &why), rows[i].result);
		assert_int_equal(request.packet_lines, rows[i].lines);
		assert_int_equal(request.packet_lines_given, !rows[i].result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_types),
		cmocka_unit_test(numbers_of_packet_lines),
	};

	return cmocka_run_group_tests_name("reader_text", tests, NULL, NULL);
}
