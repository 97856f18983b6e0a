/* SPDX-License-Identifier: MIT */
/* The loader's lines on stderr: only the verbs (attach.c, detach.c, main.c) say anything. */
#ifndef JOPIL_SAY_H
#define JOPIL_SAY_H

/* "loader: ..." and a newline. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
