/* SPDX-License-Identifier: MIT */
/*
 * The maps that all interfaces share, and their generations: when an option changes
 * a map's size, new maps take over and the old ones stay until they are drained.
 */
#ifndef JOPIL_MAPSET_H
#define JOPIL_MAPSET_H

#include <stdbool.h>

#include "common/pins.h"
#include "loader/failure.h"
#include "loader/pindir.h"
#include "loader/pinned_map.h"

struct mapset {
	int budgets, rings, flow_slot;	/* descriptors; -1: not open */
	int flows[2];
	bool new_flows, new_rings;	/* generations made by this run */
};

/*
 * Opens what is there and makes what is missing for the sizes in *settings; fills in
 * its generations and CPUs. Maps that programs write already are left as they are until
 * mapset_switch(). 0, or -1 with *f filled and nothing new left behind.
 */
int mapset_make(const struct pindir *d, struct pin_settings *settings, struct mapset *ret_set,
		struct failure *f);
void mapset_close(struct mapset *set);

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

/* What a pin is, of the maps that have generations. */
enum mapset_kind { MAPSET_OTHER, MAPSET_FLOWS, MAPSET_RING };
enum mapset_kind mapset_kind(const struct pin_match *match);

/* The totals or losses of a slot: a descriptor or -errno, as pinned_map(). */
int mapset_totals(const struct pindir *d, unsigned int slot, enum map_access access);
int mapset_losses(const struct pindir *d, unsigned int slot, enum map_access access);

#endif
