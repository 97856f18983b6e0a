/* SPDX-License-Identifier: MIT */
/* A map that is pinned: opened if it is there, checked, made if it is not. */
#ifndef JOPIL_PINNED_MAP_H
#define JOPIL_PINNED_MAP_H

#include <bpf/bpf.h>
#include <stdbool.h>

#include "common/types.h"
#include "loader/failure.h"
#include "loader/pindir.h"

struct map_shape {
	enum bpf_map_type type;
	u32 key_size;
	u32 value_size;
	u32 max_entries;	/* 0: of one that is there, any */
	int inner_fd;		/* maps in maps: an example of what is in them */
	u32 flags;		/* BPF_F_* to make it with */
};

enum map_access {
	MAP_READ,	/* read-only */
	MAP_WRITE,
	MAP_MAKE,	/* make it if it is not there */
};

/*
 * A descriptor of the map pinned under this name, or -errno: -ENOENT (not there, and
 * not to be made), -EMEDIUMTYPE (something else lies there), or what the kernel says.
 */
int pinned_map(const struct pindir *d, enum pin_area area, const char *name,
	       const struct map_shape *shape, enum map_access access);

/* The words for what pinned_map() returned. Returns -1. */
int pinned_map_failure(int err, const struct pindir *d, const char *name, struct failure *f);

/*
 * How many entries a map has that can be counted in batches (5.6); its values, over
 * all CPUs, take value_bytes. The count, or -errno.
 */
long pinned_map_count(int fd, u32 key_size, u32 value_bytes);

/* True if a hash map has no entry. */
bool pinned_map_is_empty(int fd, u32 key_size);

/* The cells of flow_pages: how many there are, and how many have a flow. 0 or -errno. */
int pinned_pages_used(int fd, u32 *ret_cells, u32 *ret_used);

/* How many bytes in a ring buffer wait for the reader: 0 and the bytes, or -errno. */
int pinned_ring_used(int fd, u64 *ret_bytes);

#endif
