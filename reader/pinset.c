/* SPDX-License-Identifier: MIT */
/* What lies in the pin directory, opened, and followed when the loader changes it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/flock_owner.h"
#include "common/total_rows.h"
#include "reader/pinset_parts.h"

/* Loaders before the host's probes wrote a shorter one: what it lacks is 0. */
#define SETTINGS_BYTES_MIN offsetof(struct pin_settings, probes)

static const struct pin_shape settings_shape = { BPF_MAP_TYPE_ARRAY, 4, 0, BPF_F_RDONLY };
static const struct pin_shape interfaces_shape = { BPF_MAP_TYPE_ARRAY, 4,
						   sizeof(struct pin_interface), BPF_F_RDONLY };
static const struct pin_shape totals_shape = { BPF_MAP_TYPE_PERCPU_ARRAY, 4,
					       sizeof(struct total_value), BPF_F_RDONLY };
static const struct pin_shape losses_shape = { BPF_MAP_TYPE_PERCPU_ARRAY, 4,
					       sizeof(struct loss_value), BPF_F_RDONLY };
static const struct pin_shape slot_shape = { BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 0 };

/* ---- what earlier generations left ---------------------------------------------------- */

/* One that cannot be opened is passed over. */
static void add_leftovers(struct pinset *set)
{
	DIR *dir = opendir(set->path);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		pinset_add_old_ring(set, entry->d_name);
		pinset_add_old_map(set, entry->d_name);
	}
	closedir(dir);
}

/* ---- counters ------------------------------------------------------------------------- */

static void close_counts(struct pinset_counts *counts)
{
	pinset_close_fd(&counts->totals_fd);
	pinset_close_fd(&counts->losses_fd);
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

	totals_fd = pinset_open_numbered(set, &totals_shape, &info, failure, PIN_TOTALS, slot);
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
	losses_fd = pinset_open_numbered(set, &losses_shape, &info, failure, PIN_LOSSES, slot);
	counts->losses_fd = losses_fd < 0 ? -1 : losses_fd;
	return losses_fd < 0 ? losses_fd : 0;
}

static int follow_interfaces(struct pinset *set, struct pinset_failure *failure)
{
	for (u32 slot = 0; slot < PIN_INTERFACES_MAX; slot++) {
		struct pin_interface *interface = &set->interfaces[slot];
		int err;

		if (bpf_map_lookup_elem(set->interfaces_fd, &slot, interface))
			return pinset_fail(failure, PINSET_PIN, PIN_INTERFACES, -errno);
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
	struct stat there;

	if (stat(set->path, &there))
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
		return pinset_fail(failure, PINSET_PIN, PIN_SETTINGS, err);
	err = pinset_follow_maps(set, &now, failure);
	if (!err)
		err = pinset_follow_rings(set, &now, failure);
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
	pinset_forget_old_maps(set);
	pinset_forget_old_rings(set);
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
		pinset_close_fd(&fd);
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
		return pinset_fail(failure, PINSET_DIRECTORY, "", -errno);
	if (!pinset_lock(set) || !is_current(set))
		return pinset_fail(failure, PINSET_LOADER_BUSY, "", -EBUSY);
	set->lock_fd = openat(set->dir_fd, PIN_READER, flags);
	if (set->lock_fd < 0)
		return pinset_fail(failure, PINSET_PIN, PIN_READER, -errno);
	if (flock(set->lock_fd, LOCK_EX | LOCK_NB)) {
		pinset_fail(failure, PINSET_OTHER_READER, "", 0);
		failure->who = reader_of(set->lock_fd);
		return -EBUSY;
	}
	return 0;
}

static int open_maps(struct pinset *set, struct pinset_failure *failure)
{
	struct bpf_map_info info;

	set->settings_fd = pinset_open_pin(set, &settings_shape, PIN_SETTINGS, &info, failure);
	if (set->settings_fd < 0)
		return set->settings_fd;
	if (info.value_size < SETTINGS_BYTES_MIN || info.value_size > sizeof(struct pin_settings))
		return pinset_fail(failure, PINSET_VERSION, PIN_SETTINGS, -EPROTO);
	set->interfaces_fd = pinset_open_pin(set, &interfaces_shape, PIN_INTERFACES, &info, failure);
	if (set->interfaces_fd < 0)
		return set->interfaces_fd;
	set->slot_fd = pinset_open_pin(set, &slot_shape, PIN_FLOW_SLOT, &info, failure);
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
		return pinset_fail(failure, PINSET_MEMORY, "", -ENOMEM);
	err = open_directories(set, failure);
	if (!err)
		err = open_maps(set, failure);
	if (!err)
		err = pinset_refresh(set, failure);
	if (!err)
		err = pinset_settle(set, failure);
	if (err)
		pinset_close(set);
	else
		pinset_unlock(set);
	return err;
}

void pinset_close(struct pinset *set)
{
	pinset_close_rings(set);
	pinset_close_maps(set);
	pinset_forget_left(set);
	for (unsigned int i = 0; i < PIN_INTERFACES_MAX; i++)
		close_counts(&set->counts[i]);
	pinset_close_fd(&set->slot_fd);
	pinset_close_fd(&set->interfaces_fd);
	pinset_close_fd(&set->settings_fd);
	pinset_close_fd(&set->lock_fd);
	pinset_close_fd(&set->dir_fd);
}
