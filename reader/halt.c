/* SPDX-License-Identifier: MIT */
/* When to end: signal handlers and the one interval timer behind them. */
#include "reader/halt.h"

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

#define NS_PER_S 1000000000ull

static volatile sig_atomic_t wanted, stuck;

/* As alarm(2); halt_after() needs the finer call anyhow. */
static void ring_in(int seconds)
{
	struct itimerval timer = { .it_value.tv_sec = seconds };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void on_stop(int signal_number)
{
	(void)signal_number;
	wanted = 1;
	ring_in(HALT_GRACE_SECONDS);
}

/*
 * The first alarm may be --duration's; later ones say that the grace is over, and
 * repeat, so that a write which had not begun to block yet is interrupted as well.
 */
static void on_alarm(int signal_number)
{
	if (!wanted) {
		on_stop(signal_number);
		return;
	}
	stuck = 1;
	ring_in(1);
}

void halt_install(void)
{
	struct sigaction stop = { .sa_handler = on_stop };
	struct sigaction ring = { .sa_handler = on_alarm };

	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGALRM, &ring, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void halt_after(u64 ns)
{
	struct itimerval timer = {
		.it_value = { (time_t)(ns / NS_PER_S), (suseconds_t)(ns % NS_PER_S / 1000) },
	};

	if (ns && ns < 1000)
		timer.it_value.tv_usec = 1;
	setitimer(ITIMER_REAL, &timer, NULL);
}

void halt_now(void)
{
	on_stop(0);
}

bool halt_is_wanted(void)
{
	return wanted;
}

void halt_note_progress(void)
{
	if (!wanted)
		return;
	stuck = 0;
	ring_in(HALT_GRACE_SECONDS);
}

bool halt_is_stuck(void)
{
	return stuck;
}
