/* SPDX-License-Identifier: MIT */
/* Making and removing the pin directory, with the mount below it. */
#include "loader/pindir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/options.h"
#include "common/pins.h"
#include "loader/bpffs.h"

#define DEFAULT_GROUP "jopil"

/* How often another loader may remove the directory while we wait for its lock. */
#define MAKE_TRIES 10

int pindir_copy_path(const char *path, char ret_path[PINDIR_PATH_MAX], struct failure *f)
{
	if (strlen(path) >= PINDIR_PATH_MAX)
		return failure_set(f, STATUS_FAILED, "--pin-dir: a path of %zu bytes is too long; "
				   "%d are possible", strlen(path), PINDIR_PATH_MAX - 1);
	snprintf(ret_path, PINDIR_PATH_MAX, "%s", path);
	return 0;
}

/* Cuts a path to the directory above: "/" for those below it. */
static void to_parent(char *path)
{
	char *slash = strrchr(path, '/');

	slash[slash == path ? 1 : 0] = '\0';
}

static void parent_of(const char *path, char ret_parent[PINDIR_PATH_MAX])
{
	snprintf(ret_parent, PINDIR_PATH_MAX, "%s", path);
	to_parent(ret_parent);
}

int pindir_resolve(const char *given, char ret_path[PINDIR_PATH_MAX], struct failure *f)
{
	char copy[PINDIR_PATH_MAX], real[PATH_MAX], whole[PATH_MAX + PINDIR_PATH_MAX];
	const char *parent = copy, *base = copy;
	char *slash;

	if (!*given)
		return failure_set(f, STATUS_USAGE, "--pin-dir: no directory given");
	if (realpath(given, real))
		return pindir_copy_path(real, ret_path, f);
	if (errno != ENOENT && errno != EPERM)	/* a bpffs says EPERM to dots in names */
		return failure_errno(f, errno, "--pin-dir %s", given);
	if (pindir_copy_path(given, copy, f))
		return -1;
	while ((slash = strrchr(copy, '/')) && slash != copy && !slash[1])
		*slash = '\0';
	if (slash) {
		base = slash + 1;
		*slash = '\0';
	}
	if (!slash || slash == copy)
		parent = slash ? "/" : ".";
	if (!realpath(parent, real))
		return failure_errno(f, errno, "--pin-dir %s: the directory above it", given);
	snprintf(whole, sizeof(whole), "%s/%s", strcmp(real, "/") ? real : "", base);
	return pindir_copy_path(whole, ret_path, f);
}

