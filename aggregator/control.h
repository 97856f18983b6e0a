/* SPDX-License-Identifier: MIT */
/* The rare lines, read with jansson: hello and counters. */
#ifndef JOPIL_CONTROL_H
#define JOPIL_CONTROL_H

#include <jansson.h>

#include "aggregator/aggregate.h"

/* Sets the host of the lines that follow. */
enum line_status control_hello(struct aggregate *a, const char *line, size_t length);

/* Sets what was counted at an interface; rows may go on in further lines. */
enum line_status control_counters(struct aggregate *a, const char *line, size_t length);

/* The host that a line is of: its own "host" key, else the last hello's. */
u16 control_host(struct aggregate *a, const json_t *root);

#endif
