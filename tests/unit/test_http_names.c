// SPDX-License-Identifier: MIT
/* Names of addresses: what is believed, what is remembered, in which order it is asked. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "httpd/hostname.h"
#include "httpd/resolver.h"
#include "httpd/shot.h"

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_host_names(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = {
		{ "a", true },
		{ "web1.example", true },
		{ "xn--bcher-kva.example", true },
		{ "_dmarc.Example-2.ORG", true },
		{ "4.3.2.1.in-addr.arpa", true },
		{ LABEL_63 "." LABEL_63 "." LABEL_63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true },
		{ LABEL_63 "." LABEL_63 "." LABEL_63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
		{ LABEL_63 "a", false },
		{ "", false },
		{ ".", false },
		{ "a.", false },
		{ ".a", false },
		{ "a..b", false },
		{ "-a", false },
		{ "a-.b", false },
		{ "10.0.0.1", false },	/* looks like an address */
		{ "web.1", false },
		{ "::1", false },
		{ "<img src=x onerror=alert(1)>", false },
		{ "a b", false },
		{ "a\"b", false },
		{ "a\\b", false },
		{ "a\nb", false },
		{ "a\x1b[31m", false },
		{ "\xe2\x80\xae" "gpj.exe", false },	/* right to left */
		{ "b\xc3\xbc" "cher.example", false },
		{ "\xff\xfe", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (hostname_is_good(rows[i].name, strlen(rows[i].name)) != rows[i].good)
			fail_msg("'%s'", rows[i].name);
	assert_false(hostname_is_good("a\0b", 3));
}

static struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	return address;
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		bool host;
	} rows[] = {
		{ "10.0.0.1", true }, { "127.0.0.1", true }, { "169.254.1.1", true }, { "::1", true },
		{ "fe80::1", true }, { "fd00::1", true }, { "2001:db8::1", true }, { "0.0.0.0", false },
		{ "224.0.0.251", false }, { "239.255.255.250", false }, { "255.255.255.255", false },
		{ "::", false }, { "ff02::fb", false },
	};
	struct address address;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		address = address_of(rows[i].text);
		if (address_is_host(&address) != rows[i].host)
			fail_msg("%s", rows[i].text);
	}
	assert_int_equal(address_parse("10.0.0", &address), -EINVAL);
	assert_int_equal(address_parse("", &address), -EINVAL);
	assert_int_equal(address_parse("fe80::1%eth0", &address), -EINVAL);
}

static void test_messages(void **state)
{
	const struct name_answer good = { .number = 7, .kind = NAME_FOUND, .length = 3, .name = "a.b" };
	struct name_answer answer = { 0 }, wrong = good;

	(void)state;
	assert_int_equal(name_answer_parse(&good, sizeof(good), &answer), 0);
	assert_string_equal(answer.name, "a.b");
	assert_int_equal(name_answer_parse(&good, sizeof(good) - 1, &answer), -EBADMSG);
	wrong.kind = NAME_KINDS;
	assert_int_equal(name_answer_parse(&wrong, sizeof(wrong), &answer), -EBADMSG);
	wrong = good;
	wrong.kind = NAME_NONE;		/* and yet a name */
	assert_int_equal(name_answer_parse(&wrong, sizeof(wrong), &answer), -EBADMSG);
	wrong = good;
	wrong.confirmed = 2;
	assert_int_equal(name_answer_parse(&wrong, sizeof(wrong), &answer), -EBADMSG);
	wrong = good;
	wrong.number = 0;
	assert_int_equal(name_answer_parse(&wrong, sizeof(wrong), &answer), -EBADMSG);
	wrong = good;
	wrong.name[1] = '"';
	assert_int_equal(name_answer_parse(&wrong, sizeof(wrong), &answer), -EILSEQ);
	assert_int_equal(answer.number, 7);
}

/* ---- the resolver with a process that is this test ------------------------- */

struct fixture {
	struct resolver resolver;
	struct bounds bounds;
	int process;
	uint64_t snapshots;
	uint64_t now_ms;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int pair[2];

