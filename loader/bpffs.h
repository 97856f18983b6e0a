/* SPDX-License-Identifier: MIT */
/* Mounting and unmounting the file system that pins live in. */
#ifndef JOPIL_BPFFS_H
#define JOPIL_BPFFS_H

#include <stdbool.h>
#include <sys/types.h>

#define BPFFS_USUAL "/sys/fs/bpf"

/*
 * The source that our mounts carry: what was mounted by us can be told from it in
 * /proc/self/mountinfo, and no crash comes between the mount and its mark.
 */
#define BPFFS_SOURCE "jopil"
#define BPFFS_SOURCE_MADE "jopil-made"	/* and the directory was made by us */

/* True if path lies on a bpffs. */
bool bpffs_holds(const char *path);

/* Mounts one; its root gets the mode. 0 or -errno. */
int bpffs_mount(const char *path, const char *source, mode_t mode);

/* True if path is the root of a bpffs that we mounted; *ret_made: on our directory. */
bool bpffs_is_ours(const char *path, bool *ret_made);

/* Unmounts, if need be when its last user closes. 0 or -errno. */
int bpffs_unmount(const char *path);

/*
 * True if this process is in a mount namespace of its own, apart from the one that
 * called it: `ip netns exec` does that, and what is mounted there ends with us.
 */
bool bpffs_would_vanish(void);

#endif
