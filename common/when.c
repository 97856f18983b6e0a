/* SPDX-License-Identifier: MIT */
/* Times as people write them, and the local calendar. */
#include "common/when.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define N(table) (sizeof(table) / sizeof((table)[0]))
#define AMOUNT_MAX 1000000000
#define YEAR_MIN 1970
#define YEAR_MAX 9999
#define DIGITS_MIN 9		/* of Unix seconds without "@": fewer may be anything */
#define DIGITS_MAX 11		/* more are milliseconds */

/* ---- the local calendar ---------------------------------------------------- */

static bool is_same_clock(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
	       a->tm_hour == b->tm_hour && a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

/* The first time at which local clocks show this; fields out of range are carried. */
static int64_t first_time(const struct tm *wanted)
{
	struct tm carried = *wanted, tm, shown;
	time_t best = 0, t;
	bool found = false;

	carried.tm_isdst = 0;
	timegm(&carried);
	for (int dst = 0; dst <= 1; dst++) {
		tm = carried;
		tm.tm_isdst = dst;
		t = mktime(&tm);
		if (!localtime_r(&t, &shown) || !is_same_clock(&shown, &carried) || (found && t > best))
			continue;
		best = t;
		found = true;
	}
	if (found)
		return (int64_t)best;
	tm = carried;
	tm.tm_isdst = 0;
	return (int64_t)mktime(&tm);
}

static struct tm local(int64_t unix_seconds)
{
	time_t t = (time_t)unix_seconds;
	struct tm tm = { 0 };

	localtime_r(&t, &tm);
	return tm;
}

int64_t when_midnight(int64_t unix_seconds, int days, int months)
{
	struct tm tm = local(unix_seconds);

	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_mday += days;
	tm.tm_mon += months;
	return first_time(&tm);
}

/* ---- so long ago ----------------------------------------------------------- */

static const struct unit {
	const char *names;	/* separated by spaces */
	int seconds, days, months;
} units[] = {
	{ " s sec secs second seconds ", 1, 0, 0 },
	{ " m min mins minute minutes ", 60, 0, 0 },
	{ " h hr hrs hour hours ", 3600, 0, 0 },
	{ " d day days ", 0, 1, 0 },
	{ " w wk week weeks ", 0, 7, 0 },
	{ " mo month months ", 0, 0, 1 },
	{ " y yr year years ", 0, 0, 12 },
};

static const struct unit *find_unit(const char *word, size_t length)
{
	char spaced[16];

	if (!length || length + 3 > sizeof(spaced))
		return NULL;
	spaced[0] = spaced[length + 1] = ' ';
	spaced[length + 2] = '\0';
	for (size_t i = 0; i < length; i++)
		spaced[i + 1] = (char)tolower((unsigned char)word[i]);
	for (size_t i = 0; i < N(units); i++)
		if (strstr(units[i].names, spaced))
			return &units[i];
	return NULL;
}

static const char *skip_spaces(const char *s)
{
	while (*s == ' ')
		s++;
	return s;
}

static size_t letters(const char *s)
{
	size_t n = 0;

	while (isalpha((unsigned char)s[n]))
		n++;
	return n;
}

static bool parse_ago(const char *text, int64_t anchor, int64_t *ret)
{
	const struct unit *unit;
	const char *word;
	struct tm tm;
	char *end;
	long amount = strtol(text, &end, 10);

	if (!isdigit((unsigned char)*text) || amount < 0 || amount > AMOUNT_MAX)
		return false;
	word = skip_spaces(end);
	unit = find_unit(word, letters(word));
	if (!unit)
		return false;
	word = skip_spaces(word + letters(word));
	if (*word && strcasecmp(word, "ago"))
		return false;
	if (unit->seconds) {
		*ret = anchor - (int64_t)amount * unit->seconds;
		return true;
	}
	if (amount > 100000)
		return false;
	tm = local(anchor);
	tm.tm_mday -= (int)amount * unit->days;
	tm.tm_mon -= (int)amount * unit->months;
	*ret = first_time(&tm);
	return true;
}

/* ---- digits ---------------------------------------------------------------- */

/* Exactly n digits; moves on. */
static bool digits(const char **s, size_t n, int *ret)
{
	int value = 0;

	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)(*s)[i]))
			return false;
		value = value * 10 + (*s)[i] - '0';
	}
	*s += n;
	*ret = value;
	return true;
}

