/* SPDX-License-Identifier: MIT */
/*
 * What whoever started us wants to know: that we are ready (a newline on --ready-fd, or
 * READY=1 to systemd, sd_notify(3)) and that we are alive (WATCHDOG=1, where systemd.service(5)
 * has WatchdogSec=). Without any of them these do nothing.
 */
#ifndef JOPIL_NOTIFY_H
#define JOPIL_NOTIFY_H

#include <stdint.h>

#define NOTIFY_NO_FD UINT64_MAX

/* Connects to systemd, before a sandbox forbids it. What the environment says is taken from it. */
void notify_open(void);

/*
 * Tells that we are ready, and closes ready_fd unless it is NOTIFY_NO_FD. 0, or the -errno of
 * writing to ready_fd.
 */
int notify_ready(uint64_t ready_fd);

/* What systemctl status, and jopil status, show beside us: trouble. Both parts, on one line. */
void notify_status(const char *what, const char *why);

/* A sign of life, if one is due; cheap. To be called in each turn of a loop that waits. */
void notify_alive(void);

/* How long such a turn may wait: milliseconds for poll(2), -1 for ever. */
int notify_wait_ms(void);

#endif
