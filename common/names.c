/* SPDX-License-Identifier: MIT */
/* Names of the connection probe's events and reasons, and back. */
#include "common/names.h"

#include <string.h>

static const char *const events[CONNECTION_EVENTS] = {
	[CONNECTION_CONNECT] = "connect",
	[CONNECTION_ACCEPT] = "accept",
	[CONNECTION_ESTABLISHED] = "established",
	[CONNECTION_CLOSE] = "close",
	[CONNECTION_FAILED] = "failed",
};

static const char *const reasons[CONNECTION_REASONS] = {
	[REASON_LOCAL] = "local",
	[REASON_REMOTE] = "remote",
	[REASON_ABORT] = "abort",
	[REASON_REFUSED] = "refused",
	[REASON_TIMED_OUT] = "timed_out",
	[REASON_RESET] = "reset",
	[REASON_UNREACHABLE] = "unreachable",
	[REASON_ABORTED] = "aborted",
};

const char *connection_event_name(u8 event)
{
	return event < CONNECTION_EVENTS ? events[event] : NULL;
}

const char *connection_reason_name(u8 reason)
{
	return reason < CONNECTION_REASONS ? reasons[reason] : NULL;
}

static int find(const char *const *names, int n, const char *name, size_t length)
{
	for (int i = 0; i < n; i++)
		if (names[i] && strlen(names[i]) == length && !memcmp(names[i], name, length))
			return i;
	return -1;
}

int connection_event_parse(const char *name, size_t length)
{
	return find(events, CONNECTION_EVENTS, name, length);
}

int connection_reason_parse(const char *name, size_t length)
{
	return find(reasons, CONNECTION_REASONS, name, length);
}
