/* SPDX-License-Identifier: MIT */
/*
 * When to end: SIGTERM or SIGINT ask for it, a second one insists. They are blocked but
 * while waiting, so that none comes between a look and a wait.
 */
#ifndef JOPIL_STOP_H
#define JOPIL_STOP_H

#include <poll.h>
#include <stdbool.h>

/* How long what the reader still sends is read, and how long a consumer may take nothing. */
#define STOP_GRACE_MS 2000

/* Installs the handlers; SIGPIPE is ignored, so that write() says EPIPE. */
void stop_install(void);

/* True once the end is asked for. */
bool stop_is_wanted(void);

/* True when it was asked for twice, or STOP_GRACE_MS ago. */
bool stop_is_overdue(void);

/*
 * poll(2), interrupted by the signals; with timeout_ms -1 it waits for ever. Tells a watchdog
 * that we are alive. 0.. or -errno.
 */
int stop_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

#endif
