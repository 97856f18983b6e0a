/* SPDX-License-Identifier: MIT */
/* Names of what records hold as numbers, each kind read when it is first asked for. */
#include "reader/names.h"

#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "common/pins.h"
#include "reader/cgroups.h"
#include "reader/reasons.h"
#include "reader/services.h"
#include "reader/walltime.h"

/* A miss looks again for what came into being since, but no more often than that. */
#define AGAIN_NS 1000000000ull

struct names {
	struct services *services;
	struct cgroups *cgroups;
	u64 cgroups_ns;		/* monotonic time from which they may be read again */
	struct reasons *reasons;
	u64 reasons_ns;
	int locations_fd;
	u32 locations_id;
	char locations[LOCATIONS_MAX][LOCATION_BYTES];	/* empty: not known yet */
};

struct names *names_new(void)
{
	struct names *names = calloc(1, sizeof(*names));

	if (names)
		names->locations_fd = -1;
	return names;
}

void names_free(struct names *names)
{
	if (!names)
		return;
	services_free(names->services);
	cgroups_free(names->cgroups);
	reasons_free(names->reasons);
	free(names);
}

/* Whether it is time to look again; then the next time is noted. */
static bool is_due(u64 *next_ns)
{
	u64 now_ns = walltime_monotonic_ns();

	if (now_ns < *next_ns)
		return false;
	*next_ns = now_ns + AGAIN_NS;
	return true;
}

static void prepare_services(struct names *names)
{
	if (names->services)
		return;
	names->services = services_new();
	services_read(names->services);
}

static void prepare_cgroups(struct names *names)
{
	if (!names->cgroups)
		names->cgroups = cgroups_new("/proc/self/mounts");
}

void names_prepare(struct names *names)
{
	if (!names)
		return;
	prepare_services(names);
	prepare_cgroups(names);
}

const char *names_cgroup_root(const struct names *names)
{
	return names ? cgroups_root(names->cgroups) : NULL;
}

const char *names_service(struct names *names, u16 protocol, u16 port_be)
{
	if (!names)
		return NULL;
	prepare_services(names);
	return services_find(names->services, protocol, port_be);
}

const char *names_cgroup(struct names *names, u64 id)
{
	const char *path;

	if (!names || !id)
		return NULL;
	path = cgroups_find(names->cgroups, id);
	if (path || !is_due(&names->cgroups_ns))
		return path;
	prepare_cgroups(names);
	cgroups_read(names->cgroups);
	return cgroups_find(names->cgroups, id);
}

const char *names_reason(struct names *names, u32 code)
{
	const char *name;

	if (!names)
		return NULL;
	name = reasons_find(names->reasons, code);
	if (name || !is_due(&names->reasons_ns))
		return name;
	if (!names->reasons)
		names->reasons = reasons_new();
	reasons_read(names->reasons);
	return reasons_find(names->reasons, code);
}

void names_use_locations(struct names *names, int fd, u32 id)
{
	if (id != names->locations_id)
		memset(names->locations, 0, sizeof(names->locations));
	names->locations_fd = fd;
	names->locations_id = id;
}

/* A row is written once, before its number is known to any record. */
const char *names_location(struct names *names, u16 location)
{
	u32 row = location;
	char *text;

	if (!names || !row || row >= LOCATIONS_MAX)
		return NULL;
	text = names->locations[row];
	if (!*text && names->locations_fd >= 0 &&
	    bpf_map_lookup_elem(names->locations_fd, &row, text))
		*text = '\0';
	text[LOCATION_BYTES - 1] = '\0';
	return *text ? text : NULL;
}
