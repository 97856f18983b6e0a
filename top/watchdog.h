/* SPDX-License-Identifier: MIT */
/* A process that leaves the terminal as it was when ours cannot: a crash, SIGKILL. */
#ifndef JOPIL_TOP_WATCHDOG_H
#define JOPIL_TOP_WATCHDOG_H

#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

struct watchdog {
	int fd;			/* of a pipe: its end is what the watchdog waits for; -1: none */
	pid_t pid;
};

enum watchdog_word {
	WATCHDOG_AWAY = 'a',	/* the terminal is as it was: leave it */
	WATCHDOG_HERE = 'h',	/* the terminal is ours, with the modes that it has now */
};

/*
 * Starts it: `before` are the modes to go back to, `reset` what to write. It waits for
 * WATCHDOG_HERE. 0 or -errno.
 */
int watchdog_start(struct watchdog *dog, int terminal, const struct termios *before,
		   const char *reset, size_t length);

void watchdog_tell(struct watchdog *dog, enum watchdog_word word);

/* Ends it without a word to the terminal. */
void watchdog_stop(struct watchdog *dog);

#endif
