/* SPDX-License-Identifier: MIT */
/* Which rows of a list a request wants, in which order: the parameters that lists take. */
#ifndef JOPIL_HTTPD_LIST_QUERY_H
#define JOPIL_HTTPD_LIST_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "httpd/body.h"
#include "httpd/query.h"

#define LIST_LIMIT_DEFAULT 100
#define LIST_LIMIT_MAX 10000

/* What a parameter does, and what a value must be. */
enum parameter_kind {
	PARAMETER_LIMIT,	/* rows in the answer: min to max */
	PARAMETER_SORT,		/* a name of words: largest first by that number */
	PARAMETER_FIELDS,	/* names, separated by commas: what is left of a row */
	PARAMETER_NUMBER,	/* min to max; a member of the row is that number */
	PARAMETER_SINCE,	/* min to max; a member of the row is at least that */
	PARAMETER_TEXT,		/* 1 to max bytes; a member of the row is that string */
	PARAMETER_NAME,		/* the same in any case of letters */
	PARAMETER_WORD,		/* a name of words; a member of the row is that string */
	PARAMETER_WORDS,	/* names of words, separated by commas */
	PARAMETER_IP,		/* an address or network; a member is an address in it */
	PARAMETER_NETWORK,	/* likewise, a member is a network that overlaps; "host": is null */
};

/* One parameter that an address takes. */
struct parameter {
	const char *name;	/* NULL ends a table */
	enum parameter_kind kind;
	const char *help;
	const char *const *keys;	/* members of the row, one of which must fit; ends in NULL */
	const char *const *words;	/* ends in NULL */
	uint64_t min, max;
	uint64_t preset;	/* of a number that is not given; 0: it has none */
	const char *example;	/* of a text; NULL: that of its kind (openapi.c) */
	bool empty_is_none;	/* in a JSON object 0 and "" mean that it is not given */
};

/* An address and how many of its bits count. */
struct network {
	int family;	/* AF_INET, AF_INET6; 0 = none */
	uint8_t ip[16];	/* network byte order; IPv4 in the first 4 bytes */
	unsigned int bits;
};

struct filter {
	const struct parameter *parameter;
	const char *text;	/* the value as it was given */
	double number;
	struct network network;
};

struct list_query {
	size_t limit;
	bool limit_given;
	const char *sort;	/* NULL = as in the snapshot */
	const char *fields;	/* NULL = all */
	size_t filter_count;
	struct filter filter[QUERY_PAIRS_MAX];
};

/*
 * Reads the parameters by the table (NULL: it takes none); the result points into
 * the query. 0, or -EINVAL with the name of the one at fault and what is wrong about it.
 */
int list_query_parse(const struct query *query, const struct parameter *table,
		     struct list_query *ret_query, const char **ret_name, const char **ret_why);

/* "10.0.0.1", "10.0.0.0/8", "2001:db8::/32". 0 or -EINVAL. */
int list_network_parse(const char *text, struct network *ret_network);

/* Whether the object text passes all filters whose members it could have. */
bool list_row_matches(const struct list_query *query, struct slice text);

struct list_row {
	struct slice text;	/* the row's JSON as it was written */
	double number;		/* that it is sorted by; NAN = it has none */
};

/* Rows of an array. free(rows) ends it. */
struct list {
	struct list_row *rows;
	size_t total;		/* in the array */
	size_t matched;		/* in rows: whatever the limit */
};

/*
 * The rows of the JSON array (anything else is an empty one) that match, in the
 * order wanted. Rows without the number they are sorted by come last; equal ones
 * stay in order. One pass over the array. 0 or -ENOMEM.
 */
int list_select(const struct list_query *query, struct slice array, struct list *ret_list);

/* Appends a row as it was written, or the members wanted of it. */
void list_write_row(const struct list_query *query, struct slice row, struct body *body);

#endif
