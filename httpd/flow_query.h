/* SPDX-License-Identifier: MIT */
/* Which flows a request wants, in which order: the parameters of /api/flows. */
#ifndef JOPIL_HTTPD_FLOW_QUERY_H
#define JOPIL_HTTPD_FLOW_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "httpd/query.h"
#include "httpd/shot.h"

#define FLOW_LIMIT_DEFAULT 100
#define FLOW_LIMIT_MAX 10000

/* An address and how many of its bits count. */
struct network {
	int family;	/* 0 = every address */
	uint8_t ip[16];
	unsigned int bits;
};

struct flow_query {
	size_t limit;
	int sort;		/* enum flow_number, largest first; -1 = as in the snapshot */
	int port;		/* of either side; -1 = every */
	char proto[FLOW_PROTO_SIZE];	/* in any case of letters; "" = every */
	struct network network;	/* of either side */
};

/* One parameter that an address takes. */
struct parameter {
	const char *name;	/* NULL ends a table */
	const char *help;
	/* 0 or -EINVAL. */
	int (*parse)(const char *value, struct flow_query *query);
};

extern const struct parameter flow_parameters[];

/*
 * Reads the parameters. 0, or -EINVAL with the name of the one at fault and
 * what is wrong about it.
 */
int flow_query_parse(const struct query *query, struct flow_query *ret_query,
		     const char **ret_name, const char **ret_why);

/*
 * Fills rows (room for shot->flow_count pointers) with the flows that match, in
 * the order wanted; how many match, whatever the limit. Flows without the
 * number they are sorted by come last; equal ones stay in the snapshot's order.
 */
size_t flow_query_select(const struct flow_query *query, const struct shot *shot,
			 const struct flow_row **rows);

#endif
