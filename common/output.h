/* SPDX-License-Identifier: MIT */
/* Stdout: written so that a consumer that takes nothing cannot keep us from ending. */
#ifndef JOPIL_OUTPUT_H
#define JOPIL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Whether it is a FIFO with a name, which outlives its writers. The line that one which was killed
 * left half-written must not swallow our first, so begin with an empty one: all of our programs
 * pass over those.
 */
bool output_outlives_us(int fd);

/*
 * Writes all, and waits for that: back-pressure, not loss. 0; -EPIPE if nobody reads any
 * more; -ETIMEDOUT if the end was asked for and nothing was taken for STOP_GRACE_MS;
 * else the -errno of write(2).
 */
int output_write(int fd, const char *bytes, size_t length);

/*
 * The same, but only until nothing was taken for patience_ms: how many bytes were, or -errno.
 * With -1 it is output_write().
 */
ssize_t output_write_within(int fd, const char *bytes, size_t length, int patience_ms);

/* Writes what goes at once: how many bytes, maybe 0; or -errno as above. */
ssize_t output_some(int fd, const char *bytes, size_t length);

#endif
