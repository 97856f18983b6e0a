/* SPDX-License-Identifier: MIT */
/* Command lines as tables: the rows parse the arguments and print --help. */
#include "common/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/version.h"

#define ROWS_MAX 48
#define KEY_BASE 256	/* getopt_long values of rows: above every char */
#define KEY_VERSION 1	/* no letter of a row */
#define KEY_TABLE 2
#define NS_PER_S 1000000000ull

static const struct option_row common_rows[] = {
	{ .name = "help", .letter = 'h', .kind = OPTION_FLAG, .help = "print this help and exit" },
	{ .name = "version", .kind = OPTION_FLAG, .help = "print the version and exit" },
	{ .name = NULL },
};

int options_number(const char *text, uint64_t min, uint64_t max, bool suffixes,
		   uint64_t *ret_value)
{
	static const char letters[] = "KMG";
	unsigned long long value;
	unsigned int shift = 0;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	if (suffixes && *end) {
		const char *hit = strchr(letters, *end & ~0x20);

		if (!hit || end[1])
			return -EINVAL;
		shift = 10 * (unsigned int)(hit - letters + 1);
	} else if (*end) {
		return -EINVAL;
	}
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	value <<= shift;
	if (value < min || (max && value > max))
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int options_seconds(const char *text, uint64_t min_ns, uint64_t max_ns,
		    uint64_t *ret_ns)
{
	uint64_t ns = 0, unit = NS_PER_S / 10;
	unsigned long long whole = 0;
	char *end = (char *)text;

	if (text[0] != '.') {
		if (text[0] < '0' || text[0] > '9')
			return -EINVAL;
		errno = 0;
		whole = strtoull(text, &end, 10);
		if (errno || whole > UINT64_MAX / NS_PER_S - 1)
			return -ERANGE;
	}
	if (*end == '.') {
		if (end[1] < '0' || end[1] > '9')
			return -EINVAL;
		for (end++; *end >= '0' && *end <= '9'; end++, unit /= 10)
			ns += unit * (uint64_t)(*end - '0');
	}
	if (*end)
		return -EINVAL;
	ns += whole * NS_PER_S;
	if (ns < min_ns || (max_ns && ns > max_ns))
		return -ERANGE;
	*ret_ns = ns;
	return 0;
}

static void print_row(const struct option_row *row)
{
	char left[48];

	if (row->letter)
		snprintf(left, sizeof(left), "-%c, --%s %s", row->letter, row->name,
			 row->argument ? row->argument : "");
	else
		snprintf(left, sizeof(left), "    --%s %s", row->name,
			 row->argument ? row->argument : "");
	printf("  %-28s %s\n", left, row->help);
}

static void print_help(const struct program_info *program, const struct option_row *rows)
{
	printf("usage: %s [options]%s%s\n%s\n\n", log_name(), *program->operands ? " " : "",
	       program->operands, program->purpose);
	for (; rows->name; rows++)
		print_row(rows);
	for (rows = common_rows; rows->name; rows++)
		print_row(rows);
	printf("\nexit status: 0 done, 1 failed, 2 usage, 3 not supported here\n");
}

/* For completions/make, not for people: letter, name, argument and help, with tabs between. */
static void print_table(const struct option_row *rows)
{
	const struct option_row *tables[] = { rows, common_rows };

	for (int i = 0; i < 2; i++)
		for (const struct option_row *row = tables[i]; row->name; row++)
			printf("%.1s\t%s\t%s\t%s\n", &row->letter, row->name,
			       row->argument ? row->argument : "", row->help);
}

static const char *bad_number(const struct option_row *row, int err, char *buf, size_t size)
{
	uint64_t unit = row->kind == OPTION_SECONDS ? NS_PER_S : 1;

	if (err == -EINVAL)
		return row->kind == OPTION_SECONDS ? "not a number of seconds" : "not a whole number";
	if (row->max)
		snprintf(buf, size, "outside %g to %g", (double)row->min / (double)unit,
			 (double)row->max / (double)unit);
	else
		snprintf(buf, size, "below %g or too large", (double)row->min / (double)unit);
	return buf;
}

static enum options_result set_row(const struct option_row *row, const char *argument)
{
	const char *why = NULL;
	char buf[80];
	int err = 0;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)row->target = true;
		break;
	case OPTION_STRING:
		*(const char **)row->target = argument;
		break;
	case OPTION_NUMBER:
		err = options_number(argument, row->min, row->max, row->suffixes, row->target);
		why = bad_number(row, err, buf, sizeof(buf));
		break;
	case OPTION_SECONDS:
		err = options_seconds(argument, row->min, row->max, row->target);
		why = bad_number(row, err, buf, sizeof(buf));
		break;
	case OPTION_PARSED:
		err = row->parse(argument, row->target, &why);
		break;
	}
	if (!err)
		return OPTIONS_GO;
	log_error("--%s '%s': %s", row->name, argument, why ? why : strerror(-err));
	return OPTIONS_BAD;
}

