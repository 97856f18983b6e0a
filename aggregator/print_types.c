/* SPDX-License-Identifier: MIT */
/* Which lines the aggregator prints. */
#include "aggregator/print_types.h"

#include "common/word_list.h"

int print_types_parse(const char *argument, void *target, const char **ret_why)
{
	static const struct word words[] = {
		{ "snapshot", PRINT_SNAPSHOT },	    { "port", PRINT_PORT },
		{ "flow_total", PRINT_FLOW_TOTAL }, { "counters", PRINT_COUNTERS },
		{ "connection", PRINT_CONNECTION }, { "process", PRINT_PROCESS },
		{ "latency", PRINT_LATENCY },	    { "all", PRINT_ALL },
	};
	int err = word_list_parse(argument, words, sizeof(words) / sizeof(words[0]), target);

	if (err)
		*ret_why = "not a list of snapshot, port, flow_total, counters, connection, process, "
			   "latency";
	return err;
}
