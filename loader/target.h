/* SPDX-License-Identifier: MIT */
/* One interface on its way from what hangs there to what should; it can go back. */
#ifndef JOPIL_TARGET_H
#define JOPIL_TARGET_H

#include <stdbool.h>

#include "loader/foreign.h"
#include "loader/hook.h"
#include "loader/mapset.h"
#include "loader/program.h"
#include "loader/script.h"
#include "loader/table.h"

/* What was done, and what has to be done to go back. */
struct undo {
	struct step back;
	int prog_fd;		/* the program that hung there; -1: none */
};

struct target {
	struct netdev dev;
	bool named;		/* on the command line; else attached before */
	bool elsewhere;		/* it moved, or its namespace is not to be found */
	bool skipped;		/* elsewhere, and more than an update was needed */
	unsigned int slot;
	struct pin_interface before;	/* the slot's row */
	struct hook_choice choice;
	bool fell_back;		/* choice.fallback it was */
	struct site sites[SITES];
	bool foreign_found;
	struct foreign foreign;
	int totals, losses;	/* descriptors; -1: not open */
	bool new_maps;		/* totals and losses made by this run */
	struct program_set programs[VARIANTS][2];	/* [][1]: XDP over several buffers */
	bool unsettled;		/* XDP has changed since the last settle() */
	struct undo undo[2 * STEPS_MAX];
	unsigned int undo_count;
};

/* What all targets of a run share. */
struct target_context {
	const struct pindir *dir;
	struct table *table;
	const struct mapset *maps;
	const struct pin_settings *settings;
	bool tcx, xdp_frags;
};

/*
 * Opens the sites and maps of a slot that is chosen (target->slot, dev, choice are
 * set), and loads the programs that its change needs. Nothing is attached yet. 0, or
 * -1 with *f filled; then target_undo(), and target_close() in both cases.
 */
int target_prepare(struct target *target, const struct target_context *context,
		   struct failure *f);

/* Attaches. 0, or -1 with *f filled and all that was done undone. */
int target_change(struct target *target, const struct target_context *context,
		  struct failure *f);

/* Goes back to what was before target_change(), also in the table. */
void target_undo(struct target *target, const struct target_context *context);

/* Writes the row of the table: from now on it is attached. 0 or -errno. */
int target_commit(struct target *target, const struct target_context *context);

void target_close(struct target *target);

#endif