/* The long options and the short ones, for getopt_long(). */
struct getopt_tables {
	struct option longs[ROWS_MAX + 4];
	char shorts[2 * ROWS_MAX + 8];
};

static size_t make_tables(const struct option_row *rows, struct getopt_tables *t)
{
	char *s = t->shorts;
	size_t n = 0;

	*s++ = ':';	/* missing arguments are told apart */
	for (; n < ROWS_MAX && rows[n].name; n++) {
		int takes = rows[n].kind == OPTION_FLAG ? no_argument : required_argument;

		t->longs[n] = (struct option){ rows[n].name, takes, NULL, KEY_BASE + (int)n };
		if (!rows[n].letter)
			continue;
		*s++ = rows[n].letter;
		if (takes == required_argument)
			*s++ = ':';
	}
	t->longs[n] = (struct option){ "help", no_argument, NULL, 'h' };
	t->longs[n + 1] = (struct option){ "version", no_argument, NULL, KEY_VERSION };
	t->longs[n + 2] = (struct option){ "help-table", no_argument, NULL, KEY_TABLE };
	t->longs[n + 3] = (struct option){ 0 };
	*s++ = 'h';
	*s = '\0';
	return n;
}

static const struct option_row *row_of(const struct option_row *rows, size_t n, int key)
{
	if (key >= KEY_BASE)
		return &rows[key - KEY_BASE];
	for (size_t i = 0; i < n; i++)
		if (rows[i].letter && rows[i].letter == key)
			return &rows[i];
	return NULL;
}

static enum options_result usage_error(const char *what, const char *which)
{
	log_error("%s '%s'; %s --help lists what there is", what, which, log_name());
	return OPTIONS_BAD;
}

enum options_result options_parse(const struct program_info *program,
				  const struct option_row *rows, int argc,
				  char **argv, int *ret_operands)
{
	struct getopt_tables tables = { 0 };
	size_t n = make_tables(rows, &tables);
	int key;

	log_open(program->name);
	opterr = 0;
	optind = 0;	/* 0, not 1: glibc starts afresh, also for a second table */
	while ((key = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
		const struct option_row *row = row_of(rows, n, key);
		char letter[3] = { '-', (char)optopt, '\0' };

		if (row) {
			if (set_row(row, optarg) != OPTIONS_GO)
				return OPTIONS_BAD;
		} else if (key == 'h') {
			print_help(program, rows);
			return OPTIONS_END;
		} else if (key == KEY_TABLE) {
			print_table(rows);
			return OPTIONS_END;
		} else if (key == KEY_VERSION) {
			printf("%s (jopil) %s\n", log_name(), JOPIL_VERSION);
			return OPTIONS_END;
		} else {
			return usage_error(key == ':' ? "an argument is missing for"
						      : "unknown option",
					   optopt && optopt < KEY_BASE ? letter : argv[optind - 1]);
		}
	}
	if (optind < argc && !program->takes_operands)
		return usage_error("nothing expected but options, found", argv[optind]);
	*ret_operands = optind;
	return OPTIONS_GO;
}
