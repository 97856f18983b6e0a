/* SPDX-License-Identifier: MIT */
/* Other network namespaces, by the inode that the interface table remembers. */
#ifndef JOPIL_NETNS_H
#define JOPIL_NETNS_H

#include "common/types.h"

/* The inode of our network namespace; 0 if /proc does not tell. */
u64 netns_own(void);

/*
 * Goes there if it is not ours already: looks for it in /run/netns and with the
 * processes that run. 0 and the way back; -ENOENT: it is not to be found, most likely
 * gone; or another -errno.
 */
int netns_enter(u64 inode, int *ret_back);

/* Returns where netns_enter() came from. */
void netns_leave(int back);

#endif