static bool is_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool empty = dir;

	while (empty && (entry = readdir(dir)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
			pin_name_is_builtin(entry->d_name);
	if (dir)
		closedir(dir);
	return empty;
}

static int mount_on(struct pindir *d, const char *path, const char *source, mode_t mode,
		    struct failure *f)
{
	int err;

	if (bpffs_would_vanish())
		return failure_set(f, STATUS_UNSUPPORTED, "%s has no bpffs, and one mounted here "
				   "would end with this command (it has a mount namespace of its "
				   "own); use nsenter --net=/run/netns/NAME, not ip netns exec",
				   path);
	err = bpffs_mount(path, source, mode);
	if (err)
		return failure_errno(f, err, "mount a bpffs on %s", path);
	snprintf(d->mounted, sizeof(d->mounted), "%s", path);
	return 0;
}

/* A directory that is there already: ours if it lies on a bpffs or can be made one. */
static int take_directory(struct pindir *d, const struct stat *st, struct failure *f)
{
	if (!S_ISDIR(st->st_mode))
		return failure_set(f, STATUS_FAILED, "%s is not a directory; give another "
				   "--pin-dir", d->path);
	if (st->st_uid != geteuid())
		return failure_set(f, STATUS_FAILED, "%s belongs to user %u; give another "
				   "--pin-dir", d->path, (unsigned int)st->st_uid);
	if (bpffs_holds(d->path))
		return 0;
	if (!is_empty(d->path))
		return failure_set(f, STATUS_FAILED, "%s is not empty and not on a bpffs; give "
				   "another --pin-dir", d->path);
	return mount_on(d, d->path, BPFFS_SOURCE, 0750, f);
}

static int make_directory(struct pindir *d, struct failure *f)
{
	char parent[PINDIR_PATH_MAX];
	struct stat st;

	if (!strcmp(d->path, BPFFS_USUAL))
		return failure_set(f, STATUS_FAILED, "%s is everybody's; give a directory in it as "
				   "--pin-dir", d->path);
	if (!lstat(d->path, &st))
		return take_directory(d, &st, f);
	parent_of(d->path, parent);
	if (!strcmp(parent, BPFFS_USUAL) && !bpffs_holds(parent) &&
	    mount_on(d, parent, BPFFS_SOURCE, 0711, f))
		return -1;
	if (bpffs_holds(parent) && strchr(strrchr(d->path, '/'), '.'))
		return failure_set(f, STATUS_FAILED, "make %s: a bpffs allows no dot in a name; "
				   "give another --pin-dir", d->path);
	d->made = !mkdir(d->path, 0700);
	if (!d->made && errno != EEXIST)
		return failure_errno(f, errno, "make %s", d->path);
	if (bpffs_holds(parent))
		return 0;
	if (mount_on(d, d->path, BPFFS_SOURCE_MADE, 0750, f)) {
		rmdir(d->path);
		return -1;
	}
	return 0;
}

static int group_by_name(const char *name, gid_t *ret_gid, struct failure *f)
{
	const struct group *group = getgrnam(name);
	uint64_t number;

	if (!group && !options_number(name, 0, UINT32_MAX - 1, false, &number)) {
		*ret_gid = (gid_t)number;
		return 0;
	}
	if (!group)
		return failure_set(f, STATUS_FAILED, "--group %s: no such group; groupadd --system "
				   "%s makes it", name, name);
	*ret_gid = group->gr_gid;
	return 0;
}

static gid_t default_group(void)
{
	const struct group *group = getgrnam(DEFAULT_GROUP);
	const char *sudo = getenv("SUDO_GID");
	uint64_t number;

	if (group)
		return group->gr_gid;
	if (sudo && !options_number(sudo, 0, UINT32_MAX - 1, false, &number))
		return (gid_t)number;
	return 0;
}

static bool can_pass(const struct stat *st, gid_t gid)
{
	return st->st_mode & S_IXOTH || (st->st_gid == gid && st->st_mode & S_IXGRP);
}

/* GROUP must get through every directory above; systemd mounts the bpffs 0700. */
static void make_reachable(struct pindir *d)
{
	char path[PINDIR_PATH_MAX];
	struct stat st;

	if (!d->gid)
		return;
	snprintf(path, sizeof(path), "%s", d->path);
	do {
		to_parent(path);
		if (stat(path, &st) || can_pass(&st, d->gid))
			continue;
		if (!strcmp(path, BPFFS_USUAL) && !chmod(path, (st.st_mode & 07777) | S_IXOTH))
			snprintf(d->opened_up, sizeof(d->opened_up), "%s", path);
		else
			snprintf(d->unreachable, sizeof(d->unreachable), "%s", path);
	} while (path[1]);
}

/* 0; 1: it was removed before we had the lock; -1 with *f filled. */
static int make_and_lock(struct pindir *d, struct failure *f)
{
	int gone;

	if (make_directory(d, f))
		return -1;
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (d->fd < 0)
		return errno == ENOENT ? 1 : failure_errno(f, errno, "open %s", d->path);
	gone = pindir_lock(d, f);
	if (gone)
		pindir_close(d);
	return gone;
}

/* Mounts of ours and directories of ours, but nothing that somebody else still uses. */
static int remove_directory(const struct pindir *d)
{
	char parent[PINDIR_PATH_MAX];
	struct stat own, above;
	bool made;
	int err;

	parent_of(d->path, parent);
	if (bpffs_is_ours(d->path, &made)) {
		err = bpffs_unmount(d->path);
		return err || !made || !rmdir(d->path) ? err : -errno;
	}
	if (!fstat(d->fd, &own) && !stat(parent, &above) && own.st_dev != above.st_dev)
		return 0;	/* the root of somebody's bpffs */
	if (rmdir(d->path) && errno != ENOENT)
		return -errno;
	if (!strcmp(parent, BPFFS_USUAL) && bpffs_is_ours(parent, &made) && is_empty(parent))
		return bpffs_unmount(parent);
	return 0;
}

int pindir_make(struct pindir *d, const char *path, const char *group, struct failure *f)
{
	char settings[PINDIR_FILE_MAX];
	struct stat st;
	int err = 1;

	*d = (struct pindir){ .fd = -1 };
	if (pindir_resolve(path, d->path, f) || (group && group_by_name(group, &d->gid, f)))
		return -1;
	for (int i = 0; i < MAKE_TRIES && err > 0; i++)
		err = make_and_lock(d, f);
	if (err > 0)
		return failure_set(f, STATUS_FAILED, "%s is removed again and again by another "
				   "loader; try again", d->path);
	if (err)
		return -1;
	pindir_file(d, settings, PIN_AREA_SHARED, PIN_SETTINGS);
	d->fresh = access(settings, F_OK);
	if (!group)
		d->gid = d->fresh || fstat(d->fd, &st) ? default_group() : st.st_gid;
	if (pindir_dress(d, f)) {
		if (d->made)
			remove_directory(d);
		pindir_close(d);
		return -1;
	}
	make_reachable(d);
	return 0;
}

static int access_private(const struct pindir *d)
{
	char path[PINDIR_FILE_MAX];

	pindir_file(d, path, PIN_AREA_SHARED, PIN_PRIVATE);
	return access(path, F_OK);
}

static int drop_entry(const struct pin_match *match, const char *name, void *context)
{
	return pindir_drop(context, match->rule->area, "%s", name);
}

static int drop_file(const struct pin_match *match, const char *name, void *context)
{
	return match->rule->is_directory ? 0 : drop_entry(match, name, context);
}

/* private is made first and goes last: without it nothing here is a loader's. */
static int drop_all(struct pindir *d)
{
	int err;

	if (access_private(d))
		return 0;
	err = pindir_each(d, PIN_AREA_SHARED, drop_file, d);
	if (!err)
		err = pindir_each(d, PIN_AREA_PRIVATE, drop_entry, d);
	if (!err)
		err = pindir_drop(d, PIN_AREA_SHARED, PIN_READER);
	return err ? err : pindir_drop(d, PIN_AREA_SHARED, PIN_PRIVATE);
}

int pindir_remove(struct pindir *d, struct failure *f)
{
	int err = drop_all(d);
	char name[64];

	if (!err && pindir_find_foreign(d, name))
		return failure_set(f, STATUS_FAILED, "%s holds '%s', which is not jopil's and was "
				   "left; the rest is removed", d->path, name);
	if (!err)
		err = remove_directory(d);
	return err ? failure_errno(f, err, "remove %s", d->path) : 0;
}
