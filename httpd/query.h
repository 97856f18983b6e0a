/* SPDX-License-Identifier: MIT */
/* The target of a request taken apart: path, and names with values. */
#ifndef JOPIL_HTTPD_QUERY_H
#define JOPIL_HTTPD_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#define QUERY_PAIRS_MAX 16

struct query {
	size_t count;
	struct query_pair {
		const char *name;
		const char *value;	/* "" where there is no = */
	} pair[QUERY_PAIRS_MAX];
};

struct target {
	const char *authority;	/* of "http://authority/path"; NULL in the usual form */
	const char *path;	/* begins with a slash, decoded */
	struct query query;	/* decoded */
};

/*
 * Takes the text apart in place (RFC 3986, RFC 9112 section 3.2): the result
 * points into it. Parameters are separated by '&', '+' is a space (HTML forms).
 *
 * 0; -EINVAL: not a path, a byte that has no place in a target, a bad %
 * sequence, a zero byte, encoded or not UTF-8; -E2BIG: more than QUERY_PAIRS_MAX
 * parameters.
 */
int target_parse(char *text, struct target *ret_target);

#endif
