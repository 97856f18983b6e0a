/* SPDX-License-Identifier: MIT */
/* Command lines as tables: the rows parse the arguments and print --help. */
#ifndef JOPIL_OPTIONS_H
#define JOPIL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
	OPTION_FLAG,	/* target: bool, set to true */
	OPTION_STRING,	/* target: const char *, points into argv */
	OPTION_NUMBER,	/* target: uint64_t, min..max, decimal; K, M, G suffixes of 1024 if .suffixes */
	OPTION_SECONDS,	/* target: uint64_t nanoseconds; decimal seconds, min..max in ns */
	OPTION_PARSED,	/* target: anything; .parse decides */
};

struct option_row {
	const char *name;	/* the long name, without dashes; NULL ends the table */
	char letter;		/* the short name, 0 = none */
	enum option_kind kind;
	const char *argument;	/* what --help calls the argument, NULL for flags */
	const char *help;	/* one line */
	void *target;
	uint64_t min, max;	/* NUMBER and SECONDS; max 0 = no limit */
	bool suffixes;		/* NUMBER: accept K, M, G */
	/* PARSED: 0, or -errno with the reason as one phrase in *ret_why */
	int (*parse)(const char *argument, void *target, const char **ret_why);
};

struct program_info {
	const char *name;	/* "reader" */
	const char *operands;	/* "IFACE..." or "" */
	const char *purpose;	/* one or two sentences for --help */
	bool takes_operands;
};

enum options_result { OPTIONS_GO, OPTIONS_END, OPTIONS_BAD };

/*
 * Reads argv by the rows. --help and --version are added to every table and
 * print to stdout. Fills *ret_operands with the index of the first operand
 * (argv is permuted so that operands come last).
 *
 * OPTIONS_GO: go on. OPTIONS_END: --help or --version was answered, exit with
 * STATUS_DONE. OPTIONS_BAD: one line was written to stderr, exit with
 * STATUS_USAGE.
 */
enum options_result options_parse(const struct program_info *program,
				  const struct option_row *rows, int argc,
				  char **argv, int *ret_operands);

/*
 * "10", with .suffixes also "16M". 0, -EINVAL (not a number), -ERANGE.
 */
int options_number(const char *text, uint64_t min, uint64_t max, bool suffixes,
		   uint64_t *ret_value);

/* "1", "0.25" seconds to nanoseconds. 0, -EINVAL, -ERANGE. */
int options_seconds(const char *text, uint64_t min_ns, uint64_t max_ns,
		    uint64_t *ret_ns);

#endif
