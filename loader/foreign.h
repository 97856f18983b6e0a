/* SPDX-License-Identifier: MIT */
/* An XDP program at an interface that is not ours: named, left alone, or displaced. */
#ifndef JOPIL_FOREIGN_H
#define JOPIL_FOREIGN_H

#include <stdbool.h>

#include "common/types.h"
#include "loader/object.h"

struct foreign {
	u32 ifindex;
	u32 prog_id;
	u32 xdp_flags;		/* XDP_FLAGS_*: the mode it hangs in */
	const char *mode;	/* "native", "generic", "offloaded" */
	char name[OBJECT_NAME_BYTES];
	int prog_fd;		/* displaced, and can be put back; else -1 */
};

/* True if there is an XDP program other than own_prog_id (0: we have none there). */
bool foreign_find(u32 ifindex, u32 own_prog_id, struct foreign *ret_foreign);

/* Takes its place: detaches it, by its link if it has one. 0 or -errno. */
int foreign_displace(struct foreign *foreign);

/* Puts a displaced one back, if it had no link: such a one belongs to a process. */
void foreign_restore(struct foreign *foreign);

/* It will not be put back any more. */
void foreign_forget(struct foreign *foreign);

#endif
