/* SPDX-License-Identifier: MIT */
/* Stdout: written so that a consumer that takes nothing cannot keep us from ending. */
#ifndef JOPIL_AGGREGATOR_OUTPUT_H
#define JOPIL_AGGREGATOR_OUTPUT_H

#include <stddef.h>

/*
 * Writes all, and waits for that: back-pressure, not loss. 0; -EPIPE if nobody reads any
 * more; -ETIMEDOUT if the end was asked for and nothing was taken for STOP_GRACE_MS;
 * else the -errno of write(2).
 */
int output_write(int fd, const char *bytes, size_t length);

#endif
