/* SPDX-License-Identifier: MIT */
/* What the files that make up pinset.h share among themselves. */
#ifndef JOPIL_READER_PINSET_PARTS_H
#define JOPIL_READER_PINSET_PARTS_H

#include <bpf/bpf.h>

#include "reader/pinset.h"

/* ---- pinset_pin.c: one pin ------------------------------------------------------- */

/* The shape of a pinned map; a size of 0 is not checked. */
struct pin_shape {
	u32 type;
	u32 key_bytes;
	u32 value_bytes;
	u32 flags;		/* for BPF_OBJ_GET */
};

void pinset_close_fd(int *fd);

/* Fills *failure and returns err. */
int pinset_fail(struct pinset_failure *failure, enum pinset_step step, const char *what, int err);

/* A descriptor and what the kernel says of the map; -errno and *failure. */
int pinset_open_pin(const struct pinset *set, const struct pin_shape *shape, const char *name,
		    struct bpf_map_info *ret_info, struct pinset_failure *failure);

__attribute__((format(printf, 5, 6)))
int pinset_open_numbered(const struct pinset *set, const struct pin_shape *shape,
			 struct bpf_map_info *ret_info, struct pinset_failure *failure,
			 const char *format, ...);

/* ---- pinset_rings.c -------------------------------------------------------------- */

/* Opens the rings that settings say are in use; others become old. 0; -errno, *failure. */
int pinset_follow_rings(struct pinset *set, const struct pin_settings *now,
			struct pinset_failure *failure);

/* If name is that of a ring out of use: opens it as an old one. */
void pinset_add_old_ring(struct pinset *set, const char *name);

void pinset_forget_old_rings(struct pinset *set);
void pinset_close_rings(struct pinset *set);

/* ---- pinset_maps.c: pairs of folded maps, and maps of which there is one --------------- */

int pinset_follow_maps(struct pinset *set, const struct pin_settings *now,
		       struct pinset_failure *failure);

/* If name is that of a folded map out of use: opens it as an old one. */
void pinset_add_old_map(struct pinset *set, const char *name);

void pinset_forget_old_maps(struct pinset *set);
void pinset_close_maps(struct pinset *set);

/*
 * A reader that was killed may have flipped fold_active or the cells and not waited: what
 * is not active may be written still. This waits. 0; -errno and *failure.
 */
int pinset_settle(const struct pinset *set, struct pinset_failure *failure);

#endif
