/* SPDX-License-Identifier: MIT */
/* common/notify.c, and common/stop.c's part in it: what systemd is told, and when. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/notify.h"
#include "common/stop.h"

#define MANAGER "@jopil-test-notify"

static int manager = -1;

/* A systemd of our own, in the abstract namespace. */
static int start_manager(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "%s-%d", MANAGER, (int)getpid());
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return bind(manager, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)));
}

static int end_manager(void **state)
{
	(void)state;
	close(manager);
	notify_open();	/* nobody any more */
	return 0;
}

/* The next message, or NULL. */
static const char *told(void)
{
	static char text[64];
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? text : NULL;
}

static void set_watchdog(const char *us, int pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	setenv("WATCHDOG_USEC", us, 1);
	setenv("WATCHDOG_PID", text, 1);
}

static void test_nobody(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	notify_open();
	assert_int_equal(notify_ready(NOTIFY_NO_FD), 0);
	notify_alive();
	notify_status("nothing is kept: ", "no room");
	assert_int_equal(notify_wait_ms(), -1);
}

static void test_ready_fd(void **state)
{
	char byte = 0;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(notify_ready((uint64_t)fds[1]), 0);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(byte, '\n');
	assert_int_equal(read(fds[0], &byte, 1), 0);
	close(fds[0]);
	assert_true(notify_ready(1023) < 0);
}

static void test_ready(void **state)
{
	(void)state;
	notify_open();
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(told());
	assert_int_equal(notify_ready(NOTIFY_NO_FD), 0);
	assert_string_equal(told(), "READY=1");
	notify_alive();
	assert_null(told());	/* no WatchdogSec= */
}

/* One assignment, whatever is in the name of a file. */
static void test_status(void **state)
{
	char path[4096];

	(void)state;
	notify_open();
	notify_status("nothing is kept: ", "a\nREADY=1: no");
	assert_string_equal(told(), "STATUS=nothing is kept: a READY=1: no");
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	notify_status("", path);
	assert_memory_equal(told(), "STATUS=xxxx", 11);
}

static void test_alive(void **state)
{
	(void)state;
	set_watchdog("3600000000", getpid());
	notify_open();
	assert_null(getenv("WATCHDOG_USEC"));
	notify_alive();
	assert_string_equal(told(), "WATCHDOG=1");
	notify_alive();
	assert_null(told());	/* not before half an hour has passed */
	assert_in_range(notify_wait_ms(), 1799000, 1800000);
}

/* Somebody else's watchdog, in an environment that was handed down. */
static void test_not_ours(void **state)
{
	(void)state;
	set_watchdog("3600000000", getpid() + 1);
	notify_open();
	notify_alive();
	assert_null(told());
	assert_int_equal(notify_wait_ms(), -1);
}

/* Who waits for ever gives signs of life meanwhile. */
static void test_waiting(void **state)
{
	int signs = 0, fds[2];
	struct pollfd manager_poll = { .fd = manager, .events = POLLIN };
	char byte = 'x';
	pid_t child;
	int status;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	set_watchdog("20000", getpid());
	notify_open();
	child = fork();
	if (!child) {
		struct pollfd in = { .fd = fds[0], .events = POLLIN };

		stop_install();
		_exit(stop_poll(&in, 1, -1) == 1 ? 0 : 1);
	}
	for (; signs < 3; signs++) {
		assert_int_equal(poll(&manager_poll, 1, 10000), 1);
		assert_string_equal(told(), "WATCHDOG=1");
	}
	assert_int_equal(write(fds[1], &byte, 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_ready_fd),
		cmocka_unit_test_setup_teardown(test_ready, start_manager, end_manager),
		cmocka_unit_test_setup_teardown(test_status, start_manager, end_manager),
		cmocka_unit_test_setup_teardown(test_alive, start_manager, end_manager),
		cmocka_unit_test_setup_teardown(test_not_ours, start_manager, end_manager),
		cmocka_unit_test_setup_teardown(test_waiting, start_manager, end_manager),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
