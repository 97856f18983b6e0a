/* SPDX-License-Identifier: MIT */
/* Parameters that came as a JSON object, made what they would be in a target. */
#ifndef JOPIL_HTTPD_JSON_QUERY_H
#define JOPIL_HTTPD_JSON_QUERY_H

#include <jansson.h>

#include "httpd/body.h"
#include "httpd/list_query.h"
#include "httpd/query.h"

#define JSON_NUMBER_SIZE 24	/* the digits of 64 bits, and a sign */

struct json_query {
	struct query query;	/* points into the rest */
	json_t *root;
	char number[QUERY_PAIRS_MAX][JSON_NUMBER_SIZE];
};

/*
 * Takes from the object in text the members that the table names; null is not given,
 * others are passed over. Whether the values are good is for list_query_parse(): here
 * only their types matter, a string or a whole number as the kind of the parameter
 * wants. json_query_free() ends it, whatever the result.
 *
 * 0, or -EINVAL with what is at fault ("the body" or a name) and why.
 */
int json_query_parse(struct slice text, const struct parameter *table,
		     struct json_query *ret_query, const char **ret_name, const char **ret_why);
void json_query_free(struct json_query *query);

#endif
