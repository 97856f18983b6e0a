/* SPDX-License-Identifier: MIT */
/* Names of the connection probe's events and reasons, and back. */
#ifndef JOPIL_NAMES_H
#define JOPIL_NAMES_H

#include <stddef.h>

#include "common/records.h"

/* "error_110": what ended a connection and has no name of its own, by errno. */
#define REASON_ERROR_PREFIX "error_"

/* proto of what a process injected below IP. */
#define PROCESS_PACKET_NAME "PACKET"

/* NULL for what is no event, no reason, or none (REASON_NONE, REASON_ERROR). */
const char *connection_event_name(u8 event);
const char *connection_reason_name(u8 reason);

/* The number of a name, or -1. */
int connection_event_parse(const char *name, size_t length);
int connection_reason_parse(const char *name, size_t length);

#endif
