/* SPDX-License-Identifier: MIT */
/* The probes that the loader knows. */
#include "loader/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct probe probe_rows[] = {
	{ "packet", "every packet of the interfaces, counted, as lines or flows" },
	{ "connection", "who connects and accepts, and how connections end" },
	{ "process", "bytes and calls of each process, by remote" },
	{ "drop", "what the kernel drops, why and where" },
	{ "latency", "round-trip times of TCP, by remote network" },
};
const unsigned int probe_rows_count = sizeof(probe_rows) / sizeof(probe_rows[0]);

_Static_assert(sizeof(probe_rows) / sizeof(probe_rows[0]) == 1 + HOST_PROBES, "enum host_probe");

#define STANDS_IN "_exit_"

/* Without these a probe would not be exact. What else it has tells details. */
static const char *const needed[] = {
	"connection_state", "connection_state_nested",
	"process_send", "process_recv", "process_read", "process_state",
	"drop", "drop_nested",
	"latency", "latency_nested",
};

/* What is not known without a program, where there is more to say than that. */
static const struct detail_row {
	const char *program;	/* or how the names of several begin */
	const char *without;
} detail_rows[] = {
	{ "connection_syn", "connect lines come late" },
	{ "connection_send", "UDP has no lines" },
	{ "process_", "some remotes of unconnected sockets are null" },
	{ PROBE_WALK, "sockets that were open before have no owner until they are used" },
};

#define CONNECTION PROBE_HOST(HOST_PROBE_CONNECTION)
#define PROCESS PROBE_HOST(HOST_PROBE_PROCESS)
#define DROP PROBE_HOST(HOST_PROBE_DROP)
#define LATENCY PROBE_HOST(HOST_PROBE_LATENCY)

#define OWN(name, probes) { name, probes, false, PIN_AREA_PRIVATE, NULL }
#define STAND_IN(name, probes) { name, probes, true, PIN_AREA_PRIVATE, NULL }

const struct probe_map probe_maps[] = {
	OWN("totals", PROBE_PACKET),
	OWN("losses", PROBE_PACKET),
	OWN("budgets", PROBE_PACKET),
	STAND_IN("flows_a", PROBE_PACKET),
	STAND_IN("flows_b", PROBE_PACKET),
	OWN("flow_slot", PROBE_PACKET),
	OWN("flow_pages", PROBE_PACKET),
	OWN("rings", PROBE_PACKET),
	{ "probe_counters", PROBES_HOST, false, PIN_AREA_SHARED, PIN_PROBE_COUNTERS },
	{ "probe_config", PROBES_HOST, false, PIN_AREA_PRIVATE, PIN_PROBE_CONFIG },
	{ "fold_active", PROBES_HOST, false, PIN_AREA_SHARED, PIN_FOLD_ACTIVE },
	OWN("guards", PROBES_HOST),
	{ "sockets", CONNECTION | PROCESS | LATENCY, false, PIN_AREA_PRIVATE, PIN_SOCKET_STATES },
	OWN("event_ring", CONNECTION | DROP),
	STAND_IN("processes_a", PROCESS),
	STAND_IN("processes_b", PROCESS),
	OWN("process_maps", PROCESS),
	OWN("process_peers", PROCESS),
	OWN("task_turns", PROCESS),
	STAND_IN("drops_a", DROP),
	STAND_IN("drops_b", DROP),
	OWN("drop_maps", DROP),
	OWN("drop_budgets", DROP),
	OWN("drop_scratch", DROP),
	{ "drop_totals", DROP, false, PIN_AREA_SHARED, PIN_DROP_TOTALS },
	{ "locations", DROP, false, PIN_AREA_SHARED, PIN_LOCATIONS },
	{ "location_ids", DROP, false, PIN_AREA_PRIVATE, PIN_LOCATION_IDS },
	{ "locations_used", DROP, false, PIN_AREA_PRIVATE, PIN_LOCATIONS_USED },
	STAND_IN("latencies_a", LATENCY),
	STAND_IN("latencies_b", LATENCY),
	OWN("latency_maps", LATENCY),
	OWN("latency_zero", LATENCY),
};
const unsigned int probe_maps_count = sizeof(probe_maps) / sizeof(probe_maps[0]);

static u32 probe_bit(const char *name, size_t length)
{
	for (unsigned int i = 0; i < probe_rows_count; i++)
		if (strlen(probe_rows[i].name) == length && !memcmp(probe_rows[i].name, name, length))
			return 1u << i;
	return 0;
}

int probe_parse(const char *list, struct probe_argument *ret, const char **ret_why)
{
	struct probe_argument argument = { .given = true };

	for (const char *item = list;; item++) {
		size_t length = strcspn(item, ",");
		bool all = length == strlen("all") && !memcmp(item, "all", length);
		u32 bit = all ? PROBE_PACKET | PROBES_HOST : probe_bit(item, length);

		if (!bit) {
			*ret_why = "no such probe; there are packet, connection, process, drop, "
				   "latency";
			return -EINVAL;
		}
		argument.set |= bit;
		argument.named |= all ? 0 : bit;
		item += length;
		if (!*item)
			break;
	}
	*ret = argument;
	return 0;
}

void probe_names(u32 set, char *ret_text, size_t size)
{
	size_t used = 0;

	snprintf(ret_text, size, "none");
	for (unsigned int i = 0; i < probe_rows_count && used < size; i++)
		if (set >> i & 1)
			used += (size_t)snprintf(ret_text + used, size - used, "%s%s",
						 used ? ", " : "", probe_rows[i].name);
}

u32 probe_of_program(const char *program)
{
	if (!strcmp(program, PROBE_WALK))
		return CONNECTION | PROCESS;
	return probe_bit(program, strcspn(program, "_"));
}

bool probe_is_spare(const char *program)
{
	return strstr(program, "_spare_");
}

bool probe_stands_in(const char *program, const char *tracing)
{
	size_t length = strlen(tracing);

	return !strncmp(program, tracing, length) &&
	       !strncmp(program + length, STANDS_IN, strlen(STANDS_IN));
}

const char *probe_without(const char *program)
{
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!strcmp(needed[i], program) || probe_stands_in(program, needed[i]))
			return NULL;
	for (size_t i = 0; i < sizeof(detail_rows) / sizeof(detail_rows[0]); i++)
		if (!strncmp(detail_rows[i].program, program, strlen(detail_rows[i].program)))
			return detail_rows[i].without;
	return "some details are not known";
}

const struct probe_map *probe_map(const char *name)
{
	for (unsigned int i = 0; i < probe_maps_count; i++)
		if (!strcmp(probe_maps[i].name, name))
			return &probe_maps[i];
	return NULL;
}
