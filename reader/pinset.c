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
#include "common/total_rows.h"

#define PATH_BYTES 4096

/* The shape of a pinned map; a size of 0 is not checked. */
struct shape {
	u32 type;
	u32 key_bytes;
	u32 value_bytes;
	u32 flags;		/* for BPF_OBJ_GET */
};

static const struct shape settings_shape = { BPF_MAP_TYPE_ARRAY, 4, sizeof(struct pin_settings),
					     BPF_F_RDONLY };
static const struct shape interfaces_shape = { BPF_MAP_TYPE_ARRAY, 4,
					       sizeof(struct pin_interface), BPF_F_RDONLY };
static const struct shape totals_shape = { BPF_MAP_TYPE_PERCPU_ARRAY, 4,
					   sizeof(struct total_value), BPF_F_RDONLY };
static const struct shape losses_shape = { BPF_MAP_TYPE_PERCPU_ARRAY, 4,
					   sizeof(struct loss_value), BPF_F_RDONLY };
static const struct shape slot_shape = { BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 0 };
static const struct shape flows_shape = { BPF_MAP_TYPE_PERCPU_HASH, sizeof(struct flow_key),
					  sizeof(struct flow_value), 0 };
static const struct shape ring_shape = { BPF_MAP_TYPE_RINGBUF, 0, 0, 0 };

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

/* ---- flow maps ------------------------------------------------------------------- */

static void add_old_flows(struct pinset *set, int fd, u32 id)
{
	if (set->n_old_flows == PINSET_OLD_FLOWS)
		close(fd);	/* still pinned: its turn comes with the next refresh */
	else
		set->old_flows[set->n_old_flows++] = (struct pinset_flows){ fd, id };
}

static int open_flows(struct pinset *set, u32 generation, struct pinset_failure *failure)
{
	struct bpf_map_info info;

	for (int i = 0; i < 2; i++) {
		int fd = open_numbered(set, &flows_shape, &info, failure, PIN_FLOWS, generation,
				       'a' + i);

		if (fd < 0)
			return fd;
		set->flows[i] = (struct pinset_flows){ fd, info.id };
	}
	return 0;
}

static int follow_flows(struct pinset *set, const struct pin_settings *now,
			struct pinset_failure *failure)
{
	if (set->flows[0].fd >= 0 && now->flows_generation == set->settings.flows_generation)
		return 0;
	for (int i = 0; i < 2; i++) {
		if (set->flows[i].fd >= 0)
			add_old_flows(set, set->flows[i].fd, set->flows[i].id);
		set->flows[i] = (struct pinset_flows){ -1, 0 };
	}
	return open_flows(set, now->flows_generation, failure);
}

u32 pinset_active_flows(const struct pinset *set)
{
	u32 zero = 0, id;

	return bpf_map_lookup_elem(set->slot_fd, &zero, &id) ? 0 : id;
}

int pinset_activate_flows(const struct pinset *set, const struct pinset_flows *flows)
{
	u32 zero = 0;

	return bpf_map_update_elem(set->slot_fd, &zero, &flows->fd, BPF_ANY) ? -errno : 0;
}

/* ---- rings ------------------------------------------------------------------------- */

static int add_ring(struct pinset *set, unsigned int at, u32 generation, u32 cpu,
		    struct pinset_failure *failure)
{
	struct bpf_map_info info;
	struct ring *ring;
	int fd, err;

	fd = open_numbered(set, &ring_shape, &info, failure, PIN_RING, generation, cpu);
	if (fd < 0)
		return fd;
	ring = malloc(sizeof(*ring));
	err = ring ? ring_open(ring, fd, info.max_entries, generation, cpu) : -ENOMEM;
	close(fd);
	if (err) {
		free(ring);
		return fail(failure, PINSET_PIN, "ring", err);
	}
	set->rings[at] = ring;
	return 0;
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

static bool has_ring(const struct pinset *set, u32 generation, u32 cpu)
{
	for (unsigned int i = 0; i < set->n_rings + set->n_old_rings; i++)
		if (set->rings[i]->generation == generation && set->rings[i]->cpu == cpu)
			return true;
	return false;
}

/* ---- what earlier generations left ---------------------------------------------------- */

/* A pin that is no longer in use, by its name. One that cannot be opened is passed over. */
static void add_leftover(struct pinset *set, const char *name)
{
	struct pinset_failure ignored;
	struct bpf_map_info info;
	u32 generation, cpu;
	char side, rest;

	if (sscanf(name, "flows_%u_%c%c", &generation, &side, &rest) == 2) {
		int fd = generation == set->settings.flows_generation
				 ? -1 : open_pin(set, &flows_shape, name, &info, &ignored);

		if (fd >= 0)
			add_old_flows(set, fd, info.id);
	} else if (sscanf(name, "ring_%u_%u%c", &generation, &cpu, &rest) == 2) {
		if (generation == set->settings.rings_generation ||
		    has_ring(set, generation, cpu) || set->n_old_rings == PINSET_OLD_RINGS)
			return;
		set->n_old_rings += !add_ring(set, set->n_rings + set->n_old_rings, generation,
					      cpu, &ignored);
	}
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
	u32 zero = 0;

	if (access(set->path, F_OK))
		return errno == ENOENT || errno == ENOTDIR ? PINSET_GONE : PINSET_SAME;
	if (!is_current(set))
		return PINSET_REPLACED;
	if (bpf_map_lookup_elem(set->settings_fd, &zero, &now))
		return PINSET_SAME;
	return now.loaded_ns == set->settings.loaded_ns ? PINSET_SAME : PINSET_LOADED;
}

int pinset_refresh(struct pinset *set, struct pinset_failure *failure)
{
	struct pin_settings now;
	u32 zero = 0;
	int err;

	if (bpf_map_lookup_elem(set->settings_fd, &zero, &now))
		return fail(failure, PINSET_PIN, PIN_SETTINGS, -errno);
	err = follow_flows(set, &now, failure);
	if (!err)
		err = follow_rings(set, &now, failure);
	if (!err)
		err = follow_interfaces(set, failure);
	set->settings = now;
	if (!err)
		add_leftovers(set);
	return err;
}

void pinset_forget_old(struct pinset *set)
{
	for (unsigned int i = 0; i < set->n_old_flows; i++)
		close(set->old_flows[i].fd);
	set->n_old_flows = 0;
	drop_rings(set, set->n_rings, set->n_old_rings);
	set->n_old_rings = 0;
}

void pinset_forget_left(struct pinset *set)
{
	for (unsigned int i = 0; i < set->n_left; i++)
		close_counts(&set->left[i]);
	set->n_left = 0;
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
	set->flows[0].fd = set->flows[1].fd = -1;
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
	close_fd(&set->flows[0].fd);
	close_fd(&set->flows[1].fd);
	close_fd(&set->slot_fd);
	close_fd(&set->interfaces_fd);
	close_fd(&set->settings_fd);
	close_fd(&set->lock_fd);
	close_fd(&set->dir_fd);
	set->n_rings = 0;
	set->rings = NULL;
}
