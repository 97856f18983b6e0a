/* SPDX-License-Identifier: MIT */
/*
 * The maps that all interfaces share, and their generations: when an option changes
 * a map's size, new maps take over and the old ones stay until they are drained.
 */
#ifndef JOPIL_MAPSET_H
#define JOPIL_MAPSET_H

#include <stdbool.h>

#include "bpf/packet_config.h"
#include "common/pins.h"
#include "loader/failure.h"
#include "loader/pindir.h"
#include "loader/pinned_map.h"

/* Maps that come in generations: pins of common/pins.h, behind a map of maps. */
enum mapset_kind {
	MAPSET_FLOWS,
	MAPSET_RING,		/* of packets, one a CPU */
	MAPSET_PROCESSES,
	MAPSET_DROPS,
	MAPSET_LATENCIES,
	MAPSET_EVENTS,		/* the ring of connections and drops */
	MAPSET_KINDS,
	MAPSET_OTHER = MAPSET_KINDS,
};

/* What a pin is. */
enum mapset_kind mapset_kind(const struct pin_match *match);
bool mapset_is_ring(enum mapset_kind kind);

/* The generation that programs use; 0: none. */
u32 mapset_generation(enum mapset_kind kind, const struct pin_settings *settings);

struct mapset {
	int budgets;			/* descriptors; -1: not open */
	int flow_pages;			/* -1: none are wanted for so few flows */
	u32 cell_bits;			/* as in struct packet_config, and of this run alone */
	u64 spread[PACKET_SPREAD];
	int outer[MAPSET_KINDS];	/* the maps of maps; -1: not wanted */
	bool made[MAPSET_KINDS];	/* a generation was made by this run */
	bool made_pages;
};

#define MAPSET_CLOSED \
	((struct mapset){ .budgets = -1, .flow_pages = -1, .outer = { -1, -1, -1, -1, -1, -1 } })

/*
 * Opens what is there and makes what is missing for the sizes in *settings and for these
 * probes (a set of probe.h); fills in its generations and CPUs. Maps that programs write
 * already are left as they are until mapset_switch(). 0, or -1 with *f filled and nothing
 * new left behind.
 */
int mapset_make(const struct pindir *d, u32 probes, struct pin_settings *settings,
		struct mapset *ret_set, struct failure *f);
void mapset_close(struct mapset *set);

/*
 * Takes away what this run made for probes that are not in the set after all; their
 * generations are none again. 0 or -errno.
 */
int mapset_trim(const struct pindir *d, u32 probes, struct mapset *set,
		struct pin_settings *settings);

/*
 * Puts the maps of the settings' generations where programs write; on return no
 * program writes to others. 0 or -errno.
 */
int mapset_switch(const struct pindir *d, const struct mapset *set,
		  const struct pin_settings *settings);

/* Takes away the generations that this run made, before a switch. */
void mapset_undo(const struct pindir *d, const struct mapset *set,
		 const struct pin_settings *settings);

/* Removes maps of other generations that are empty. How many are left, or -errno. */
int mapset_sweep(const struct pindir *d, const struct pin_settings *settings);

/* The map of maps that bpf/ calls so: a descriptor of the set's; -1: none. */
int mapset_outer(const struct mapset *set, const char *name);

/* The id of the map within a map of maps; 0 if there is none. */
u32 mapset_inner_id(int outer_fd, u32 index);

/* The totals or losses of a slot: a descriptor or -errno, as pinned_map(). */
int mapset_totals(const struct pindir *d, unsigned int slot, enum map_access access);
int mapset_losses(const struct pindir *d, unsigned int slot, enum map_access access);

#endif
