/* SPDX-License-Identifier: MIT */
/* The options that only the reader has. */
#include "reader/parse_options.h"

#include <errno.h>
#include <string.h>

#include "bpf/packet_config.h"
#include "common/options.h"
#include "reader/request.h"

static u32 type_bit(const char *name, size_t length)
{
	static const struct {
		const char *name;
		u32 bit;
	} rows[] = {
		{ "packet", PRINT_PACKET },
		{ "flow", PRINT_FLOW },
		{ "connection", PRINT_CONNECTION },
		{ "process", PRINT_PROCESS },
		{ "drop", PRINT_DROP },
		{ "latency", PRINT_LATENCY },
		{ "counters", PRINT_COUNTERS },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strlen(rows[i].name) == length && !memcmp(rows[i].name, name, length))
			return rows[i].bit;
	return 0;
}

int parse_types(const char *argument, void *target, const char **ret_why)
{
	const char *name = argument;
	u32 types = 0;

	for (;;) {
		size_t length = strcspn(name, ",");
		u32 bit = type_bit(name, length);

		if (!bit) {
			*ret_why = "not a list of packet, flow, connection, process, drop, latency, counters";
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
