/* SPDX-License-Identifier: MIT */
/* A range of time in steps of clock and calendar. */
#include "common/ask_steps.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/when.h"

#define PAGE 48			/* steps, unless told */
#define DAY 86400

static const struct step {
	const char *name;
	int64_t seconds;	/* about */
	int hours, days, months;	/* of the calendar, where not of the clock */
} steps[] = {
	{ "10s", 10, 0, 0, 0 },
	{ "1min", 60, 0, 0, 0 },
	{ "5min", 300, 0, 0, 0 },
	{ "15min", 900, 0, 0, 0 },
	{ "1h", 3600, 0, 0, 0 },
	{ "6h", 6 * 3600, 6, 0, 0 },
	{ "1d", DAY, 0, 1, 0 },
	{ "1w", 7 * DAY, 0, 7, 0 },
	{ "1mo", 31 * DAY, 0, 0, 1 },
};

#define N_STEPS (sizeof(steps) / sizeof(steps[0]))

static size_t find(const char *name)
{
	size_t i = 0;

	while (i < N_STEPS && strcmp(steps[i].name, name))
		i++;
	return i;
}

bool steps_are(const char *name)
{
	return find(name) < N_STEPS;
}

const char *steps_not_below(int64_t seconds)
{
	size_t i = 0;

	while (i + 1 < N_STEPS && steps[i].seconds < seconds)
		i++;
	return steps[i].name;
}

static struct tm local(int64_t t)
{
	time_t time = (time_t)t;
	struct tm tm = { 0 };

	localtime_r(&time, &tm);
	return tm;
}

/* Where the step that holds a time begins. */
static int64_t floor_of(const struct step *step, int64_t t)
{
	struct tm tm = local(t);

	if (step->hours) {
		tm.tm_hour -= tm.tm_hour % step->hours;
		tm.tm_min = tm.tm_sec = 0;
		tm.tm_isdst = -1;
		return (int64_t)mktime(&tm);
	}
	if (step->months)
		return when_midnight(t, 1 - tm.tm_mday, 0);
	if (step->days == 7)
		return when_midnight(t, -((tm.tm_wday + 6) % 7), 0);
	if (step->days)
		return when_midnight(t, 0, 0);
	return t - (t + tm.tm_gmtoff) % step->seconds;
}

/* The next cut behind one. */
static int64_t next_of(const struct step *step, int64_t cut)
{
	int64_t next;

	if (step->days || step->months)
		return when_midnight(cut, step->days, step->months);
	if (!step->hours)
		return cut + step->seconds;
	/* 5 or 7 hours where clocks change between. */
	next = floor_of(step, cut + step->seconds + 3600);
	return next > cut ? next : cut + step->seconds;
}

bool steps_fit(const char *name, int64_t from, int64_t to)
{
	return (to - from) / steps[find(name)].seconds < STEPS_MAX;
}

static int64_t *cuts_of(const struct step *step, int64_t from, int64_t to, bool is_whole, size_t *ret_n)
{
	size_t n = 0, most = (size_t)((to - from) / step->seconds) * 5 / 4 + 8;
	int64_t *cuts = malloc(most * sizeof(*cuts));

	if (!cuts)
		return NULL;
	for (int64_t cut = floor_of(step, from); cut < to && n < most - 1; cut = next_of(step, cut))
		cuts[n++] = cut;
	cuts[n++] = to;
	if (!is_whole)
		cuts[0] = from;
	*ret_n = n;
	return cuts;
}

static size_t first_step(const struct ask_request *r)
{
	size_t i = 0;

	if (r->step)
		return find(r->step);
	while (i + 1 < N_STEPS && (r->to - r->from) / steps[i].seconds > PAGE)
		i++;
	return i;
}

bool steps_plan(struct ask *a, bool is_whole)
{
	bool good = true;

	for (size_t i = first_step(a->request); i < N_STEPS && good; i++) {
		size_t n = 0;
		int64_t *cuts = cuts_of(&steps[i], a->request->from, a->request->to, is_whole, &n);

		good = ask_plan_parts(a, cuts, n);
		if (good && !a->plan.crosses)
			break;
	}
	return good;
}
