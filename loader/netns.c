/* SPDX-License-Identifier: MIT */
/* Other network namespaces, by the inode that the interface table remembers. */
#include "loader/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN "/proc/self/ns/net"
#define NAMED "/run/netns"	/* where ip-netns(8) binds them */

u64 netns_own(void)
{
	struct stat st;

	return stat(OWN, &st) ? 0 : st.st_ino;
}

/* A descriptor of the file, if it is the namespace of that inode. */
static int open_if(const char *path, u64 inode)
{
	struct stat st;

	if (stat(path, &st) || st.st_ino != inode)
		return -ENOENT;
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Tries DIR/NAME/suffix for every name. */
static int search(const char *directory, const char *suffix, u64 inode)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	int fd = -ENOENT;

	while (dir && fd < 0 && (entry = readdir(dir))) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s%s", directory, entry->d_name, suffix);
		fd = open_if(path, inode);
	}
	if (dir)
		closedir(dir);
	return fd;
}

int netns_enter(u64 inode, int *ret_back)
{
	int there, back, err = 0;

	*ret_back = -1;
	if (inode == netns_own())
		return 0;
	there = search(NAMED, "", inode);
	if (there < 0)
		there = search("/proc", "/ns/net", inode);
	if (there < 0)
		return -ENOENT;
	back = open(OWN, O_RDONLY | O_CLOEXEC);
	if (back < 0 || setns(there, CLONE_NEWNET)) {
		err = -errno;
		if (back >= 0)
			close(back);
	} else {
		*ret_back = back;
	}
	close(there);
	return err;
}

void netns_leave(int back)
{
	if (back < 0)
		return;
	if (setns(back, CLONE_NEWNET))
		_exit(1);	/* never go on in a namespace that is not ours */
	close(back);
}
