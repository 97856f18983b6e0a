/* SPDX-License-Identifier: MIT */
/* What lies in the pin directory, opened, and followed when the loader changes it. */
#include "reader/pinset.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/flock_owner.h"
#include "common/probe_counters.h"
#include "common/total_rows.h"

#define PATH_BYTES 4096

/* The shape of a pinned map; a size of 0 is not checked. */
struct shape {
	u32 type;
	u32 key_bytes;
	u32 value_bytes;
	u32 flags;		/* for BPF_OBJ_GET */
};

/* Loaders before the host's probes wrote a shorter one: what it lacks is 0. */
#define SETTINGS_BYTES_MIN offsetof(struct pin_settings, probes)
static const struct shape settings_shape = { BPF_MAP_TYPE_ARRAY, 4, 0, BPF_F_RDONLY };
static const struct shape interfaces_shape = { BPF_MAP_TYPE_ARRAY, 4,
					       sizeof(struct pin_interface), BPF_F_RDONLY };
static const struct shape totals_shape = { BPF_MAP_TYPE_PERCPU_ARRAY, 4,
					   sizeof(struct total_value), BPF_F_RDONLY };
static const struct shape losses_shape = { BPF_MAP_TYPE_PERCPU_ARRAY, 4,
					   sizeof(struct loss_value), BPF_F_RDONLY };
static const struct shape slot_shape = { BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 0 };
static const struct shape ring_shape = { BPF_MAP_TYPE_RINGBUF, 0, 0, 0 };

static const struct {
	const char *pin;
	struct shape shape;
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
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int fail(struct pinset_failure *failure, enum pinset_step step, const char *what, int err)
{
	failure->step = step;
	failure->who = 0;
	snprintf(failure->what, sizeof(failure->what), "%s", what);
	return err;
}

/* ---- one pin ------------------------------------------------------------------- */

static int check_shape(int fd, const struct shape *shape, struct bpf_map_info *info)
{
	u32 length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	if (bpf_obj_get_info_by_fd(fd, info, &length))
		return -errno;
	if (info->type != shape->type ||
	    (shape->key_bytes && info->key_size != shape->key_bytes) ||
	    (shape->value_bytes && info->value_size != shape->value_bytes))
		return -EPROTO;
	return 0;
}

/* A descriptor and what the kernel says of the map; -errno and *failure. */
static int open_pin(const struct pinset *set, const struct shape *shape, const char *name,
		    struct bpf_map_info *ret_info, struct pinset_failure *failure)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = shape->flags);
	char path[PATH_BYTES];
	int fd, err;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", set->path, name) >= sizeof(path))
		return fail(failure, PINSET_PIN, name, -ENAMETOOLONG);
	fd = bpf_obj_get_opts(path, &opts);
	if (fd < 0)
		return fail(failure, PINSET_PIN, name, -errno);
	err = check_shape(fd, shape, ret_info);
	if (err) {
		close(fd);
		return fail(failure, err == -EPROTO ? PINSET_VERSION : PINSET_PIN, name, err);
	}
	return fd;
}

__attribute__((format(printf, 5, 6)))
static int open_numbered(const struct pinset *set, const struct shape *shape,
			 struct bpf_map_info *ret_info, struct pinset_failure *failure,
			 const char *format, ...)
{
	char name[32];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(name, sizeof(name), format, arguments);
	va_end(arguments);
	return open_pin(set, shape, name, ret_info, failure);
}

/* ---- pairs of folded maps ----------------------------------------------------------- */

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
	const struct shape shape = {
		.type = k->is_per_cpu ? BPF_MAP_TYPE_PERCPU_HASH : BPF_MAP_TYPE_HASH,
		.key_bytes = k->key_bytes,
		.value_bytes = k->value_bytes,
	};
	struct bpf_map_info info;
	int fd = open_pin(set, &shape, name, &info, failure);

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
		close_fd(&set->pairs[kind][0].fd);
	return err == -ENOENT && kind != FOLDED_FLOW ? 0 : err;
}

