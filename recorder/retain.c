/* SPDX-License-Identifier: MIT */
/* --retain: how long what is kept. */
#include "recorder/retain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400
#define NUMBER_MAX 100000000ull
#define FLOWS_DEFAULT (7 * DAY)

struct retention retain_default(void)
{
	struct retention r = { .flow_seconds = FLOWS_DEFAULT };

	for (int tier = 0; tier < STORE_TIERS; tier++)
		r.tier_seconds[tier] = store_tiers[tier].keep_seconds;
	return r;
}

static bool parse_span(const char *text, size_t length, u64 *ret_seconds)
{
	static const struct {
		const char *unit;
		u64 seconds;
	} units[] = {
		{ "s", 1 },   { "min", 60 },	  { "h", 3600 },
		{ "d", DAY }, { "mo", 31 * DAY }, { "y", 366 * DAY },
	};
	char *unit;
	u64 number;

	if (*text < '0' || *text > '9')
		return false;
	number = strtoull(text, &unit, 10);
	length -= (size_t)(unit - text);
	if (number > NUMBER_MAX)
		return false;
	*ret_seconds = number;
	if (!length && !number)
		return true;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].unit) == length && !memcmp(units[i].unit, unit, length)) {
			*ret_seconds = number * units[i].seconds;
			return true;
		}
	return false;
}

/* Where "hours" of a retention is; NULL: there is no such thing. */
static u64 *find(struct retention *r, const char *name, size_t length)
{
	for (int tier = 0; tier < STORE_TIERS; tier++)
		if (strlen(store_tiers[tier].name) == length && !memcmp(store_tiers[tier].name, name, length))
			return &r->tier_seconds[tier];
	return length == 5 && !memcmp(name, "flows", 5) ? &r->flow_seconds : NULL;
}

int retain_parse(const char *argument, void *target, const char **ret_why)
{
	struct retention *r = target;

	*ret_why = "not like raw=1h,minutes=48h,hours=35d,days=25mo,flows=7d";
	for (;;) {
		size_t name = strcspn(argument, "=,"), span;
		u64 *to = find(r, argument, name);

		if (!to || argument[name] != '=')
			return -EINVAL;
		argument += name + 1;
		span = strcspn(argument, ",");
		if (!parse_span(argument, span, to))
			return -EINVAL;
		if (!argument[span])
			return 0;
		argument += span + 1;
	}
}
