/* SPDX-License-Identifier: MIT */
/* What the terminal's description says: kept apart, as <term.h> takes common words for itself. */
#ifndef JOPIL_TOP_TERMINFO_H
#define JOPIL_TOP_TERMINFO_H

#include <stddef.h>

/* Reads the description of TERM. 0; -ENOTSUP and one phrase in *ret_why. */
int terminfo_open(int fd, const char **ret_why);
void terminfo_close(void);

/*
 * What takes the terminal out of our hands: no attributes, a cursor, the screen of before;
 * without the delays that old ones need ($<5>). Returns its length, cut at size.
 */
size_t terminfo_reset(char *ret_bytes, size_t size);

#endif