void pinset_read_active(const struct pinset *set, struct pinset_active *ret_active)
{
	int fd = set->singles[SINGLE_FOLD_ACTIVE].fd;
	u32 zero = 0;

	if (bpf_map_lookup_elem(set->slot_fd, &zero, &ret_active->flows_id))
		ret_active->flows_id = 0;
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
	err = flip_folds(set, active);
	if (!err)
		err = write_slot(set, next->fd);
	active->flows_id = err ? 0 : next->id;
	for (int kind = 0; err && kind < FOLD_KINDS; kind++)
		active->fold[kind] = PINSET_UNKNOWN;
	return err;
}

/*
 * A reader that was killed may have flipped fold_active and not waited: what is not
 * active may be written still. The slot's own map written again has us wait.
 */
static int settle(const struct pinset *set, struct pinset_failure *failure)
{
	struct pinset_active active;
	int written, err;

	if (set->singles[SINGLE_FOLD_ACTIVE].fd < 0)
		return 0;
	pinset_read_active(set, &active);
	written = written_flows(set, &active);
	if (written < 0)
		return 0;
	err = write_slot(set, set->pairs[FOLDED_FLOW][written].fd);
	return err ? fail(failure, PINSET_PIN, PIN_FLOW_SLOT, err) : 0;
}

/* ---- rings ------------------------------------------------------------------------- */

/* Opened and mapped; NULL and *ret_err, *failure. */
static struct ring *open_ring(struct pinset *set, u32 generation, u32 cpu,
			      struct pinset_failure *failure, int *ret_err)
{
	struct bpf_map_info info;
	struct ring *ring;
	int fd;

	fd = cpu == RING_ALL_CPUS
		     ? open_numbered(set, &ring_shape, &info, failure, PIN_EVENTS, generation)
		     : open_numbered(set, &ring_shape, &info, failure, PIN_RING, generation, cpu);
	*ret_err = fd < 0 ? fd : 0;
	if (fd < 0)
		return NULL;
	ring = malloc(sizeof(*ring));
	*ret_err = ring ? ring_open(ring, fd, info.max_entries, generation, cpu) : -ENOMEM;
	close(fd);
	if (*ret_err) {
		free(ring);
		fail(failure, PINSET_PIN, "ring", *ret_err);
		return NULL;
	}
	return ring;
}

static int add_ring(struct pinset *set, unsigned int at, u32 generation, u32 cpu,
		    struct pinset_failure *failure)
{
	int err;
	struct ring *ring = open_ring(set, generation, cpu, failure, &err);

	if (ring)
		set->rings[at] = ring;
	return err;
}

static void drop_rings(struct pinset *set, unsigned int first, unsigned int n)
{
	for (unsigned int i = first; i < first + n; i++) {
		ring_close(set->rings[i]);
		free(set->rings[i]);
	}
}

static int follow_rings(struct pinset *set, const struct pin_settings *now,
			struct pinset_failure *failure)
{
	unsigned int n = now->cpus;
	int err = 0;

	if (set->n_rings && now->rings_generation == set->settings.rings_generation)
		return 0;
	if (n > PINSET_CPUS || set->n_rings + set->n_old_rings > PINSET_OLD_RINGS)
		return fail(failure, PINSET_VERSION, PIN_SETTINGS, -EPROTO);
	/* What was in use becomes old; the new ones go before it. */
	set->n_old_rings += set->n_rings;
	memmove(set->rings + n, set->rings, set->n_old_rings * sizeof(set->rings[0]));
	set->n_rings = 0;
	for (u32 cpu = 0; cpu < n && !err; cpu++) {
		err = add_ring(set, cpu, now->rings_generation, cpu, failure);
		set->n_rings += !err;
	}
	if (err)	/* no gap between the two kinds */
		memmove(set->rings + set->n_rings, set->rings + n,
			set->n_old_rings * sizeof(set->rings[0]));
	return err;
}

/* The ring of events; there may be none. */
static int follow_events(struct pinset *set, const struct pin_settings *now,
			 struct pinset_failure *failure)
{
	int err = 0;

	if (set->events && now->events_generation == set->settings.events_generation)
		return 0;
	if (set->events && set->n_rings + set->n_old_rings > PINSET_OLD_RINGS)
		return fail(failure, PINSET_VERSION, PIN_SETTINGS, -EPROTO);
	if (set->events)
		set->rings[set->n_rings + set->n_old_rings++] = set->events;
	set->events = NULL;
	if (now->events_generation)
		set->events = open_ring(set, now->events_generation, RING_ALL_CPUS, failure, &err);
	return err == -ENOENT ? 0 : err;
}

