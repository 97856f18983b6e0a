/* SPDX-License-Identifier: MIT */
/*
 * When to end: SIGTERM, SIGINT or --duration ask for it, and what cannot be
 * written for HALT_GRACE_SECONDS after that is given up. Signals interrupt
 * system calls (no SA_RESTART), so a blocked write notices.
 */
#ifndef JOPIL_READER_HALT_H
#define JOPIL_READER_HALT_H

#include <stdbool.h>

#include "common/types.h"

/* How long a consumer that takes nothing may hold up the end. */
#define HALT_GRACE_SECONDS 2

/* Installs the handlers; SIGPIPE is ignored, so that write() says EPIPE. */
void halt_install(void);

/* Asks for the end after so many nanoseconds; 0: never. */
void halt_after(u64 ns);

/* Asks for the end now. */
void halt_now(void);

/* True once the end is asked for. */
bool halt_is_wanted(void);

/* Called before each write: while ending, the grace starts anew. */
void halt_note_progress(void);

/* True when the end is asked for and nothing was written for the grace. */
bool halt_is_stuck(void);

#endif
