/* SPDX-License-Identifier: MIT */
/* The maps that all interfaces share, and their generations. */
#include "loader/mapset.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/records.h"
#include "common/total_rows.h"
#include "loader/object.h"
#include "loader/probe.h"

/* In a set of probes: the reader needs these maps whatever is attached (common/pins.h). */
#define ALWAYS PROBE_PACKET

/* A credit and a time, as in bpf/packet.bpf.c; only programs read it. */
#define BUDGET_BYTES 16

/* How many maps a generation has. */
enum members { ONE, PAIR, EACH_CPU };

static const struct kind {
	const char *pattern;		/* of its pins: generation, then 'a', 'b' or CPU */
	enum members members;
	const char *outer;		/* the pin of its map of maps */
	enum pin_area outer_area;
	u32 outer_entries;		/* 0: one a CPU */
	u32 probes;			/* a set; it is made if one of them is wanted */
	enum bpf_map_type type;
	u32 key_size, value_size;
	size_t size_at, generation_at;	/* in struct pin_settings */
} kinds[MAPSET_KINDS] = {
#define AT(member) offsetof(struct pin_settings, member)
	[MAPSET_FLOWS] = { PIN_FLOWS, PAIR, PIN_FLOW_SLOT, PIN_AREA_SHARED, 1, ALWAYS,
			   BPF_MAP_TYPE_PERCPU_HASH, sizeof(struct flow_key),
			   sizeof(struct flow_value), AT(max_flows), AT(flows_generation) },
	[MAPSET_RING] = { PIN_RING, EACH_CPU, PIN_RINGS, PIN_AREA_PRIVATE, 0, ALWAYS,
			  BPF_MAP_TYPE_RINGBUF, 0, 0, AT(ring_bytes), AT(rings_generation) },
	[MAPSET_PROCESSES] = { PIN_PROCESSES, PAIR, PIN_PROCESS_MAPS, PIN_AREA_PRIVATE, 2,
			       PROBE_HOST(HOST_PROBE_PROCESS), BPF_MAP_TYPE_PERCPU_HASH,
			       sizeof(struct process_key), sizeof(struct process_value),
			       AT(max_fold[FOLD_PROCESS]), AT(fold_generation[FOLD_PROCESS]) },
	[MAPSET_DROPS] = { PIN_DROPS, PAIR, PIN_DROP_MAPS, PIN_AREA_PRIVATE, 2,
			   PROBE_HOST(HOST_PROBE_DROP), BPF_MAP_TYPE_PERCPU_HASH,
			   sizeof(struct drop_key), sizeof(struct drop_value),
			   AT(max_fold[FOLD_DROP]), AT(fold_generation[FOLD_DROP]) },
	[MAPSET_LATENCIES] = { PIN_LATENCIES, PAIR, PIN_LATENCY_MAPS, PIN_AREA_PRIVATE, 2,
			       PROBE_HOST(HOST_PROBE_LATENCY), BPF_MAP_TYPE_HASH,
			       sizeof(struct latency_key), sizeof(struct latency_value),
			       AT(max_fold[FOLD_LATENCY]), AT(fold_generation[FOLD_LATENCY]) },
	[MAPSET_EVENTS] = { PIN_EVENTS, ONE, PIN_EVENT_RING, PIN_AREA_PRIVATE, 1,
			    PROBE_HOST(HOST_PROBE_CONNECTION) | PROBE_HOST(HOST_PROBE_DROP),
			    BPF_MAP_TYPE_RINGBUF, 0, 0, AT(events_bytes),
			    AT(events_generation) },
#undef AT
};

static u32 *number_at(struct pin_settings *settings, size_t at)
{
	return (u32 *)((char *)settings + at);
}

static u32 number_of(const struct pin_settings *settings, size_t at)
{
	return *(const u32 *)((const char *)settings + at);
}

u32 mapset_generation(enum mapset_kind kind, const struct pin_settings *settings)
{
	return number_of(settings, kinds[kind].generation_at);
}

bool mapset_is_ring(enum mapset_kind kind)
{
	return kinds[kind].type == BPF_MAP_TYPE_RINGBUF;
}

enum mapset_kind mapset_kind(const struct pin_match *match)
{
	enum mapset_kind kind = 0;

	while (kind < MAPSET_KINDS && strcmp(match->rule->pattern, kinds[kind].pattern) != 0)
		kind++;
	return kind;
}

