/* SPDX-License-Identifier: MIT */
/* The maps of the pin directory that are swapped, and those that go with them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/probe_counters.h"
#include "reader/pinset_parts.h"

static const struct {
	const char *pin;
	struct pin_shape shape;
	u32 rows;	/* 0: not checked */
} singles[SINGLES] = {
	[SINGLE_FOLD_ACTIVE] = { PIN_FOLD_ACTIVE, { BPF_MAP_TYPE_ARRAY, 4, sizeof(u32), 0 },
				 FOLD_KINDS },
	[SINGLE_PROBE_COUNTERS] = { PIN_PROBE_COUNTERS,
				    { BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(u64), BPF_F_RDONLY },
				    PROBE_COUNTERS },
	[SINGLE_DROP_TOTALS] = { PIN_DROP_TOTALS,
				 { BPF_MAP_TYPE_PERCPU_HASH, sizeof(struct drop_total_key),
				   sizeof(struct drop_value), BPF_F_RDONLY }, 0 },
	[SINGLE_LOCATIONS] = { PIN_LOCATIONS,
			       { BPF_MAP_TYPE_ARRAY, 4, LOCATION_BYTES, BPF_F_RDONLY }, 0 },
	[SINGLE_FLOW_PAGES] = { PIN_FLOW_PAGES,
				{ BPF_MAP_TYPE_ARRAY, 4, sizeof(struct flow_page), 0 }, 0 },
};

/* ---- opening ------------------------------------------------------------------------ */

static void unmap_pages(struct pinset *set)
{
	if (set->pages)
		munmap(set->pages, set->n_pages * sizeof(*set->pages));
	set->pages = NULL;
}

