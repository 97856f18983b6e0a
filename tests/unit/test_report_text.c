// SPDX-License-Identifier: MIT
/* Networks, numbers and names for people. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/ask_network.h"
#include "report/text.h"

static bool holds(const char *network, const char *ip)
{
	struct ask_network n;
	const char *why;

	assert_int_equal(ask_network_parse(network, &n, &why), 0);
	return ask_network_holds(&n, ip);
}

static void test_networks(void **state)
{
	(void)state;
	assert_true(holds("10.0.0.1", "10.0.0.1"));
	assert_false(holds("10.0.0.1", "10.0.0.2"));
	assert_true(holds("10.0.0.0/8", "10.255.255.255"));
	assert_false(holds("10.0.0.0/8", "11.0.0.0"));
	assert_true(holds("10.0.0.77/26", "10.0.0.127"));
	assert_false(holds("10.0.0.77/26", "10.0.0.128"));
	assert_true(holds("0.0.0.0/0", "1.2.3.4"));
	assert_false(holds("0.0.0.0/0", "::1"));
	assert_true(holds("::/0", "::1"));
	assert_true(holds("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(holds("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(holds("2001:DB8::1", "2001:db8:0::1"));
	assert_false(holds("0.0.0.0/0", ""));
}

static void test_no_networks(void **state)
{
	static const char *const texts[] = { "", "/", "x", "10.0.0", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1",
					     "10.0.0.1/ 8", "10.0.0.1/8x", "::/129", "1:2", "010.0.0.256",
					     "10.0.0.1/99999999999999999999",
					     "11111111111111111111111111111111111111111111111111111111" };
	struct ask_network n;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_not_equal(ask_network_parse(texts[i], &n, &why), 0);
}

static void test_numbers(void **state)
{
	static const struct {
		int64_t number;
		const char *text;
	} rows[] = {
		{ 0, "0 B" }, { 999, "999 B" }, { 1000, "1.00 kB" }, { 9994, "9.99 kB" }, { 9996, "10.0 kB" },
		{ 99940, "99.9 kB" }, { 999499, "999 kB" }, { 999500, "1.00 MB" }, { 123456789, "123 MB" },
		{ INT64_MAX, "9.22 EB" }, { -5, "-5 B" },
	};
	char text[TEXT_NUMBER_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_number(rows[i].number, "B", text);
		assert_string_equal(text, rows[i].text);
	}
	text_number(12345, "", text);
	assert_string_equal(text, "12.3 k");
	text_duration_us(999, text);
	assert_string_equal(text, "999 us");
	text_duration_us(12345, text);
	assert_string_equal(text, "12.3 ms");
	text_duration_us(2500000, text);
	assert_string_equal(text, "2.50 s");
}

static void is_shown(const char *text, const char *want, size_t width)
{
	char *have = text_for_terminal(text);

	assert_string_equal(have, want);
	assert_int_equal(text_width(have), width);
	free(have);
}

static void test_names_in_a_terminal(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	is_shown("curl", "curl", 4);
	is_shown("a\x1b[2J\x07\n", "a\\x1b[2J\\x07\\x0a", 16);
	is_shown("h\xc3\xa4h", "h\xc3\xa4h", 3);
	is_shown("\xe6\xbc\xa2", "\xe6\xbc\xa2", 2);
	is_shown("\xff\xc3", "\\xff\\xc3", 8);
	/* The other way round from here, and a control byte beyond ASCII. */
	is_shown("\xe2\x80\xae", "\\xe2\\x80\\xae", 12);
	is_shown("\xc2\x9b", "\\xc2\\x9b", 8);
	assert_int_equal(text_cut("\xe6\xbc\xa2\xe6\xbc\xa2", 3), 3);
	assert_int_equal(text_cut("h\xc3\xa4h", 2), 3);
	assert_true(text_is_utf8());
	assert_non_null(setlocale(LC_CTYPE, "C"));
	is_shown("h\xc3\xa4h", "h\\xc3\\xa4h", 10);
	assert_false(text_is_utf8());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_no_networks),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_names_in_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