/* "14:00", "9:30", "14:00:05"; moves on. */
static bool clock_time(const char **s, struct tm *tm)
{
	size_t wide = isdigit((unsigned char)(*s)[0]) && isdigit((unsigned char)(*s)[1]) ? 2 : 1;

	tm->tm_sec = 0;
	if (!digits(s, wide, &tm->tm_hour) || *(*s)++ != ':' || !digits(s, 2, &tm->tm_min))
		return false;
	if (**s == ':') {
		++*s;
		if (!digits(s, 2, &tm->tm_sec))
			return false;
	}
	/* 24:00 is the end of a day. */
	return tm->tm_min < 60 && tm->tm_sec < 60 &&
	       (tm->tm_hour < 24 || (tm->tm_hour == 24 && !tm->tm_min && !tm->tm_sec));
}

/* "Z", "+01:00", "-0330", "+01"; moves on. */
static bool zone(const char **s, int *ret_seconds)
{
	int hours, minutes = 0, sign = **s == '-' ? -1 : 1;

	if (**s == 'Z' || **s == 'z') {
		++*s;
		*ret_seconds = 0;
		return true;
	}
	++*s;
	if (!digits(s, 2, &hours))
		return false;
	if (**s == ':')
		++*s;
	if (**s && !digits(s, 2, &minutes))
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return hours < 24 && minutes < 60;
}

static bool is_date(const struct tm *tm)
{
	struct tm carried = *tm;

	carried.tm_isdst = 0;
	timegm(&carried);
	return carried.tm_mon == tm->tm_mon && carried.tm_mday == tm->tm_mday;
}

static bool parse_iso(const char *s, int64_t *ret)
{
	struct tm tm = { 0 };
	int year, offset = 0;
	bool has_zone = false;

	if (!digits(&s, 4, &year) || *s++ != '-' || !digits(&s, 2, &tm.tm_mon) || *s++ != '-' ||
	    !digits(&s, 2, &tm.tm_mday))
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon--;
	if (year < YEAR_MIN || year > YEAR_MAX || tm.tm_mon < 0 || tm.tm_mon > 11 || !is_date(&tm))
		return false;
	if (*s == 'T' || *s == 't' || *s == ' ') {
		s++;
		if (!clock_time(&s, &tm))
			return false;
		if (*s == ' ' && s[1])
			s++;
		has_zone = *s && strchr("Zz+-", *s);
		if (has_zone && !zone(&s, &offset))
			return false;
	}
	if (*s)
		return false;
	*ret = has_zone ? (int64_t)timegm(&tm) - offset : first_time(&tm);
	return true;
}

static bool parse_unix(const char *text, int64_t *ret)
{
	bool is_marked = *text == '@';
	const char *s = text + is_marked;
	size_t n = strspn(s, "0123456789");

	if (!n || s[n] || n > 15 || (!is_marked && n < DIGITS_MIN))
		return false;
	*ret = strtoll(s, NULL, 10);
	if (n > DIGITS_MAX)
		*ret /= 1000;
	return true;
}

/* ---- days by name ---------------------------------------------------------- */

/* How many days ago that day was; -1: it is no name of a day. */
static int days_ago(const char *word, size_t length, int today)
{
	static const char *const names[] = { "sunday", "monday", "tuesday", "wednesday",
					     "thursday", "friday", "saturday" };

	if (length == 5 && !strncasecmp(word, "today", length))
		return 0;
	if (length == 9 && !strncasecmp(word, "yesterday", length))
		return 1;
	for (int day = 0; day < 7; day++)
		if ((length == strlen(names[day]) || length == 3) && !strncasecmp(word, names[day], length))
			return (today - day + 7) % 7;
	return -1;
}

static bool parse_day(const char *text, int64_t now, int64_t *ret)
{
	struct tm tm = local(now);
	size_t length = letters(text);
	int ago = length ? days_ago(text, length, tm.tm_wday) : 0;
	const char *s = skip_spaces(text + length);

	if (ago < 0)
		return false;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_mday -= ago;
	if (!length && !*s)
		return false;
	if (*s && (!clock_time(&s, &tm) || *s))
		return false;
	*ret = first_time(&tm);
	return true;
}

int when_parse(const char *text, int64_t now, int64_t anchor, int64_t *ret, const char **ret_why)
{
	if (!strcasecmp(text, "now")) {
		*ret = now;
		return 0;
	}
	if (parse_ago(text, anchor, ret) || parse_iso(text, ret) || parse_unix(text, ret) ||
	    parse_day(text, now, ret))
		return 0;
	*ret_why = "not a time; as in 2h, '2h ago', yesterday, 'monday 14:00', 2026-11-21, "
		   "2026-11-21T14:00Z, 1763000000";
	return -EINVAL;
}

void when_read_zone(void)
{
	time_t now = time(NULL);
	struct tm date;

	setenv("TZ", ":/etc/localtime", 0);
	tzset();
	localtime_r(&now, &date);
}