	if (!f || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		return -1;
	bounds_init(&f->bounds);
	f->now_ms = 1000;
	f->process = pair[1];
	resolver_init(&f->resolver, pair[0], &f->bounds);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	resolver_free(&f->resolver);
	if (f->process >= 0)
		close(f->process);
	free(f);
	return 0;
}

static void note(struct fixture *f, const char *members)
{
	char text[4096];
	struct shot *shot;
	int length = snprintf(text, sizeof(text), "{\"type\":\"snapshot\",%s}", members);

	assert_int_equal(shot_parse((struct slice){ text, (size_t)length }, &shot), SHOT_SNAPSHOT);
	assert_int_equal(resolver_note(&f->resolver, shot, ++f->snapshots, f->now_ms), 0);
	shot_unref(shot);
}

/* The next question, which is for the address; NULL: there is none. */
static uint64_t expect_question(struct fixture *f, const char *text)
{
	struct name_question question;
	ssize_t got = recv(f->process, &question, sizeof(question), MSG_DONTWAIT);
	struct address address;

	if (!text) {
		assert_int_equal(got, -1);
		return 0;
	}
	assert_int_equal(got, sizeof(question));
	address = address_of(text);
	assert_true(address_equals(&question.address, &address));
	return question.number;
}

static void answer(struct fixture *f, uint64_t number, enum name_kind kind, const char *name)
{
	struct name_answer message = { .number = number, .kind = (uint8_t)kind };

	message.length = (uint8_t)snprintf(message.name, sizeof(message.name), "%s", name);
	assert_int_equal(send(f->process, &message, sizeof(message), 0), sizeof(message));
	assert_true(resolver_take(&f->resolver, f->now_ms));
}

static const struct named *wanted(struct fixture *f, const char *text)
{
	for (size_t i = 0; i < f->resolver.wanted_count; i++)
		if (!strcmp(f->resolver.wanted[i]->text, text))
			return f->resolver.wanted[i];
	fail_msg("%s is not wanted", text);
	return NULL;
}

static void expect_name(struct fixture *f, const char *text, enum named_state named, const char *name)
{
	const struct named *one = wanted(f, text);

	assert_int_equal(one->state, named);
	if (name)
		assert_string_equal(one->name, name);
	else
		assert_null(one->name);
}

#define FLOW(a, b, bytes) "{\"src_ip\":\"" a "\",\"dst_ip\":\"" b "\",\"bytes\":" #bytes "}"

static void test_most_bytes_first(void **state)
{
	struct fixture *f = *state;

	note(f, "\"flows\":[" FLOW("10.0.0.1", "10.0.0.2", 5) "," FLOW("10.0.0.1", "224.0.0.1", 90) "],"
	     "\"remotes\":[{\"remote_ip\":\"2001:db8::1\",\"tx_bytes\":50,\"rx_bytes\":7}],"
	     "\"connections\":[{\"src_ip\":null,\"dst_ip\":\"10.0.0.2\",\"bytes_sent\":1},7]");
	assert_int_equal(f->resolver.wanted_count, 3);
	expect_question(f, "10.0.0.1");
	expect_question(f, "2001:db8::1");
	expect_question(f, "10.0.0.2");
	expect_question(f, NULL);
	/* The same snapshot asked for again, and another one: they are being asked already. */
	note(f, "\"flows\":[" FLOW("10.0.0.1", "10.0.0.2", 5) "]");
	expect_question(f, NULL);
	assert_int_equal(f->resolver.wanted_count, 2);
}

static void test_answers_hold(void **state)
{
	struct fixture *f = *state;
	const char *flows = "\"flows\":[" FLOW("10.0.0.1", "10.0.0.2", 5) "]";

	note(f, flows);
	answer(f, expect_question(f, "10.0.0.1"), NAME_FOUND, "one.example");
	answer(f, expect_question(f, "10.0.0.2"), NAME_NONE, "");
	expect_name(f, "10.0.0.1", NAMED_YES, "one.example");
	expect_name(f, "10.0.0.2", NAMED_NO, NULL);
	f->now_ms += 299 * 1000;
	note(f, flows);
	expect_question(f, NULL);
	f->now_ms += 2 * 1000;
	note(f, flows);
	answer(f, expect_question(f, "10.0.0.2"), NAME_FOUND, "two.example");
	f->now_ms += 3600 * 1000;
	note(f, flows);
	expect_name(f, "10.0.0.1", NAMED_ASKED, "one.example");
	/* Nobody can say: what was known stays. */
	answer(f, expect_question(f, "10.0.0.1"), NAME_FAILED, "");
	expect_name(f, "10.0.0.1", NAMED_YES, "one.example");
	answer(f, expect_question(f, "10.0.0.2"), NAME_NONE, "");
	expect_name(f, "10.0.0.2", NAMED_NO, NULL);
}

static void test_not_believed(void **state)
{
	struct fixture *f = *state;
	uint64_t number;

	note(f, "\"flows\":[" FLOW("10.0.0.1", "10.0.0.2", 5) "]");
	number = expect_question(f, "10.0.0.1");
	answer(f, number + 1000, NAME_FOUND, "nobody.asked");
	answer(f, number, NAME_FOUND, "<img onerror>");
	answer(f, number, NAME_FOUND, "second.answer");
	expect_name(f, "10.0.0.1", NAMED_NO, NULL);
	assert_int_equal(send(f->process, "short", 5, 0), 5);
	assert_true(resolver_take(&f->resolver, f->now_ms));
	assert_int_equal(f->resolver.counters.refused, 2);
	assert_int_equal(f->resolver.counters.found, 0);
}

static void test_no_more_than(void **state)
{
	struct fixture *f = *state;
	char members[4096] = "\"remotes\":[";
	uint64_t number[RESOLVER_THREADS];
	char text[16];

	f->bounds.row[BOUND_NAMES_A_SECOND].limit = RESOLVER_THREADS + 1;
	for (int i = 0; i < 12; i++)
		sprintf(members + strlen(members), "%s{\"remote_ip\":\"10.0.0.%d\",\"tx_bytes\":%d}",
			i ? "," : "", i, 100 - i);
	strcat(members, "]");
	note(f, members);
	for (int i = 0; i < RESOLVER_THREADS; i++) {
		sprintf(text, "10.0.0.%d", i);
		number[i] = expect_question(f, text);
	}
	expect_question(f, NULL);
	answer(f, number[0], NAME_NONE, "");
	expect_question(f, "10.0.0.8");
	answer(f, number[1], NAME_NONE, "");
	expect_question(f, NULL);
	assert_true(f->bounds.row[BOUND_NAMES_A_SECOND].hits > 0);
	f->now_ms += 1000;
	resolver_sweep(&f->resolver, f->now_ms);
	expect_question(f, "10.0.0.9");
	/* Nobody answers: after a minute there is room for the last ones. */
	f->now_ms += 60 * 1000;
	resolver_sweep(&f->resolver, f->now_ms);
	expect_question(f, "10.0.0.10");
	expect_question(f, "10.0.0.11");
	expect_question(f, NULL);
	assert_int_equal(f->resolver.counters.unanswered, RESOLVER_THREADS);
}

static void test_forgets(void **state)
{
	struct fixture *f = *state;

	f->bounds.row[BOUND_NAMES_ADDRESSES].limit = 3;
	note(f, "\"flows\":[" FLOW("10.0.0.1", "10.0.0.2", 5) "]");
	answer(f, expect_question(f, "10.0.0.1"), NAME_FOUND, "one");
	note(f, "\"flows\":[" FLOW("10.0.0.3", "10.0.0.4", 5) "]");
	/* The first is forgotten for the fourth; the second is being asked. */
	assert_int_equal(f->resolver.count, 3);
	assert_int_equal(f->resolver.wanted_count, 2);
	assert_int_equal(f->bounds.row[BOUND_NAMES_ADDRESSES].hits, 1);
	note(f, "\"flows\":[" FLOW("10.0.0.5", "10.0.0.6", 5) "," FLOW("10.0.0.7", "10.0.0.8", 5) "]");
	assert_int_equal(f->resolver.count, 3);
	assert_int_equal(f->resolver.wanted_count, 0);
}

static void test_process_ends(void **state)
{
	struct fixture *f = *state;
	struct name_answer ready = { .kind = NAME_READY };
	uint64_t number;

	note(f, "\"flows\":[" FLOW("10.0.0.1", "10.0.0.2", 5) "]");
	number = expect_question(f, "10.0.0.1");
	send(f->process, &ready, sizeof(ready), 0);
	assert_true(resolver_take(&f->resolver, f->now_ms));
	expect_name(f, "10.0.0.1", NAMED_ASKED, NULL);
	/* Another one begins: what its predecessor was asked is lost. */
	send(f->process, &ready, sizeof(ready), 0);
	assert_true(resolver_take(&f->resolver, f->now_ms));
	expect_name(f, "10.0.0.1", NAMED_NO, NULL);
	assert_int_equal(f->resolver.counters.restarts, 1);
	answer(f, number, NAME_FOUND, "late.example");
	expect_name(f, "10.0.0.1", NAMED_NO, NULL);
	close(f->process);
	f->process = -1;
	assert_false(resolver_take(&f->resolver, f->now_ms));
	assert_int_equal(f->resolver.fd, -1);
	f->now_ms += 3600 * 1000;
	note(f, "\"flows\":[" FLOW("10.0.0.1", "10.0.0.2", 5) "]");
	resolver_sweep(&f->resolver, f->now_ms);
	expect_name(f, "10.0.0.1", NAMED_NOT_YET, NULL);
}

#define WITH_RESOLVER(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_names),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_messages),
		WITH_RESOLVER(test_most_bytes_first),
		WITH_RESOLVER(test_answers_hold),
		WITH_RESOLVER(test_not_believed),
		WITH_RESOLVER(test_no_more_than),
		WITH_RESOLVER(test_forgets),
		WITH_RESOLVER(test_process_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
