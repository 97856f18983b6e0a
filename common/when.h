/* SPDX-License-Identifier: MIT */
/* Times as people write them, and the local calendar. */
#ifndef JOPIL_WHEN_H
#define JOPIL_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * "2h", "90 minutes ago", "1mo": so long before `anchor`; seconds to hours by the clock,
 * days and longer by the local calendar, where a day may have 23 or 25 hours.
 * "now", "today", "yesterday", "monday" (the last one, maybe today), each but the first also
 * with a time: "yesterday 14:00"; "14:00" is today.
 * "2026-11-21", "2026-11-21T14:00", "2026-11-21 14:00:05", with "Z", "+01:00", "+0100", "+01" or
 * local. A local time that clocks show twice is the first of the two, one that they leave
 * out is as much later.
 * "1763000000", "@17": Unix seconds; 13 digits are milliseconds.
 *
 * now, anchor and *ret: Unix seconds. 0, or -EINVAL with a phrase in *ret_why.
 */
int when_parse(const char *text, int64_t now, int64_t anchor, int64_t *ret, const char **ret_why);

/* Midnight of the local day that holds a time, `days` days and `months` months on. */
int64_t when_midnight(int64_t unix_seconds, int days, int months);

/*
 * Reads the time zone, for programs that give up files: without TZ the C library would look
 * at /etc/localtime at each change between clock and calendar.
 */
void when_read_zone(void);

#endif
