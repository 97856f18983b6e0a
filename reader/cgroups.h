/* SPDX-License-Identifier: MIT */
/*
 * Paths of cgroups by id, which is the inode number of their directory (Linux 5.5,
 * 743210386c03). Once known, a path stays, also when the cgroup has gone: ids are not
 * used again.
 */
#ifndef JOPIL_READER_CGROUPS_H
#define JOPIL_READER_CGROUPS_H

#include "common/types.h"

/* Cgroups that are kept; beyond, all are forgotten and those there are read anew. */
#define CGROUPS_MAX 16384

struct cgroups;

/*
 * Of the first cgroup2 file system in a file such as /proc/self/mounts. Empty; NULL
 * without memory. The functions below take NULL.
 */
struct cgroups *cgroups_new(const char *mounts);

void cgroups_free(struct cgroups *cgroups);

/* Where they are mounted; NULL: nowhere. */
const char *cgroups_root(const struct cgroups *cgroups);

/* Adds those there are: walks the tree, a few us a cgroup. */
void cgroups_read(struct cgroups *cgroups);

/* "/system.slice/x.service", "/" for the root; NULL: not known. */
const char *cgroups_find(const struct cgroups *cgroups, u64 id);

#endif
