/* SPDX-License-Identifier: MIT */
/* Mounting and unmounting the file system that pins live in. */
#include "loader/bpffs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "loader/procfile.h"

#define BPF_FS_MAGIC 0xcafe4a11	/* linux/magic.h */

bool bpffs_holds(const char *path)
{
	struct statfs st;

	return !statfs(path, &st) && (unsigned int)st.f_type == BPF_FS_MAGIC;
}

int bpffs_mount(const char *path, const char *source, mode_t mode)
{
	char options[32];

	snprintf(options, sizeof(options), "mode=%04o", (unsigned int)mode);
	if (mount(source, path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME, options))
		return -errno;
	return 0;
}

bool bpffs_is_ours(const char *path, bool *ret_made)
{
	char source[64], *text;
	bool found;

	if (procfile_read("/proc/self/mountinfo", &text))
		return false;
	found = procfile_mount_source(text, path, "bpf", source, sizeof(source));
	free(text);
	*ret_made = found && !strcmp(source, BPFFS_SOURCE_MADE);
	return found && (*ret_made || !strcmp(source, BPFFS_SOURCE));
}

int bpffs_unmount(const char *path)
{
	return umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) ? -errno : 0;
}

bool bpffs_would_vanish(void)
{
	struct stat own, parents;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)getppid());
	if (stat("/proc/self/ns/mnt", &own) || stat(path, &parents))
		return false;
	return own.st_ino != parents.st_ino;
}