static int map_pages(struct pinset *set, int fd, u32 n, struct pinset_failure *failure)
{
	void *pages = mmap(NULL, n * sizeof(*set->pages), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (pages == MAP_FAILED)
		return pinset_fail(failure, PINSET_PIN, PIN_FLOW_PAGES, -errno);
	unmap_pages(set);
	set->pages = pages;
	set->n_pages = n;
	return 0;
}

static int follow_single(struct pinset *set, int which, struct pinset_failure *failure)
{
	struct pinset_map *map = &set->singles[which];
	struct bpf_map_info info;
	int fd = pinset_open_pin(set, &singles[which].shape, singles[which].pin, &info, failure);
	int err = 0;

	/* What is gone from the directory may have to be told of once more. */
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	if (singles[which].rows && info.max_entries != singles[which].rows) {
		close(fd);
		return pinset_fail(failure, PINSET_VERSION, singles[which].pin, -EPROTO);
	}
	if (which == SINGLE_FLOW_PAGES && info.id != map->id)
		err = map_pages(set, fd, info.max_entries, failure);
	if (err) {
		close(fd);
		return err;
	}
	pinset_close_fd(&map->fd);
	*map = (struct pinset_map){ fd, info.id };
	return 0;
}

static void add_old_map(struct pinset *set, int kind, struct pinset_map map)
{
	if (map.fd < 0)
		return;
	if (set->n_old_maps == PINSET_OLD_MAPS)
		close(map.fd);	/* still pinned: its turn comes with the next refresh */
	else
		set->old_maps[set->n_old_maps++] = (struct pinset_old){ map, (u8)kind };
}

static u32 generation_of(const struct pin_settings *settings, int kind)
{
	return *(const u32 *)((const char *)settings + folded_kinds[kind].generation_at);
}

/* A descriptor and the map's id; -errno and *failure. */
static int open_folded(const struct pinset *set, int kind, const char *name, u32 *ret_id,
		       struct pinset_failure *failure)
{
	const struct folded_kind *k = &folded_kinds[kind];
	const struct pin_shape shape = {
		.type = k->is_per_cpu ? BPF_MAP_TYPE_PERCPU_HASH : BPF_MAP_TYPE_HASH,
		.key_bytes = k->key_bytes,
		.value_bytes = k->value_bytes,
	};
	struct bpf_map_info info = { 0 };
	int fd = pinset_open_pin(set, &shape, name, &info, failure);

	*ret_id = info.id;
	return fd;
}

static int open_pair(struct pinset *set, int kind, u32 generation, struct pinset_failure *failure)
{
	const char *pin = folded_kinds[kind].pin;
	int stem = (int)strcspn(pin, "%");
	char name[32];

	for (int i = 0; i < 2; i++) {
		u32 id;
		int fd;

		snprintf(name, sizeof(name), "%.*s%u_%c", stem, pin, generation, 'a' + i);
		fd = open_folded(set, kind, name, &id, failure);
		if (fd < 0)
			return fd;
		set->pairs[kind][i] = (struct pinset_map){ fd, id };
	}
	return 0;
}

/* The maps of the generation in use; of the probes, there may be none. */
static int follow_pair(struct pinset *set, int kind, const struct pin_settings *now,
		       struct pinset_failure *failure)
{
	u32 generation = generation_of(now, kind);
	int err;

	if (set->pairs[kind][0].fd >= 0 && generation == generation_of(&set->settings, kind))
		return 0;
	for (int i = 0; i < 2; i++) {
		add_old_map(set, kind, set->pairs[kind][i]);
		set->pairs[kind][i] = (struct pinset_map){ -1, 0 };
	}
	if (!generation && kind != FOLDED_FLOW)
		return 0;
	err = open_pair(set, kind, generation, failure);
	if (err)
		pinset_close_fd(&set->pairs[kind][0].fd);
	return err == -ENOENT && kind != FOLDED_FLOW ? 0 : err;
}

int pinset_follow_maps(struct pinset *set, const struct pin_settings *now,
		       struct pinset_failure *failure)
{
	int err = 0;

	for (int i = 0; i < SINGLES && !err; i++)
		err = follow_single(set, i, failure);
	for (int kind = 0; kind < FOLDED_KINDS && !err; kind++)
		err = follow_pair(set, kind, now, failure);
	return err;
}

/* The kind of folded map whose pins begin with stem and '_', or -1. */
static int kind_of(const char *stem)
{
	const size_t length = strlen(stem);

	for (int kind = 0; kind < FOLDED_KINDS; kind++)
		if (!strncmp(folded_kinds[kind].pin, stem, length) &&
		    folded_kinds[kind].pin[length] == '_')
			return kind;
	return -1;
}

static bool has_old_map(const struct pinset *set, u32 id)
{
	for (unsigned int i = 0; i < set->n_old_maps; i++)
		if (set->old_maps[i].map.id == id)
			return true;
	return false;
}

void pinset_add_old_map(struct pinset *set, const char *name)
{
	struct pinset_failure ignored;
	char stem[16], side, rest;
	u32 generation, id;
	int kind, fd;

	if (sscanf(name, "%15[a-z]_%u_%c%c", stem, &generation, &side, &rest) != 3)
		return;
	kind = kind_of(stem);
	if (kind < 0 || generation == generation_of(&set->settings, kind))
		return;
	fd = open_folded(set, kind, name, &id, &ignored);
	if (fd >= 0 && has_old_map(set, id))
		close(fd);
	else
		add_old_map(set, kind, (struct pinset_map){ fd, id });
}

/* ---- swapping ----------------------------------------------------------------------- */

void pinset_read_active(const struct pinset *set, struct pinset_active *ret_active)
{
	int fd = set->singles[SINGLE_FOLD_ACTIVE].fd;
	u32 zero = 0;

	if (bpf_map_lookup_elem(set->slot_fd, &zero, &ret_active->flows_id))
		ret_active->flows_id = 0;
	ret_active->cells = set->pages && set->pages->written < 2 ? (u32)set->pages->written
								   : PINSET_UNKNOWN;
	for (u32 kind = 0; kind < FOLD_KINDS; kind++)
		if (fd < 0 || bpf_map_lookup_elem(fd, &kind, &ret_active->fold[kind]))
			ret_active->fold[kind] = PINSET_UNKNOWN;
}

bool pinset_is_quiet(const struct pinset *set, const struct pinset_active *active, int kind,
		     int which)
{
	if (set->pairs[kind][which].fd < 0)
		return false;
	if (kind == FOLDED_FLOW)
		return active->flows_id && active->flows_id != set->pairs[kind][which].id;
	return active->fold[kind] != PINSET_UNKNOWN && active->fold[kind] != (u32)which;
}

/* The flow map that is written, out of the two; -1: neither. */
static int written_flows(const struct pinset *set, const struct pinset_active *active)
{
	for (int i = 0; i < 2; i++)
		if (active->flows_id && active->flows_id == set->pairs[FOLDED_FLOW][i].id)
			return i;
	return -1;
}

/* A write to the slot waits until no program runs that began before it. */
static int write_slot(const struct pinset *set, int fd)
{
	u32 zero = 0;

	return bpf_map_update_elem(set->slot_fd, &zero, &fd, BPF_ANY) ? -errno : 0;
}

/* The programs read it in the memory that we have mapped. */
static void flip_cells(const struct pinset *set, struct pinset_active *active)
{
	if (active->cells == PINSET_UNKNOWN)
		return;
	active->cells = !active->cells;
	__atomic_store_n(&set->pages->written, active->cells, __ATOMIC_RELEASE);
}

static int flip_folds(const struct pinset *set, struct pinset_active *active)
{
	for (u32 kind = 0; kind < FOLD_KINDS; kind++) {
		u32 next = !active->fold[kind];

		if (set->pairs[kind][0].fd < 0 || active->fold[kind] == PINSET_UNKNOWN)
			continue;
		if (bpf_map_update_elem(set->singles[SINGLE_FOLD_ACTIVE].fd, &kind, &next, BPF_ANY))
			return -errno;
		active->fold[kind] = next;
	}
	return 0;
}

int pinset_swap(const struct pinset *set, struct pinset_active *active)
{
	const int written = written_flows(set, active);
	const struct pinset_map *next = &set->pairs[FOLDED_FLOW][!written];
	int err;

	if (written < 0)
		return -EAGAIN;
	flip_cells(set, active);
	err = flip_folds(set, active);
	if (!err)
		err = write_slot(set, next->fd);
	active->flows_id = err ? 0 : next->id;
	if (err)
		active->cells = PINSET_UNKNOWN;
	for (int kind = 0; err && kind < FOLD_KINDS; kind++)
		active->fold[kind] = PINSET_UNKNOWN;
	return err;
}

int pinset_settle(const struct pinset *set, struct pinset_failure *failure)
{
	struct pinset_active active;
	int written, err;

	if (set->singles[SINGLE_FOLD_ACTIVE].fd < 0 && !set->pages)
		return 0;
	pinset_read_active(set, &active);
	written = written_flows(set, &active);
	if (written < 0)
		return 0;
	/* The map that is there already, again: it is the waiting that counts. */
	err = write_slot(set, set->pairs[FOLDED_FLOW][written].fd);
	return err ? pinset_fail(failure, PINSET_PIN, PIN_FLOW_SLOT, err) : 0;
}

/* ---- closing ------------------------------------------------------------------------ */

void pinset_forget_old_maps(struct pinset *set)
{
	for (unsigned int i = 0; i < set->n_old_maps; i++)
		close(set->old_maps[i].map.fd);
	set->n_old_maps = 0;
}

void pinset_close_maps(struct pinset *set)
{
	pinset_forget_old_maps(set);
	for (int kind = 0; kind < FOLDED_KINDS; kind++) {
		pinset_close_fd(&set->pairs[kind][0].fd);
		pinset_close_fd(&set->pairs[kind][1].fd);
	}
	for (int i = 0; i < SINGLES; i++)
		pinset_close_fd(&set->singles[i].fd);
	unmap_pages(set);
}