static u32 members_of(const struct kind *kind, const struct pin_settings *settings)
{
	return kind->members == EACH_CPU ? settings->cpus : kind->members == PAIR ? 2 : 1;
}

static void member_name(const struct kind *kind, u32 generation, u32 member,
			char ret_name[PIN_NAME_BYTES])
{
	int stem = (int)strcspn(kind->pattern, "%");
	int used = snprintf(ret_name, PIN_NAME_BYTES, "%.*s%u", stem, kind->pattern, generation);

	if (kind->members == PAIR)
		snprintf(ret_name + used, PIN_NAME_BYTES - (size_t)used, "_%c", "ab"[member]);
	else if (kind->members == EACH_CPU)
		snprintf(ret_name + used, PIN_NAME_BYTES - (size_t)used, "_%u", member);
}

/* A map of the generation in force, as pinned_map(). */
static int open_member(const struct pindir *d, const struct kind *kind,
		       const struct pin_settings *settings, u32 member, enum map_access access)
{
	const struct map_shape shape = {
		.type = kind->type,
		.key_size = kind->key_size,
		.value_size = kind->value_size,
		.max_entries = number_of(settings, kind->size_at),
	};
	char name[PIN_NAME_BYTES];

	member_name(kind, number_of(settings, kind->generation_at), member, name);
	return pinned_map(d, PIN_AREA_SHARED, name, &shape, access);
}

/* True if the generation in force is there whole, with the sizes wanted; or is made so. */
static int check_members(const struct pindir *d, const struct kind *kind,
			 const struct pin_settings *settings, enum map_access access)
{
	for (u32 member = 0; member < members_of(kind, settings); member++) {
		int fd = open_member(d, kind, settings, member, access);

		if (fd < 0)
			return fd;
		close(fd);
	}
	return 0;
}

static int note_generation(const struct pin_match *match, const char *name, void *context)
{
	u32 *highest = context;

	(void)name;
	if (mapset_kind(match) != MAPSET_OTHER && match->number[0] > *highest)
		*highest = match->number[0];
	return 0;
}

/* The generation in force, if it has the sizes wanted; else a new one. */
static int make_generations(const struct pindir *d, u32 probes, struct pin_settings *settings,
			    struct mapset *set, const struct kind **ret_failed)
{
	u32 highest = 0;
	int err = pindir_each(d, PIN_AREA_SHARED, note_generation, &highest);

	for (int i = 0; i < MAPSET_KINDS && !err; i++) {
		const struct kind *kind = *ret_failed = &kinds[i];
		u32 *generation = number_at(settings, kind->generation_at);

		if (!(kind->probes & probes) ||
		    (*generation && !check_members(d, kind, settings, MAP_WRITE)))
			continue;
		*generation = highest + 1;
		set->made[i] = true;
		err = check_members(d, kind, settings, MAP_MAKE);
	}
	return err;
}

u32 mapset_inner_id(int outer_fd, u32 index)
{
	u32 id;

	return bpf_map_lookup_elem(outer_fd, &index, &id) ? 0 : id;
}

/* Their pins have the names that they have in bpf/. */
int mapset_outer(const struct mapset *set, const char *name)
{
	for (int i = 0; i < MAPSET_KINDS; i++)
		if (!strcmp(kinds[i].outer, name))
			return set->outer[i];
	return -1;
}

static u32 outer_entries(const struct kind *kind, const struct pin_settings *settings)
{
	return kind->outer_entries ? kind->outer_entries : settings->cpus;
}

/* True if a member of the generation in force lies in the map of maps there. */
static bool is_in_place(const struct pindir *d, const struct kind *kind, int outer_fd,
			const struct pin_settings *settings, u32 member, u32 index)
{
	int fd = open_member(d, kind, settings, member, MAP_WRITE);
	u32 id;
	bool is = fd >= 0 && !object_map_id(fd, &id) && mapset_inner_id(outer_fd, index) == id;

	if (fd >= 0)
		close(fd);
	return is;
}

static int put_member(const struct pindir *d, const struct kind *kind, int outer_fd,
		      const struct pin_settings *settings, u32 member)
{
	int fd, err;

	if (is_in_place(d, kind, outer_fd, settings, member, member))
		return 0;
	fd = open_member(d, kind, settings, member, MAP_WRITE);
	if (fd < 0)
		return fd;
	err = bpf_map_update_elem(outer_fd, &member, &fd, BPF_ANY) ? -errno : 0;
	close(fd);
	return err;
}

