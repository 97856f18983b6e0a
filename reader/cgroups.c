/* SPDX-License-Identifier: MIT */
/* Paths of cgroups by id: a walk over the tree of directories, kept in a hash table. */
#include "reader/cgroups.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/line_write.h"

#define SLOTS (2 * CGROUPS_MAX)		/* a power of 2 */
/* A descriptor each level; systemd and containers use less than ten. */
#define DEPTH_MAX 64

struct cgroup {
	u64 id;			/* 0: the slot is free */
	char *path;
};

struct cgroups {
	char root[PATH_MAX];	/* where it is mounted; empty: nowhere */
	unsigned int n;
	struct cgroup slots[SLOTS];
};

static void find_mount(const char *mounts, char root[PATH_MAX])
{
	FILE *file = setmntent(mounts, "re");
	struct mntent *entry;

	while (file && (entry = getmntent(file))) {
		if (strcmp(entry->mnt_type, "cgroup2") != 0 || strlen(entry->mnt_dir) >= PATH_MAX)
			continue;
		strcpy(root, entry->mnt_dir);
		break;
	}
	if (file)
		endmntent(file);
}

struct cgroups *cgroups_new(const char *mounts)
{
	struct cgroups *cgroups = calloc(1, sizeof(*cgroups));

	if (cgroups)
		find_mount(mounts, cgroups->root);
	return cgroups;
}

static void forget_all(struct cgroups *cgroups)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		free(cgroups->slots[i].path);
	memset(cgroups->slots, 0, sizeof(cgroups->slots));
	cgroups->n = 0;
}

void cgroups_free(struct cgroups *cgroups)
{
	if (!cgroups)
		return;
	forget_all(cgroups);
	free(cgroups);
}

/* Its slot, or the free one where it belongs: the table is never full. */
static unsigned int slot_of(const struct cgroups *cgroups, u64 id)
{
	unsigned int i = (unsigned int)(id * 0x9e3779b97f4a7c15ull >> 32) % SLOTS;

	while (cgroups->slots[i].id && cgroups->slots[i].id != id)
		i = (i + 1) % SLOTS;
	return i;
}

static void add(struct cgroups *cgroups, u64 id, const char *path)
{
	struct cgroup *slot = &cgroups->slots[slot_of(cgroups, id)];

	if (!id || slot->id || cgroups->n == CGROUPS_MAX)
		return;
	slot->path = strndup(path, LINE_CGROUP_BYTES);
	if (!slot->path)
		return;
	slot->id = id;
	cgroups->n++;
}

static bool is_dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/*
 * The directories in the open one, whose path of length is there; takes fd. The inode
 * numbers of a kernfs are those that readdir(3) says.
 */
static void walk(struct cgroups *cgroups, int fd, char path[PATH_MAX], size_t length,
		 unsigned int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		close(fd);
		return;
	}
	while (depth && (entry = readdir(dir))) {
		size_t name_length = strlen(entry->d_name);
		int below;

		if (entry->d_type != DT_DIR || is_dot(entry->d_name) ||
		    length + name_length + 2 > PATH_MAX)
			continue;
		path[length] = '/';
		memcpy(path + length + 1, entry->d_name, name_length + 1);
		add(cgroups, entry->d_ino, path);
		below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0)
			walk(cgroups, below, path, length + 1 + name_length, depth - 1);
	}
	closedir(dir);
}

const char *cgroups_root(const struct cgroups *cgroups)
{
	return cgroups && *cgroups->root ? cgroups->root : NULL;
}

void cgroups_read(struct cgroups *cgroups)
{
	char path[PATH_MAX] = "";
	struct stat st;
	int fd;

	if (!cgroups || !*cgroups->root)
		return;
	if (cgroups->n == CGROUPS_MAX)
		forget_all(cgroups);
	fd = open(cgroups->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (!fstat(fd, &st))
		add(cgroups, st.st_ino, "/");
	walk(cgroups, fd, path, 0, DEPTH_MAX);
}

const char *cgroups_find(const struct cgroups *cgroups, u64 id)
{
	return cgroups && id ? cgroups->slots[slot_of(cgroups, id)].path : NULL;
}
