/* SPDX-License-Identifier: MIT */
/* Kernel objects by their ids: to tell them apart, and to see them go. */
#ifndef JOPIL_OBJECT_H
#define JOPIL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/types.h"

/* The id of an open program or map: 0 or -errno. */
int object_prog_id(int fd, u32 *ret_id);
int object_map_id(int fd, u32 *ret_id);

#define OBJECT_TAG_BYTES 8	/* BPF_TAG_SIZE */

/* What tells one program's instructions from another's. 0 or -errno. */
int object_prog_tag(int fd, u8 ret_tag[OBJECT_TAG_BYTES]);

/* How often the kernel passed over the program because it was running. 0 or -errno. */
int object_prog_misses(u32 prog_id, u64 *ret_misses);

/* Of one program: no probe has as many. */
#define OBJECT_MAPS_MAX 64

struct object_maps {
	u32 ids[OBJECT_MAPS_MAX];
	u32 count;
};

/* The maps that a program uses. 0 or -errno. */
int object_prog_maps(int fd, struct object_maps *ret_maps);

#define OBJECT_NAME_BYTES 16	/* BPF_OBJ_NAME_LEN */

/* The name that a program was loaded with; "" if it has none or is gone. */
void object_prog_name(u32 prog_id, char ret_name[OBJECT_NAME_BYTES]);

enum object_kind { OBJECT_PROG, OBJECT_MAP, OBJECT_LINK };

/* Objects that are about to go. */
struct census {
	struct census_entry {
		enum object_kind kind;
		u32 id;
	} *entries;
	size_t count, size;
};

/* A program is remembered with the maps that it uses. 0 or -ENOMEM. */
int census_add(struct census *census, enum object_kind kind, u32 id);
int census_add_prog(struct census *census, u32 prog_id);
void census_free(struct census *census);

/*
 * The kernel frees objects some time after their last user has gone. Waits until
 * none of them is there any more, at most so long. True if they are gone.
 */
bool census_wait(const struct census *census, unsigned int wait_ms);

#endif
