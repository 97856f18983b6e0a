/* SPDX-License-Identifier: MIT */
/* The terminal: frames onto it, keys from it, and everything back as it was. */
#ifndef JOPIL_TOP_SCREEN_H
#define JOPIL_TOP_SCREEN_H

#include <stdbool.h>

#include "top/frame.h"

#define SCREEN_NO_KEY 0

/*
 * Opens /dev/tty, so that stdin may be a pipe. 0; else -errno and in *ret_why one phrase:
 * -ENXIO: there is no terminal; -ENOTSUP: not one that this can be shown on.
 */
int screen_open(const char **ret_why);

/* Everything back as it was before screen_open(); also if that failed. */
void screen_close(void);

/* For poll(2). */
int screen_fd(void);

/* How large it is now. */
void screen_size(int *ret_rows, int *ret_columns);

/* True if it takes what is written now: one that is stopped (^S) would hold us up. */
bool screen_is_ready(void);

void screen_show(const struct frame *frame);

/* The next key (top/keys.h) or SCREEN_NO_KEY; < 0: the terminal is gone. */
int screen_key(void);

/*
 * Gives the terminal back, stops as ^Z does, and takes it again when continued. Nothing
 * while it takes nothing.
 */
void screen_suspend(void);

/* Takes the terminal again, after SIGCONT: a shell has had it if SIGSTOP stopped us. */
void screen_come_back(void);

#endif
