/* SPDX-License-Identifier: MIT */
/* Which flows a request wants, in which order: the parameters of /api/flows. */
#include "httpd/flow_query.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/options.h"

static const char *const sort_names[FLOW_NUMBER_COUNT] = {
#define SORT_NAME(name) #name,
	FLOW_NUMBERS(SORT_NAME)
#undef SORT_NAME
};

static int parse_limit(const char *value, struct flow_query *query)
{
	uint64_t number;

	if (options_number(value, 1, FLOW_LIMIT_MAX, false, &number))
		return -EINVAL;
	query->limit = number;
	return 0;
}

static int parse_sort(const char *value, struct flow_query *query)
{
	for (int i = 0; i < FLOW_NUMBER_COUNT; i++) {
		if (!strcmp(value, sort_names[i])) {
			query->sort = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_proto(const char *value, struct flow_query *query)
{
	if (!*value || strlen(value) >= sizeof(query->proto))
		return -EINVAL;
	strcpy(query->proto, value);
	return 0;
}

static int parse_port(const char *value, struct flow_query *query)
{
	uint64_t number;

	if (options_number(value, 0, UINT16_MAX, false, &number))
		return -EINVAL;
	query->port = (int)number;
	return 0;
}

/* "10.0.0.1", "10.0.0.0/8", "2001:db8::/32". */
static int parse_ip(const char *value, struct flow_query *query)
{
	struct network network = { .family = strchr(value, ':') ? AF_INET6 : AF_INET };
	const char *slash = strchr(value, '/');
	size_t length = slash ? (size_t)(slash - value) : strlen(value);
	uint64_t bits = network.family == AF_INET ? 32 : 128;
	char text[INET6_ADDRSTRLEN];

	if (length >= sizeof(text))
		return -EINVAL;
	memcpy(text, value, length);
	text[length] = '\0';
	if (inet_pton(network.family, text, network.ip) != 1)
		return -EINVAL;
	if (slash && options_number(slash + 1, 0, bits, false, &bits))
		return -EINVAL;
	network.bits = (unsigned int)bits;
	query->network = network;
	return 0;
}

const struct parameter flow_parameters[] = {
	{ "limit", "at most so many flows, 1 to 10000 (default 100)", parse_limit },
	{ "sort", "largest first by bps, pps, bytes, packets, src_bytes, dst_bytes, src_packets, "
	  "dst_packets, first, last, rtt_us, retransmits or drops", parse_sort },
	{ "proto", "the protocol, as in the flow, in any case of letters", parse_proto },
	{ "ip", "an address, or a network such as 10.0.0.0/8, of either side", parse_ip },
	{ "port", "a port of either side, 0 to 65535", parse_port },
	{ .name = NULL },
};

static const struct parameter *find_parameter(const char *name)
{
	for (const struct parameter *p = flow_parameters; p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

static bool is_repeated(const struct query *query, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (!strcmp(query->pair[i].name, query->pair[index].name))
			return true;
	return false;
}

int flow_query_parse(const struct query *query, struct flow_query *ret_query,
		     const char **ret_name, const char **ret_why)
{
	struct flow_query result = { .limit = FLOW_LIMIT_DEFAULT, .sort = -1, .port = -1 };

	for (size_t i = 0; i < query->count; i++) {
		const struct parameter *parameter = find_parameter(query->pair[i].name);

		*ret_name = query->pair[i].name;
		*ret_why = "there is no such parameter";
		if (!parameter)
			return -EINVAL;
		*ret_why = "given more than once";
		if (is_repeated(query, i))
			return -EINVAL;
		*ret_why = parameter->help;
		if (parameter->parse(query->pair[i].value, &result))
			return -EINVAL;
	}
	*ret_query = result;
	return 0;
}

static bool is_in_network(const struct network *network, int family, const uint8_t *ip)
{
	unsigned int bytes = network->bits / 8, rest = network->bits % 8;

	if (family != network->family || memcmp(ip, network->ip, bytes))
		return false;
	return !rest || !((ip[bytes] ^ network->ip[bytes]) >> (8 - rest));
}

static bool matches(const struct flow_query *query, const struct flow_row *row)
{
	const struct network *network = &query->network;

	if (*query->proto && strcasecmp(query->proto, row->proto))
		return false;
	if (query->port >= 0 && row->port[0] != query->port && row->port[1] != query->port)
		return false;
	return !network->family || is_in_network(network, row->family[0], row->ip[0]) ||
	       is_in_network(network, row->family[1], row->ip[1]);
}

/* Rows are in one array, so that their addresses tell which came first. */
static int compare_rows(const void *left, const void *right, void *sort)
{
	const struct flow_row *a = *(const struct flow_row *const *)left;
	const struct flow_row *b = *(const struct flow_row *const *)right;
	double x = a->number[*(int *)sort], y = b->number[*(int *)sort];

	if (isnan(x) != isnan(y))
		return isnan(x) ? 1 : -1;
	if (x > y || x < y)
		return x > y ? -1 : 1;
	return a < b ? -1 : a > b;
}

size_t flow_query_select(const struct flow_query *query, const struct shot *shot,
			 const struct flow_row **rows)
{
	int sort = query->sort;
	size_t count = 0;

	for (size_t i = 0; i < shot->flow_count; i++)
		if (matches(query, &shot->flows[i]))
			rows[count++] = &shot->flows[i];
	if (sort >= 0 && count)
		qsort_r(rows, count, sizeof(*rows), compare_rows, &sort);
	return count;
}
