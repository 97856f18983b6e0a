/* SPDX-License-Identifier: MIT */
/* Texts and numbers for people in front of a terminal. */
#include "report/text.h"

#include <inttypes.h>
#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#define WIDTH_MIN 20
#define WIDTH_MAX 1000
#define WIDTH_DEFAULT 80

bool text_is_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

/* One character of the locale: its bytes, or 0 where it is none that may be shown. */
static size_t shown(const char *s, size_t left, int *ret_width)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t n = mbrtowc(&c, s, left, &state);

	if (n == 0 || n > left || !iswprint((wint_t)c))
		return 0;
	*ret_width = wcwidth(c);
	/* No width: joins with what is before, or turns the writing around (U+202E). */
	return *ret_width > 0 ? n : 0;
}

char *text_for_terminal(const char *text)
{
	size_t left = strlen(text);
	char *all = malloc(4 * left + 1), *at = all;

	if (!all)
		return NULL;
	while (left) {
		int width;
		size_t n = shown(text, left, &width);

		if (n) {
			memcpy(at, text, n);
			at += n;
		} else {
			n = 1;
			at += sprintf(at, "\\x%02x", (unsigned char)*text);
		}
		text += n;
		left -= n;
	}
	*at = '\0';
	return all;
}

/* Up to `most` columns. */
static size_t measure(const char *text, size_t most, size_t *ret_columns)
{
	size_t at = 0, left = strlen(text);

	*ret_columns = 0;
	while (left) {
		int width = 1;
		size_t n = shown(text + at, left, &width);

		n = n ? n : 1;
		if (*ret_columns + (size_t)width > most)
			break;
		*ret_columns += (size_t)width;
		at += n;
		left -= n;
	}
	return at;
}

size_t text_width(const char *text)
{
	size_t columns;

	measure(text, SIZE_MAX / 2, &columns);
	return columns;
}

size_t text_cut(const char *text, size_t width)
{
	size_t columns;

	return measure(text, width, &columns);
}

size_t text_terminal_width(void)
{
	const char *told = getenv("COLUMNS");
	unsigned long columns = told ? strtoul(told, NULL, 10) : 0;
	struct winsize size;

	if (!columns && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		columns = size.ws_col;
	if (!columns)
		columns = WIDTH_DEFAULT;
	return columns < WIDTH_MIN ? WIDTH_MIN : columns > WIDTH_MAX ? WIDTH_MAX : columns;
}

/* Three digits. */
static void put_scaled(double number, const char *prefix, const char *unit, char text[TEXT_NUMBER_MAX])
{
	double size = fabs(number);
	int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;

	snprintf(text, TEXT_NUMBER_MAX, "%.*f%s%s%s", decimals, number, *prefix || *unit ? " " : "", prefix,
		 unit);
}

void text_number(int64_t number, const char *unit, char text[TEXT_NUMBER_MAX])
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T", "P", "E" };
	double scaled = (double)number;
	size_t step = 0;

	if (number > -1000 && number < 1000) {
		snprintf(text, TEXT_NUMBER_MAX, "%" PRId64 "%s%s", number, *unit ? " " : "", unit);
		return;
	}
	for (; fabs(scaled) >= 999.5 && step + 1 < sizeof(prefixes) / sizeof(prefixes[0]); step++)
		scaled /= 1000;
	put_scaled(scaled, prefixes[step], unit, text);
}

void text_duration_us(int64_t us, char text[TEXT_NUMBER_MAX])
{
	if (us < 1000)
		snprintf(text, TEXT_NUMBER_MAX, "%" PRId64 " us", us);
	else if (us < 999500)
		put_scaled((double)us / 1e3, "", "ms", text);
	else
		put_scaled((double)us / 1e6, "", "s", text);
}

void text_time(int64_t unix_seconds, bool with_seconds, char text[TEXT_TIME_MAX])
{
	time_t t = (time_t)unix_seconds;
	struct tm tm;

	if (!localtime_r(&t, &tm) ||
	    !strftime(text, TEXT_TIME_MAX, with_seconds ? "%Y-%m-%d %H:%M:%S %Z" : "%Y-%m-%d %H:%M %Z", &tm))
		snprintf(text, TEXT_TIME_MAX, "%" PRId64, unix_seconds);
}
