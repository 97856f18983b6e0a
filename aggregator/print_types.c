/* SPDX-License-Identifier: MIT */
/* Which lines the aggregator prints. */
#include "aggregator/print_types.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	u32 bit;
} rows[] = {
	{ "snapshot", PRINT_SNAPSHOT },	    { "port", PRINT_PORT },
	{ "flow_total", PRINT_FLOW_TOTAL }, { "counters", PRINT_COUNTERS },
	{ "connection", PRINT_CONNECTION }, { "process", PRINT_PROCESS },
	{ "latency", PRINT_LATENCY },	    { "all", PRINT_ALL },
};

static u32 bit_of(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strlen(rows[i].name) == length && !memcmp(rows[i].name, name, length))
			return rows[i].bit;
	return 0;
}

int print_types_parse(const char *argument, void *target, const char **ret_why)
{
	const char *name = argument;
	u32 types = 0;

	for (;;) {
		size_t length = strcspn(name, ",");
		u32 bit = bit_of(name, length);

		if (!bit) {
			*ret_why = "not a list of snapshot, port, flow_total, counters, connection, "
				   "process, latency";
			return -EINVAL;
		}
		types |= bit;
		if (!name[length])
			break;
		name += length + 1;
	}
	*(u32 *)target = types;
	return 0;
}
