/* SPDX-License-Identifier: MIT */
/* A process that leaves the terminal as it was when ours cannot: a crash, SIGKILL. */
#ifndef JOPIL_TOP_WATCHDOG_H
#define JOPIL_TOP_WATCHDOG_H

#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

/* What it takes to give a terminal back. */
struct terminal {
	int fd;
	struct termios before;	/* modes */
	char reset[512];	/* written to it: what makes it a plain one again */
	size_t reset_length;
};

/*
 * Sets the modes back, unless they are others than `only`, if that is given, and writes
 * the reset. Async-signal-safe.
 */
void terminal_give_back(const struct terminal *terminal, const struct termios *only);

enum watchdog_word {
	WATCHDOG_AWAY = 'a',	/* the terminal is as it was: leave it */
	WATCHDOG_CHANGING = 'c',	/* its modes may be half changed */
	WATCHDOG_HERE = 'h',	/* the terminal is ours, with the modes that it has now */
};

struct watchdog {
	int fd;			/* of a pipe: its end is what the watchdog waits for; -1: none */
	enum watchdog_word last;
	pid_t pid;
};

/* Starts it, with WATCHDOG_AWAY. 0 or -errno. */
int watchdog_start(struct watchdog *dog, const struct terminal *terminal);

/* Async-signal-safe. */
void watchdog_tell(struct watchdog *dog, enum watchdog_word word);

/* Ends it: after WATCHDOG_AWAY at once, else when it has given the terminal back. */
void watchdog_stop(struct watchdog *dog);

#endif
