/* SPDX-License-Identifier: MIT */
/* What the processes of top are left, each when it has opened what it needs. */
#ifndef JOPIL_TOP_CONFINE_H
#define JOPIL_TOP_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

/* --no-sandbox, --verbose: before any of the others. */
void confine_as(bool without, bool verbose);

/*
 * Lines from what is open to a stdout that is no terminal of ours. STATUS_DONE, or STATUS_FAILED with a
 * line on stderr.
 */
int confine_printing(void);

/* The same to a terminal that is open, where nothing is said. 0 or -errno. */
int confine_showing(void);

/* The modes of a terminal that is open. 0 or -errno. */
int confine_watchdog(void);

/* Connections to one port of TCP (0: none), whatever the address. 0, or -errno with the step that failed. */
int confine_fetch(uint16_t port, const char **ret_step);

#endif
