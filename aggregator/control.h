/* SPDX-License-Identifier: MIT */
/* The rare lines, read with jansson: hello and counters. */
#ifndef JOPIL_CONTROL_H
#define JOPIL_CONTROL_H

#include "aggregator/aggregate.h"

/* Sets the host of the lines that follow. */
enum line_status control_hello(struct aggregate *a, const char *line, size_t length);

/* Sets what was counted at an interface; rows may go on in further lines. */
enum line_status control_counters(struct aggregate *a, const char *line, size_t length);

#endif