static bool has_ring(const struct pinset *set, u32 generation, u32 cpu)
{
	for (unsigned int i = 0; i < set->n_rings + set->n_old_rings; i++)
		if (set->rings[i]->generation == generation && set->rings[i]->cpu == cpu)
			return true;
	return false;
}

/* ---- what earlier generations left ---------------------------------------------------- */

static void add_old_ring(struct pinset *set, u32 generation, u32 cpu, u32 generation_in_use)
{
	struct pinset_failure ignored;

	if (generation == generation_in_use || has_ring(set, generation, cpu) ||
	    set->n_old_rings >= PINSET_OLD_RINGS)
		return;
	set->n_old_rings += !add_ring(set, set->n_rings + set->n_old_rings, generation, cpu,
				      &ignored);
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

static void add_old_pair(struct pinset *set, const char *name, const char *stem, u32 generation)
{
	struct pinset_failure ignored;
	int kind = kind_of(stem), fd;
	u32 id;

	if (kind < 0 || generation == generation_of(&set->settings, kind))
		return;
	fd = open_folded(set, kind, name, &id, &ignored);
	if (fd >= 0 && has_old_map(set, id))
		close(fd);
	else
		add_old_map(set, kind, (struct pinset_map){ fd, id });
}

/* A pin that is no longer in use, by its name. One that cannot be opened is passed over. */
static void add_leftover(struct pinset *set, const char *name)
{
	u32 generation, cpu;
	char stem[16], side, rest;

	if (sscanf(name, "ring_%u_%u%c", &generation, &cpu, &rest) == 2)
		add_old_ring(set, generation, cpu, set->settings.rings_generation);
	else if (sscanf(name, "events_%u%c", &generation, &rest) == 1)
		add_old_ring(set, generation, RING_ALL_CPUS, set->settings.events_generation);
	else if (sscanf(name, "%15[a-z]_%u_%c%c", stem, &generation, &side, &rest) == 3)
		add_old_pair(set, name, stem, generation);
}

static void add_leftovers(struct pinset *set)
{
	DIR *dir = opendir(set->path);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		add_leftover(set, entry->d_name);
	closedir(dir);
}

/* ---- maps of which there is one --------------------------------------------------------- */

static int follow_single(struct pinset *set, int which, struct pinset_failure *failure)
{
	struct pinset_map *map = &set->singles[which];
	struct bpf_map_info info;
	int fd = open_pin(set, &singles[which].shape, singles[which].pin, &info, failure);

	/* What is gone from the directory may have to be told of once more. */
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	if (singles[which].rows && info.max_entries != singles[which].rows) {
		close(fd);
		return fail(failure, PINSET_VERSION, singles[which].pin, -EPROTO);
	}
	close_fd(&map->fd);
	*map = (struct pinset_map){ fd, info.id };
	return 0;
}

static int follow_singles(struct pinset *set, struct pinset_failure *failure)
{
	int err = 0;

	for (int i = 0; i < SINGLES && !err; i++)
		err = follow_single(set, i, failure);
	return err;
}

/* ---- counters ------------------------------------------------------------------------- */

static void close_counts(struct pinset_counts *counts)
{
	close_fd(&counts->totals_fd);
	close_fd(&counts->losses_fd);
}

static void leave_counts(struct pinset *set, struct pinset_counts *counts)
{
	if (counts->totals_fd < 0)
		return;
	if (set->n_left == PINSET_LEFT)
		close_counts(counts);
	else
		set->left[set->n_left++] = *counts;
	counts->totals_fd = counts->losses_fd = -1;
}

/* The counters of a slot now, which are others when it was detached in between. */
static int follow_counts(struct pinset *set, u32 slot, struct pinset_failure *failure)
{
	struct pinset_counts *counts = &set->counts[slot];
	struct bpf_map_info info;
	int totals_fd, losses_fd;

	totals_fd = open_numbered(set, &totals_shape, &info, failure, PIN_TOTALS, slot);
	if (totals_fd == -ENOENT) {
		leave_counts(set, counts);
		return 0;
	}
	if (totals_fd < 0)
		return totals_fd;
	if (counts->totals_fd >= 0 && info.id == counts->totals_id) {
		close(totals_fd);
		return 0;
	}
	leave_counts(set, counts);
	*counts = (struct pinset_counts){ totals_fd, -1, info.id, (u8)slot };
	losses_fd = open_numbered(set, &losses_shape, &info, failure, PIN_LOSSES, slot);
	counts->losses_fd = losses_fd < 0 ? -1 : losses_fd;
	return losses_fd < 0 ? losses_fd : 0;
}

static int follow_interfaces(struct pinset *set, struct pinset_failure *failure)
{
	for (u32 slot = 0; slot < PIN_INTERFACES_MAX; slot++) {
		struct pin_interface *interface = &set->interfaces[slot];
		int err;

		if (bpf_map_lookup_elem(set->interfaces_fd, &slot, interface))
			return fail(failure, PINSET_PIN, PIN_INTERFACES, -errno);
		if (!interface->ifindex) {
			leave_counts(set, &set->counts[slot]);
			continue;
		}
		err = follow_counts(set, slot, failure);
		if (err)
			return err;
	}
	return 0;
}

int pinset_interface(const struct pinset *set, u8 slot, struct pin_interface *ret_interface)
{
	u32 key = slot;

	return bpf_map_lookup_elem(set->interfaces_fd, &key, ret_interface) ? -errno : 0;
}

/* ---- the directory ------------------------------------------------------------------- */

bool pinset_lock(struct pinset *set)
{
	return !flock(set->dir_fd, LOCK_EX | LOCK_NB);
}

void pinset_unlock(struct pinset *set)
{
	flock(set->dir_fd, LOCK_UN);
}

static int read_settings(const struct pinset *set, struct pin_settings *ret_settings)
{
	u32 zero = 0;

	memset(ret_settings, 0, sizeof(*ret_settings));
	return bpf_map_lookup_elem(set->settings_fd, &zero, ret_settings) ? -errno : 0;
}

/* The path still leads to the directory that we have opened. */
static bool is_current(const struct pinset *set)
{
	struct stat ours, there;

	return !stat(set->path, &there) && !fstat(set->dir_fd, &ours) &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

enum pinset_change pinset_look(const struct pinset *set)
{
	struct pin_settings now;

	if (access(set->path, F_OK))
		return errno == ENOENT || errno == ENOTDIR ? PINSET_GONE : PINSET_SAME;
	if (!is_current(set))
		return PINSET_REPLACED;
	if (read_settings(set, &now))
		return PINSET_SAME;
	return now.loaded_ns == set->settings.loaded_ns ? PINSET_SAME : PINSET_LOADED;
}

int pinset_refresh(struct pinset *set, struct pinset_failure *failure)
{
	struct pin_settings now;
	int err = read_settings(set, &now);

	if (err)
		return fail(failure, PINSET_PIN, PIN_SETTINGS, err);
	err = follow_singles(set, failure);
	for (int kind = 0; kind < FOLDED_KINDS && !err; kind++)
		err = follow_pair(set, kind, &now, failure);
	if (!err)
		err = follow_rings(set, &now, failure);
	if (!err)
		err = follow_events(set, &now, failure);
	if (!err)
		err = follow_interfaces(set, failure);
	set->probes |= now.probes;
	set->settings = now;
	if (!err)
		add_leftovers(set);
	return err;
}

void pinset_forget_old(struct pinset *set)
{
	for (unsigned int i = 0; i < set->n_old_maps; i++)
		close(set->old_maps[i].map.fd);
	set->n_old_maps = 0;
	drop_rings(set, set->n_rings, set->n_old_rings);
	set->n_old_rings = 0;
}

void pinset_forget_left(struct pinset *set)
{
	for (unsigned int i = 0; i < set->n_left; i++)
		close_counts(&set->left[i]);
	set->n_left = 0;
	set->probes = set->settings.probes;
}

static pid_t reader_of(int lock_fd)
{
	static char locks[65536];
	struct stat st;
	ssize_t n;
	int fd = open("/proc/locks", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(lock_fd, &st)) {
		close_fd(&fd);
		return 0;
	}
	n = read(fd, locks, sizeof(locks) - 1);
	close(fd);
	locks[n > 0 ? n : 0] = '\0';
	return flock_owner(locks, st.st_dev, st.st_ino);
}

static int open_directories(struct pinset *set, struct pinset_failure *failure)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	set->dir_fd = open(set->path, flags);
	if (set->dir_fd < 0)
		return fail(failure, PINSET_DIRECTORY, "", -errno);
	if (!pinset_lock(set) || !is_current(set))
		return fail(failure, PINSET_LOADER_BUSY, "", -EBUSY);
	set->lock_fd = openat(set->dir_fd, PIN_READER, flags);
	if (set->lock_fd < 0)
		return fail(failure, PINSET_PIN, PIN_READER, -errno);
	if (flock(set->lock_fd, LOCK_EX | LOCK_NB)) {
		fail(failure, PINSET_OTHER_READER, "", 0);
		failure->who = reader_of(set->lock_fd);
		return -EBUSY;
	}
	return 0;
}

static int open_maps(struct pinset *set, struct pinset_failure *failure)
{
	struct bpf_map_info info;

	set->settings_fd = open_pin(set, &settings_shape, PIN_SETTINGS, &info, failure);
	if (set->settings_fd < 0)
		return set->settings_fd;
	if (info.value_size < SETTINGS_BYTES_MIN || info.value_size > sizeof(struct pin_settings))
		return fail(failure, PINSET_VERSION, PIN_SETTINGS, -EPROTO);
	set->interfaces_fd = open_pin(set, &interfaces_shape, PIN_INTERFACES, &info, failure);
	if (set->interfaces_fd < 0)
		return set->interfaces_fd;
	set->slot_fd = open_pin(set, &slot_shape, PIN_FLOW_SLOT, &info, failure);
	return set->slot_fd < 0 ? set->slot_fd : 0;
}

int pinset_open(struct pinset *set, const char *path, struct pinset_failure *failure)
{
	int err;

	memset(set, 0, sizeof(*set));
	set->path = path;
	set->dir_fd = set->lock_fd = set->settings_fd = set->interfaces_fd = set->slot_fd = -1;
	for (int kind = 0; kind < FOLDED_KINDS; kind++)
		set->pairs[kind][0].fd = set->pairs[kind][1].fd = -1;
	for (int i = 0; i < SINGLES; i++)
		set->singles[i].fd = -1;
	for (unsigned int i = 0; i < PIN_INTERFACES_MAX; i++)
		set->counts[i].totals_fd = set->counts[i].losses_fd = -1;
	set->rings = calloc(PINSET_CPUS + 2 * PINSET_OLD_RINGS, sizeof(set->rings[0]));
	if (!set->rings)
		return fail(failure, PINSET_MEMORY, "", -ENOMEM);
	err = open_directories(set, failure);
	if (!err)
		err = open_maps(set, failure);
	if (!err)
		err = pinset_refresh(set, failure);
	if (!err)
		err = settle(set, failure);
	if (err)
		pinset_close(set);
	else
		pinset_unlock(set);
	return err;
}

void pinset_close(struct pinset *set)
{
	pinset_forget_old(set);
	pinset_forget_left(set);
	drop_rings(set, 0, set->n_rings);
	free(set->rings);
	for (unsigned int i = 0; i < PIN_INTERFACES_MAX; i++)
		close_counts(&set->counts[i]);
	if (set->events) {
		ring_close(set->events);
		free(set->events);
	}
	for (int kind = 0; kind < FOLDED_KINDS; kind++) {
		close_fd(&set->pairs[kind][0].fd);
		close_fd(&set->pairs[kind][1].fd);
	}
	for (int i = 0; i < SINGLES; i++)
		close_fd(&set->singles[i].fd);
	close_fd(&set->slot_fd);
	close_fd(&set->interfaces_fd);
	close_fd(&set->settings_fd);
	close_fd(&set->lock_fd);
	close_fd(&set->dir_fd);
	set->n_rings = 0;
	set->rings = NULL;
	set->events = NULL;
}
