/* SPDX-License-Identifier: MIT */
/* The maps that all interfaces share, and their generations. */
#include "loader/mapset.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/records.h"
#include "common/total_rows.h"
#include "loader/object.h"

/* A credit and a time, as in bpf/packet.bpf.c; only programs read it. */
#define BUDGET_BYTES 16

static struct map_shape flows_shape(const struct pin_settings *settings)
{
	return (struct map_shape){ .type = BPF_MAP_TYPE_PERCPU_HASH,
				   .key_size = sizeof(struct flow_key),
				   .value_size = sizeof(struct flow_value),
				   .max_entries = settings->max_flows };
}

static struct map_shape ring_shape(const struct pin_settings *settings)
{
	return (struct map_shape){ .type = BPF_MAP_TYPE_RINGBUF,
				   .max_entries = settings->ring_bytes };
}

static void flows_name(char ret_name[PIN_NAME_BYTES], u32 generation, int which)
{
	snprintf(ret_name, PIN_NAME_BYTES, PIN_FLOWS, generation, "ab"[which]);
}

static void ring_name(char ret_name[PIN_NAME_BYTES], u32 generation, u32 cpu)
{
	snprintf(ret_name, PIN_NAME_BYTES, PIN_RING, generation, cpu);
}

enum mapset_kind mapset_kind(const struct pin_match *match)
{
	const char *pattern = match->rule->pattern;

	if (!strcmp(pattern, PIN_FLOWS))
		return MAPSET_FLOWS;
	return strcmp(pattern, PIN_RING) ? MAPSET_OTHER : MAPSET_RING;
}

static int note_generation(const struct pin_match *match, const char *name, void *context)
{
	u32 *highest = context;

	(void)name;
	if (mapset_kind(match) != MAPSET_OTHER && match->number[0] > *highest)
		*highest = match->number[0];
	return 0;
}

static int open_flows(const struct pindir *d, const struct pin_settings *settings,
		      enum map_access access, struct mapset *set)
{
	struct map_shape shape = flows_shape(settings);
	char name[PIN_NAME_BYTES];

	for (int i = 0; i < 2; i++) {
		flows_name(name, settings->flows_generation, i);
		set->flows[i] = pinned_map(d, PIN_AREA_SHARED, name, &shape, access);
		if (set->flows[i] < 0)
			return set->flows[i];
	}
	return 0;
}

static void close_flows(struct mapset *set)
{
	for (int i = 0; i < 2; i++) {
		if (set->flows[i] >= 0)
			close(set->flows[i]);
		set->flows[i] = -1;
	}
}

static int check_rings(const struct pindir *d, const struct pin_settings *settings,
		       enum map_access access)
{
	struct map_shape shape = ring_shape(settings);
	char name[PIN_NAME_BYTES];

	for (u32 cpu = 0; cpu < settings->cpus; cpu++) {
		int fd;

		ring_name(name, settings->rings_generation, cpu);
		fd = pinned_map(d, PIN_AREA_SHARED, name, &shape, access);
		if (fd < 0)
			return fd;
		close(fd);
	}
	return 0;
}

/* The generation in force, if it has the sizes wanted; else a new one. */
static int make_generations(const struct pindir *d, struct pin_settings *settings,
			    struct mapset *set)
{
	u32 highest = 0;
	int err = pindir_each(d, PIN_AREA_SHARED, note_generation, &highest);

	if (!err && (!settings->flows_generation || open_flows(d, settings, MAP_WRITE, set))) {
		close_flows(set);
		settings->flows_generation = highest + 1;
		set->new_flows = true;
		err = open_flows(d, settings, MAP_MAKE, set);
	}
	if (!err && (!settings->rings_generation || check_rings(d, settings, MAP_WRITE))) {
		settings->rings_generation = highest + 1;
		set->new_rings = true;
		err = check_rings(d, settings, MAP_MAKE);
	}
	return err;
}

/* The id of the map within a map of maps; 0 if there is none. */
static u32 inner_id(int fd, u32 index)
{
	u32 id;

	return bpf_map_lookup_elem(fd, &index, &id) ? 0 : id;
}

static int fill_rings(const struct pindir *d, int rings_fd, const struct pin_settings *settings)
{
	for (u32 cpu = 0; cpu < settings->cpus; cpu++) {
		int fd = pindir_get(d, PIN_AREA_SHARED, PIN_RING, settings->rings_generation, cpu);
		u32 id;
		int err = fd < 0 ? fd : object_map_id(fd, &id);

		if (!err && inner_id(rings_fd, cpu) != id &&
		    bpf_map_update_elem(rings_fd, &cpu, &fd, BPF_ANY))
			err = -errno;
		if (fd >= 0)
			close(fd);
		if (err)
			return err;
	}
	return 0;
}

static int fill_flow_slot(const struct mapset *set)
{
	const u32 zero = 0, now = inner_id(set->flow_slot, 0);

	for (int i = 0; i < 2; i++) {
		u32 id;
		int err = object_map_id(set->flows[i], &id);

		if (err)
			return err;
		if (id == now)
			return 0;
	}
	return bpf_map_update_elem(set->flow_slot, &zero, &set->flows[0], BPF_ANY) ? -errno : 0;
}

int mapset_switch(const struct pindir *d, const struct mapset *set,
		  const struct pin_settings *settings)
{
	int err = fill_flow_slot(set);

	return err ? err : fill_rings(d, set->rings, settings);
}

static int open_budgets(const struct pindir *d)
{
	static const struct map_shape shape = {
		.type = BPF_MAP_TYPE_PERCPU_ARRAY,
		.key_size = sizeof(u32),
		.value_size = BUDGET_BYTES,
		.max_entries = 1,
	};

	return pinned_map(d, PIN_AREA_PRIVATE, PIN_BUDGETS, &shape, MAP_MAKE);
}

