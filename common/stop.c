/* SPDX-License-Identifier: MIT */
/* When to end: SIGTERM and SIGINT. */
#include "common/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

#include "common/notify.h"

static volatile sig_atomic_t signals;
static sigset_t blocked, unblocked;

static void on_signal(int number)
{
	(void)number;
	signals++;
}

void stop_install(void)
{
	struct sigaction stop = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, &unblocked);
	sigdelset(&unblocked, SIGTERM);
	sigdelset(&unblocked, SIGINT);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

bool stop_is_wanted(void)
{
	return signals > 0;
}

static int64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

bool stop_is_overdue(void)
{
	static int64_t since_ms;

	if (!signals)
		return false;
	if (!since_ms)
		since_ms = monotonic_ms();
	return signals > 1 || monotonic_ms() - since_ms >= STOP_GRACE_MS;
}

int stop_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	int ready, wait_ms;

	do {
		struct timespec timeout;

		notify_alive();
		wait_ms = timeout_ms < 0 ? notify_wait_ms() : timeout_ms;
		timeout = (struct timespec){ wait_ms / 1000, wait_ms % 1000 * 1000000L };
		ready = ppoll(fds, n, wait_ms < 0 ? NULL : &timeout, &unblocked);
	} while (!ready && timeout_ms < 0);	/* only a sign of life was due */
	/* With something to read at once, ppoll() leaves a signal pending, time after time. */
	if (ready > 0) {
		sigprocmask(SIG_UNBLOCK, &blocked, NULL);
		sigprocmask(SIG_BLOCK, &blocked, NULL);
	}
	return ready < 0 ? -errno : ready;
}
