/* SPDX-License-Identifier: MIT */
/* Every name that may lie in a pin directory, with its mode. */
#include "loader/pin_name.h"

#include <string.h>

#include "common/pins.h"

static const struct pin_rule rules[] = {
	{ PIN_AREA_SHARED, PIN_INTERFACES, 0640, false, true },
	{ PIN_AREA_SHARED, PIN_SETTINGS, 0640, false, true },
	{ PIN_AREA_SHARED, PIN_TOTALS, 0640, false, true },
	{ PIN_AREA_SHARED, PIN_LOSSES, 0640, false, true },
	{ PIN_AREA_SHARED, PIN_FLOW_SLOT, 0660, false, true },
	{ PIN_AREA_SHARED, PIN_FLOW_PAGES, 0660, false, true },
	{ PIN_AREA_SHARED, PIN_FLOWS, 0660, false, true },
	{ PIN_AREA_SHARED, PIN_RING, 0660, false, true },
	{ PIN_AREA_SHARED, PIN_PROBE_COUNTERS, 0640, false, true },
	{ PIN_AREA_SHARED, PIN_FOLD_ACTIVE, 0660, false, true },
	{ PIN_AREA_SHARED, PIN_PROCESSES, 0660, false, true },
	{ PIN_AREA_SHARED, PIN_DROPS, 0660, false, true },
	{ PIN_AREA_SHARED, PIN_LATENCIES, 0660, false, true },
	{ PIN_AREA_SHARED, PIN_EVENTS, 0660, false, true },
	{ PIN_AREA_SHARED, PIN_DROP_TOTALS, 0640, false, true },
	{ PIN_AREA_SHARED, PIN_LOCATIONS, 0640, false, true },
	{ PIN_AREA_SHARED, PIN_SOCKETS, 0640, false, true },
	{ PIN_AREA_SHARED, PIN_READER, 0750, true, true },
	{ PIN_AREA_SHARED, PIN_PRIVATE, 0700, true, false },
	{ PIN_AREA_PRIVATE, PIN_RINGS, 0600, false, false },
	{ PIN_AREA_PRIVATE, PIN_BUDGETS, 0600, false, false },
	{ PIN_AREA_PRIVATE, PIN_LINK, 0600, false, false },
	{ PIN_AREA_PRIVATE, PIN_FILTER_NEW, 0600, false, false },
	{ PIN_AREA_PRIVATE, PIN_FILTER, 0600, false, false },
	{ PIN_AREA_PRIVATE, PIN_CLSACT, 0700, true, false },
	{ PIN_AREA_PRIVATE, PIN_CHANGING, 0700, true, false },
	{ PIN_AREA_PRIVATE, PIN_HOST_LINK, 0600, false, false },
	{ PIN_AREA_PRIVATE, PIN_REFUSED, 0700, true, false },
	{ PIN_AREA_PRIVATE, PIN_PROBE_CONFIG, 0600, false, false },
	{ PIN_AREA_PRIVATE, PIN_SOCKET_STATES, 0600, false, false },
	{ PIN_AREA_PRIVATE, PIN_LOCATION_IDS, 0600, false, false },
	{ PIN_AREA_PRIVATE, PIN_LOCATIONS_USED, 0600, false, false },
	{ PIN_AREA_PRIVATE, PIN_PROCESS_MAPS, 0600, false, false },
	{ PIN_AREA_PRIVATE, PIN_DROP_MAPS, 0600, false, false },
	{ PIN_AREA_PRIVATE, PIN_LATENCY_MAPS, 0600, false, false },
	{ PIN_AREA_PRIVATE, PIN_EVENT_RING, 0600, false, false },
};

/* A decimal number of at most 32 bits as printf writes it. */
static bool take_number(const char **name, u32 *ret_number)
{
	size_t digits = strspn(*name, "0123456789");
	u64 number = 0;

	if (!digits || digits > 10 || (digits > 1 && **name == '0'))
		return false;
	for (size_t i = 0; i < digits; i++)
		number = number * 10 + (u64)(*(*name)++ - '0');
	*ret_number = (u32)number;
	return number <= UINT32_MAX;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyz"

static bool take_word(const char **name, const char *of, size_t max, char *ret_word)
{
	size_t length = strspn(*name, of);

	if (!length || length > max)
		return false;
	memcpy(ret_word, *name, length);
	ret_word[length] = '\0';
	*name += length;
	return true;
}

static bool matches(const char *pattern, const char *name, struct pin_match *m)
{
	for (; *pattern; pattern++) {
		if (*pattern != '%') {
			if (*pattern != *name++)
				return false;
			continue;
		}
		pattern++;
		if (*pattern == 'u' && !take_number(&name, &m->number[m->numbers++]))
			return false;
		if (*pattern == 'c' && !take_word(&name, LETTERS, 1, m->word))
			return false;
		if (*pattern == 's' && !take_word(&name, LETTERS, 15, m->word))
			return false;
		if (*pattern == '.') {	/* the name of a program */
			pattern += strlen("31s");
			if (!take_word(&name, LETTERS "0123456789_", sizeof(m->word) - 1, m->word))
				return false;
		}
	}
	return !*name;
}

bool pin_name_match(enum pin_area area, const char *name, struct pin_match *ret_match)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct pin_match match = { .rule = &rules[i] };

		if (rules[i].area == area && matches(rules[i].pattern, name, &match)) {
			*ret_match = match;
			return true;
		}
	}
	return false;
}

bool pin_name_is_builtin(const char *name)
{
	return !strcmp(name, "maps.debug") || !strcmp(name, "progs.debug");
}
