/* SPDX-License-Identifier: MIT */
/* Who holds a flock(), out of the text of /proc/locks. */
#include "common/flock_owner.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

/* "1: FLOCK  ADVISORY  WRITE 13014 00:27:14769 0 EOF"; who waits has a "->". */
pid_t flock_owner(const char *locks, dev_t device, ino_t inode)
{
	for (const char *line = locks; *line;) {
		unsigned int device_major, device_minor;
		unsigned long long number;
		long pid;

		if (sscanf(line, "%*u: FLOCK %*s %*s %ld %x:%x:%llu", &pid, &device_major,
			   &device_minor, &number) == 4 &&
		    makedev(device_major, device_minor) == device && number == inode)
			return pid > 0 ? (pid_t)pid : 0;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return 0;
}
