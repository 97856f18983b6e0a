/* SPDX-License-Identifier: MIT */
/* The interface table: which interface has which slot (common/pins.h). */
#ifndef JOPIL_TABLE_H
#define JOPIL_TABLE_H

#include <stdbool.h>

#include "common/pins.h"
#include "loader/failure.h"
#include "loader/pindir.h"
#include "loader/pinned_map.h"
#include "loader/script.h"
#include "loader/site.h"

struct table {
	int rows_fd, settings_fd;	/* pins "interfaces" and "settings" */
	struct pin_interface rows[PIN_INTERFACES_MAX];
	struct pin_settings settings;	/* all 0: no loader has finished yet */
};

/* True if the row's interface is attached now, as far as the table knows. */
bool row_is_attached(const struct pin_interface *row);

/* The slot of an interface, attached or not: -1 if it has none. */
int slot_find(const struct pin_interface *rows, u32 ifindex, u64 netns_inode);

/* The slot of an attached interface by the name it was attached with: -1 if none. */
int slot_find_name(const struct pin_interface *rows, const char *name);

/*
 * A slot for a new interface: the first that was never used, else the one that has
 * been detached longest. -1: all are attached.
 */
int slot_choose(const struct pin_interface *rows);

/*
 * Opens the two maps. Where they are not there and not to be made, the table is empty;
 * for MAP_WRITE, which is for clearing up, also where they are of another shape.
 * 0, or -1 with *f filled.
 */
int table_open(const struct pindir *d, enum map_access access, struct table *ret_table,
	       struct failure *f);
void table_close(struct table *table);

/* Writes one row, or the settings, from *table. 0 or -errno. */
int table_write_row(struct table *table, unsigned int slot, const struct pin_interface *row);
int table_write_settings(struct table *table, const struct pin_settings *settings);

/* All sites of a slot. 0 or -errno. */
int table_open_sites(const struct pindir *d, const struct table *table, unsigned int slot,
		     struct site ret_sites[SITES]);
void table_close_sites(struct site sites[SITES]);

/*
 * Clears what a loader that died left behind: programs that hang where the table
 * says that nothing is attached, links of interfaces that are gone. gone is called
 * for each row that thereby became detached. 0, or -1 with *f filled.
 */
int table_tidy(const struct pindir *d, struct table *table,
	       void (*gone)(const struct pin_interface *row), struct failure *f);

#endif
