/* SPDX-License-Identifier: MIT */
/* What is wrong with a line that came in, in one line on stderr. */
#include "common/bad_line.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/log.h"

#define SHOWN_BYTES 80

void bad_line_say(bool said[BAD_LINES], enum bad_line why, uint64_t number, const char *line,
		  size_t length)
{
	static const char *const words[BAD_LINES] = {
		[BAD_JSON] = "is not JSON",
		[BAD_TOO_LONG] = "is too long",
		[BAD_TYPE] = "lacks a key or has one of a wrong type",
	};
	char shown[SHOWN_BYTES + 1], which[32] = "a line";
	size_t n = length < SHOWN_BYTES ? length : SHOWN_BYTES;

	if (said[why])
		return;
	said[why] = true;
	for (size_t i = 0; i < n; i++)
		shown[i] = line[i] >= ' ' && line[i] <= '~' ? line[i] : '?';
	shown[n] = '\0';
	if (number)
		snprintf(which, sizeof(which), "line %" PRIu64, number);
	log_warning("%s %s, passed over; more of this kind are only counted: %s", which, words[why],
		    shown);
}
