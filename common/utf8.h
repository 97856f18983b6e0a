/* SPDX-License-Identifier: MIT */
/* What is UTF-8 and what is not (RFC 3629). */
#ifndef JOPIL_UTF8_H
#define JOPIL_UTF8_H

#include <stddef.h>

/*
 * The length of the sequence of two to four bytes at s, of which `left` can be looked
 * at; 0 if there is no valid one (also for ASCII).
 */
size_t utf8_length(const unsigned char *s, size_t left);

#endif
