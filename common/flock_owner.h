/* SPDX-License-Identifier: MIT */
/* Who holds a flock(), out of the text of /proc/locks (proc_locks(5)). */
#ifndef JOPIL_FLOCK_OWNER_H
#define JOPIL_FLOCK_OWNER_H

#include <sys/types.h>

/*
 * locks is NUL-terminated. 0 if nobody holds one on that file, or somebody outside
 * this PID namespace.
 */
pid_t flock_owner(const char *locks, dev_t device, ino_t inode);

#endif