/* A map of maps; new is set if it had to be made, and is empty. */
static int open_outer(const struct pindir *d, enum pin_area area, const char *name, u32 entries,
		      int inner_fd, bool *ret_new)
{
	const struct map_shape shape = {
		.type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
		.key_size = sizeof(u32),
		.value_size = sizeof(u32),
		.max_entries = entries,
		.inner_fd = inner_fd,
	};
	int fd = pinned_map(d, area, name, &shape, MAP_WRITE);

	*ret_new = fd == -ENOENT;
	return *ret_new ? pinned_map(d, area, name, &shape, MAP_MAKE) : fd;
}

static int open_outers(const struct pindir *d, const struct pin_settings *settings,
		       struct mapset *set)
{
	int ring = pindir_get(d, PIN_AREA_SHARED, PIN_RING, settings->rings_generation, 0u);
	bool new_slot, new_rings;
	int err = ring;

	if (ring < 0)
		return ring;
	set->flow_slot = open_outer(d, PIN_AREA_SHARED, PIN_FLOW_SLOT, 1, set->flows[0],
				    &new_slot);
	set->rings = open_outer(d, PIN_AREA_PRIVATE, PIN_RINGS, settings->cpus, ring, &new_rings);
	close(ring);
	err = set->flow_slot < 0 ? set->flow_slot : set->rings < 0 ? set->rings : 0;
	if (!err && new_slot)
		err = fill_flow_slot(set);
	if (!err && new_rings)
		err = fill_rings(d, set->rings, settings);
	return err;
}

int mapset_make(const struct pindir *d, struct pin_settings *settings, struct mapset *ret_set,
		struct failure *f)
{
	struct mapset set = { -1, -1, -1, { -1, -1 }, false, false };
	int cpus = libbpf_num_possible_cpus(), err;

	if (cpus <= 0)
		return failure_errno(f, cpus, "read /sys/devices/system/cpu/possible");
	settings->cpus = (u32)cpus;
	err = make_generations(d, settings, &set);
	if (!err) {
		set.budgets = open_budgets(d);
		err = set.budgets < 0 ? set.budgets : 0;
	}
	if (!err)
		err = open_outers(d, settings, &set);
	if (!err) {
		*ret_set = set;
		return 0;
	}
	mapset_undo(d, &set, settings);
	mapset_close(&set);
	if (err == -EMEDIUMTYPE)
		return pinned_map_failure(err, d, "", f);
	return failure_errno(f, err, "make maps for %u flows and %u rings of %u bytes",
			     settings->max_flows, settings->cpus, settings->ring_bytes);
}

void mapset_close(struct mapset *set)
{
	int *const fds[] = { &set->budgets, &set->rings, &set->flow_slot };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	close_flows(set);
}

void mapset_undo(const struct pindir *d, const struct mapset *set,
		 const struct pin_settings *settings)
{
	char name[PIN_NAME_BYTES];

	for (int i = 0; i < 2 && set->new_flows; i++) {
		flows_name(name, settings->flows_generation, i);
		pindir_drop(d, PIN_AREA_SHARED, "%s", name);
	}
	for (u32 cpu = 0; cpu < settings->cpus && set->new_rings; cpu++) {
		ring_name(name, settings->rings_generation, cpu);
		pindir_drop(d, PIN_AREA_SHARED, "%s", name);
	}
}

struct sweep {
	const struct pindir *dir;
	const struct pin_settings *settings;
	int left;
};

static bool is_drained(const struct pin_match *match, int fd)
{
	u64 used;

	if (mapset_kind(match) == MAPSET_FLOWS)
		return pinned_map_is_empty(fd, sizeof(struct flow_key));
	return !pinned_ring_used(fd, &used) && !used;
}

static int sweep_one(const struct pin_match *match, const char *name, void *context)
{
	struct sweep *sweep = context;
	enum mapset_kind kind = mapset_kind(match);
	u32 generation = kind == MAPSET_FLOWS ? sweep->settings->flows_generation
					      : sweep->settings->rings_generation;
	int fd, err = 0;

	if (kind == MAPSET_OTHER || match->number[0] == generation)
		return 0;
	fd = pindir_get(sweep->dir, PIN_AREA_SHARED, "%s", name);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (is_drained(match, fd))
		err = pindir_drop(sweep->dir, PIN_AREA_SHARED, "%s", name);
	else
		sweep->left++;
	close(fd);
	return err;
}

int mapset_sweep(const struct pindir *d, const struct pin_settings *settings)
{
	struct sweep sweep = { d, settings, 0 };
	int err = pindir_each(d, PIN_AREA_SHARED, sweep_one, &sweep);

	return err ? err : sweep.left;
}

static int open_counters(const struct pindir *d, const char *name, size_t value_bytes,
			 u32 entries, enum map_access access)
{
	const struct map_shape shape = {
		.type = BPF_MAP_TYPE_PERCPU_ARRAY,
		.key_size = sizeof(u32),
		.value_size = (u32)value_bytes,
		.max_entries = entries,
	};

	return pinned_map(d, PIN_AREA_SHARED, name, &shape, access);
}

int mapset_totals(const struct pindir *d, unsigned int slot, enum map_access access)
{
	char name[PIN_NAME_BYTES];

	snprintf(name, sizeof(name), PIN_TOTALS, slot);
	return open_counters(d, name, sizeof(struct total_value), TOTAL_ENTRIES, access);
}

int mapset_losses(const struct pindir *d, unsigned int slot, enum map_access access)
{
	char name[PIN_NAME_BYTES];

	snprintf(name, sizeof(name), PIN_LOSSES, slot);
	return open_counters(d, name, sizeof(struct loss_value), DIRECTIONS, access);
}
