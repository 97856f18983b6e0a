/* SPDX-License-Identifier: MIT */
/* common/log.c: what a line on stderr looks like, at a terminal and in the journal. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"

static int pipe_fds[2], kept_stderr;

static int divert_stderr(void **state)
{
	(void)state;
	kept_stderr = dup(STDERR_FILENO);
	return pipe(pipe_fds) || dup2(pipe_fds[1], STDERR_FILENO) < 0;
}

static int restore_stderr(void **state)
{
	(void)state;
	dup2(kept_stderr, STDERR_FILENO);
	close(kept_stderr);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return unsetenv("JOURNAL_STREAM");
}

static void said(const char *expected)
{
	char text[4096];
	ssize_t n = read(pipe_fds[0], text, sizeof(text) - 1);

	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, expected);
}

static void test_plain(void **state)
{
	(void)state;
	program_invocation_short_name = (char *)"test_log";
	log_open("reader");
	log_error("open '%s': %d", "x", 7);
	said("reader: open 'x': 7\n");
	assert_string_equal(log_prefix(), "");
}

static void test_installed(void **state)
{
	(void)state;
	program_invocation_short_name = (char *)"jopil-reader";
	log_open("reader");
	log_info("ready");
	said("jopil-reader: ready\n");
	assert_string_equal(log_name(), "jopil-reader");
	assert_string_equal(log_prefix(), "jopil-");
}

/* Names come from outside: they neither steer a terminal nor make lines of their own. */
static void test_control(void **state)
{
	(void)state;
	program_invocation_short_name = (char *)"test_log";
	log_open("loader");
	log_warning("%s", "a\nb\033[2Jc\177d");
	said("loader: a?b?[2Jc?d\n");
}

static void test_journal(void **state)
{
	struct stat st;
	char stream[64];

	(void)state;
	program_invocation_short_name = (char *)"test_log";
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open("httpd");
	log_error("e");
	said("<3>httpd: e\n");
	log_warning("w");
	said("<4>httpd: w\n");
	log_info("i");
	said("<6>httpd: i\n");
	log_debug("d");
	said("<7>httpd: d\n");
}

/* Our parent's stderr was the journal, ours is not. */
static void test_not_journal(void **state)
{
	(void)state;
	program_invocation_short_name = (char *)"test_log";
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_open("httpd");
	log_error("e");
	said("httpd: e\n");
	setenv("JOURNAL_STREAM", "nonsense", 1);
	log_open("httpd");
	log_error("e");
	said("httpd: e\n");
}

static void test_long(void **state)
{
	char text[9000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	program_invocation_short_name = (char *)"test_log";
	log_open("top");
	log_error("%s", text);
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "top: ", 5);
	text[5 + 2047] = '\n';
	text[5 + 2048] = '\0';
	said(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, divert_stderr, restore_stderr),
		cmocka_unit_test_setup_teardown(test_installed, divert_stderr, restore_stderr),
		cmocka_unit_test_setup_teardown(test_control, divert_stderr, restore_stderr),
		cmocka_unit_test_setup_teardown(test_journal, divert_stderr, restore_stderr),
		cmocka_unit_test_setup_teardown(test_not_journal, divert_stderr, restore_stderr),
		cmocka_unit_test_setup_teardown(test_long, divert_stderr, restore_stderr),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