/* The maps of the generation in force into the map of maps; of a pair in one, any. */
static int fill(const struct pindir *d, const struct kind *kind, int outer_fd,
		const struct pin_settings *settings)
{
	const u32 members = members_of(kind, settings);
	int err = 0;

	if (outer_entries(kind, settings) < members) {
		for (u32 member = 0; member < members; member++)
			if (is_in_place(d, kind, outer_fd, settings, member, 0))
				return 0;
		return put_member(d, kind, outer_fd, settings, 0);
	}
	for (u32 member = 0; member < members && !err; member++)
		err = put_member(d, kind, outer_fd, settings, member);
	return err;
}

int mapset_switch(const struct pindir *d, const struct mapset *set,
		  const struct pin_settings *settings)
{
	int err = 0;

	for (int i = 0; i < MAPSET_KINDS && !err; i++)
		if (set->outer[i] >= 0)
			err = fill(d, &kinds[i], set->outer[i], settings);
	return err;
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

/* ---- cells ------------------------------------------------------------------------------ */

/* A CPU may have all the flows there are, or its share; this many at least, if there are. */
#define CELLS_MIN 16384

/*
 * So that a CPU's cells are half full when it has its share of max_flows; 0: for fewer than
 * a page of flows, the flow maps will do.
 */
static u32 cell_bits_for(const struct pin_settings *settings)
{
	u64 wanted = 2ull * settings->max_flows / settings->cpus;
	u32 bits = FLOW_PAGE_BITS;

	if (settings->max_flows < FLOW_PAGE_CELLS)
		return 0;
	if (wanted < CELLS_MIN)
		wanted = settings->max_flows < CELLS_MIN ? settings->max_flows : CELLS_MIN;
	while (1ull << bits < wanted)
		bits++;
	return bits;
}

/* The map that there is has the size it was made with, whatever max_flows is now. */
static int open_pages(const struct pindir *d, const struct pin_settings *settings,
		      struct mapset *set)
{
	struct map_shape shape = {
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(u32),
		.value_size = sizeof(struct flow_page),
		.flags = BPF_F_MMAPABLE,
	};
	struct bpf_map_info info = { 0 };
	u32 length = sizeof(info), bits = cell_bits_for(settings);
	int fd = pinned_map(d, PIN_AREA_SHARED, PIN_FLOW_PAGES, &shape, MAP_WRITE);

	if (fd == -ENOENT && !bits)
		return 0;
	if (fd == -ENOENT) {
		shape.max_entries = 2 * settings->cpus << (bits - FLOW_PAGE_BITS);
		fd = pinned_map(d, PIN_AREA_SHARED, PIN_FLOW_PAGES, &shape, MAP_MAKE);
		set->made_pages = fd >= 0;
	}
	if (fd < 0)
		return fd;
	set->flow_pages = fd;
	if (getrandom(set->spread, sizeof(set->spread), 0) != (ssize_t)sizeof(set->spread))
		return -errno;
	for (int i = 0; i < PACKET_SPREAD; i++)
		set->spread[i] |= 1;
	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	set->cell_bits = FLOW_PAGE_BITS;
	while (2 * settings->cpus << (set->cell_bits - FLOW_PAGE_BITS) < info.max_entries)
		set->cell_bits++;
	return 0;
}

/* A map of maps; *ret_new is set if it had to be made, and is empty. */
static int open_outer(const struct pindir *d, const struct kind *kind,
		      const struct pin_settings *settings, bool *ret_new)
{
	int inner = open_member(d, kind, settings, 0, MAP_WRITE), fd;
	const struct map_shape shape = {
		.type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
		.key_size = sizeof(u32),
		.value_size = sizeof(u32),
		.max_entries = outer_entries(kind, settings),
		.inner_fd = inner,
	};

	if (inner < 0)
		return inner;
	fd = pinned_map(d, kind->outer_area, kind->outer, &shape, MAP_WRITE);
	*ret_new = fd == -ENOENT;
	if (*ret_new)
		fd = pinned_map(d, kind->outer_area, kind->outer, &shape, MAP_MAKE);
	close(inner);
	return fd;
}

/* Where nothing is attached that writes there, maps are put in place at once. */
static int open_outers(const struct pindir *d, u32 probes, const struct pin_settings *settings,
		       struct mapset *set)
{
	const u32 attached = ALWAYS | settings->probes * PROBE_HOST(0);
	int err = 0;

	for (int i = 0; i < MAPSET_KINDS && !err; i++) {
		bool made = false;

		if (!(kinds[i].probes & probes))
			continue;
		set->outer[i] = open_outer(d, &kinds[i], settings, &made);
		err = set->outer[i] < 0 ? set->outer[i] : 0;
		if (!err && (made || !(kinds[i].probes & attached)))
			err = fill(d, &kinds[i], set->outer[i], settings);
	}
	return err;
}

int mapset_make(const struct pindir *d, u32 probes, struct pin_settings *settings,
		struct mapset *ret_set, struct failure *f)
{
	const struct kind *failed = &kinds[0];
	struct mapset set = MAPSET_CLOSED;
	int cpus = libbpf_num_possible_cpus(), err;

	if (cpus <= 0)
		return failure_errno(f, cpus, "read /sys/devices/system/cpu/possible");
	settings->cpus = (u32)cpus;
	err = make_generations(d, probes | ALWAYS, settings, &set, &failed);
	if (!err) {
		set.budgets = open_budgets(d);
		err = set.budgets < 0 ? set.budgets : 0;
	}
	if (!err)
		err = open_pages(d, settings, &set);
	if (!err)
		err = open_outers(d, probes | ALWAYS, settings, &set);
	if (!err) {
		*ret_set = set;
		return 0;
	}
	mapset_undo(d, &set, settings);
	mapset_close(&set);
	if (err == -EMEDIUMTYPE)
		return pinned_map_failure(err, d, "", f);
	return failure_errno(f, err, "make the maps %.*s of %u %s",
			     (int)strcspn(failed->pattern, "%"), failed->pattern,
			     number_of(settings, failed->size_at),
			     failed->type == BPF_MAP_TYPE_RINGBUF ? "bytes" : "rows");
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void mapset_close(struct mapset *set)
{
	close_fd(&set->budgets);
	close_fd(&set->flow_pages);
	for (int i = 0; i < MAPSET_KINDS; i++)
		close_fd(&set->outer[i]);
}

static int drop_members(const struct pindir *d, const struct kind *kind,
			const struct pin_settings *settings)
{
	char name[PIN_NAME_BYTES];
	int err = 0;

	for (u32 member = 0; member < members_of(kind, settings); member++) {
		member_name(kind, number_of(settings, kind->generation_at), member, name);
		if (!err)
			err = pindir_drop(d, PIN_AREA_SHARED, "%s", name);
	}
	return err;
}

void mapset_undo(const struct pindir *d, const struct mapset *set,
		 const struct pin_settings *settings)
{
	for (int i = 0; i < MAPSET_KINDS; i++)
		if (set->made[i])
			drop_members(d, &kinds[i], settings);
	if (set->made_pages)
		pindir_drop(d, PIN_AREA_SHARED, "%s", PIN_FLOW_PAGES);
}

int mapset_trim(const struct pindir *d, u32 probes, struct mapset *set,
		struct pin_settings *settings)
{
	int err = 0;

	for (int i = 0; i < MAPSET_KINDS && !err; i++) {
		if (!set->made[i] || kinds[i].probes & (probes | ALWAYS))
			continue;
		close_fd(&set->outer[i]);
		err = drop_members(d, &kinds[i], settings);
		if (!err)
			err = pindir_drop(d, kinds[i].outer_area, "%s", kinds[i].outer);
		*number_at(settings, kinds[i].generation_at) = 0;
		set->made[i] = false;
	}
	return err;
}

struct sweep {
	const struct pindir *dir;
	const struct pin_settings *settings;
	int left;
};

static bool is_drained(enum mapset_kind kind, int fd)
{
	u64 used;

	if (mapset_is_ring(kind))
		return !pinned_ring_used(fd, &used) && !used;
	return pinned_map_is_empty(fd, kinds[kind].key_size);
}

static int sweep_one(const struct pin_match *match, const char *name, void *context)
{
	struct sweep *sweep = context;
	enum mapset_kind kind = mapset_kind(match);
	int fd, err = 0;

	if (kind == MAPSET_OTHER ||
	    match->number[0] == mapset_generation(kind, sweep->settings))
		return 0;
	fd = pindir_get(sweep->dir, PIN_AREA_SHARED, "%s", name);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (is_drained(kind, fd))
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
