/* SPDX-License-Identifier: MIT */
/* The options that only the reader has. */
#include "reader/parse_options.h"

#include <errno.h>
#include <string.h>

#include "bpf/packet_config.h"
#include "common/options.h"
#include "common/word_list.h"
#include "reader/request.h"

int parse_types(const char *argument, void *target, const char **ret_why)
{
	static const struct word words[] = {
		{ "packet", PRINT_PACKET },
		{ "flow", PRINT_FLOW },
		{ "connection", PRINT_CONNECTION },
		{ "process", PRINT_PROCESS },
		{ "drop", PRINT_DROP },
		{ "latency", PRINT_LATENCY },
		{ "counters", PRINT_COUNTERS },
	};
	int err = word_list_parse(argument, words, sizeof(words) / sizeof(words[0]), target);

	if (err)
		*ret_why = "not a list of packet, flow, connection, process, drop, latency, counters";
	return err;
}

int parse_packet_lines(const char *argument, void *target, const char **ret_why)
{
	struct request *request = target;
	uint64_t value = PACKET_LINES_ALL;

	if (strcmp(argument, "all") &&
	    options_number(argument, 0, PACKET_LINES_ALL - 1, false, &value)) {
		*ret_why = "neither a number of lines a second nor 'all'";
		return -EINVAL;
	}
	request->packet_lines = (u32)value;
	request->packet_lines_given = true;
	return 0;
}
