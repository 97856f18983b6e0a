/* SPDX-License-Identifier: MIT */
/* The kernel's text files, whole, and what stands in them. The finders are pure. */
#ifndef JOPIL_PROCFILE_H
#define JOPIL_PROCFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/types.h"

/* 0 and the text (the caller frees it), or -errno. */
int procfile_read(const char *path, char **ret_text);

/*
 * /proc/self/mountinfo (proc_pid_mountinfo(5)): the source of the file system of
 * this type that is mounted last at this absolute path. False if there is none.
 */
bool procfile_mount_source(const char *mountinfo, const char *path, const char *type,
			   char *ret_source, size_t size);

/* The first mount point of a file system of this type. False if there is none. */
bool procfile_mount_point(const char *mountinfo, const char *type, char *ret_path, size_t size);

/* A CPU's row of /proc/net/softnet_stat. */
struct softnet {
	u32 processed;	/* packets, since boot; wraps */
	u32 backlog;	/* packets that wait; since Linux 5.10 */
};

/* Row n of the text: false if there is none, or the kernel does not tell the backlog. */
bool procfile_softnet(const char *text, unsigned int n, struct softnet *ret);

#endif
