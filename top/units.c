/* SPDX-License-Identifier: MIT */
/* Numbers as people read them, in few cells. */
#include "top/units.h"

#include <stdio.h>

/* Three digits: 9.99, 99.9, 999. The limits are those of rounding. */
static int digits_behind(double value)
{
	return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

static void scaled(double value, const char *unit, char *ret_text, size_t size)
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T", "P", "E" };
	size_t i = 0;

	if (!(value >= 0))
		value = 0;
	for (; value >= 999.5 && i < sizeof(prefixes) / sizeof(prefixes[0]) - 1; i++)
		value /= 1000;
	snprintf(ret_text, size, "%.*f%s%s", i ? digits_behind(value) : 0, value, prefixes[i], unit);
}

void units_count(double value, char *ret_text, size_t size)
{
	scaled(value, "", ret_text, size);
}

void units_size(double bytes, char *ret_text, size_t size)
{
	scaled(bytes, "B", ret_text, size);
}

void units_rate(double bps, bool as_bytes, char *ret_text, size_t size)
{
	if (as_bytes)
		scaled(bps / 8, "B/s", ret_text, size);
	else
		scaled(bps, "b/s", ret_text, size);
}

void units_duration(double ms, char *ret_text, size_t size)
{
	long long seconds;

	if (!(ms >= 0))
		ms = 0;
	seconds = ms < 9e17 ? (long long)(ms / 1000) : 0;
	if (ms < 999.5)
		snprintf(ret_text, size, "%.0fms", ms);
	else if (ms < 59950)
		snprintf(ret_text, size, "%.1fs", ms / 1000);
	else if (seconds < 3600)
		snprintf(ret_text, size, "%lldm%02lld", seconds / 60, seconds % 60);
	else if (seconds < 86400)
		snprintf(ret_text, size, "%lldh%02lld", seconds / 3600, seconds / 60 % 60);
	else
		snprintf(ret_text, size, "%lldd", seconds / 86400);
}

void units_microseconds(double us, char *ret_text, size_t size)
{
	if (!(us >= 0))
		us = 0;
	if (us < 999.5)
		snprintf(ret_text, size, "%.0fus", us);
	else if (us < 999500)
		snprintf(ret_text, size, "%.*fms", digits_behind(us / 1000), us / 1000);
	else
		snprintf(ret_text, size, "%.*fs", digits_behind(us / 1e6), us / 1e6);
}
