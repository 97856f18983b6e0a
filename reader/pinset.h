/* SPDX-License-Identifier: MIT */
/*
 * What lies in the pin directory (common/pins.h), opened: maps, rings, and who else
 * is there. Follows what the loader changes; drains nothing itself.
 */
#ifndef JOPIL_READER_PINSET_H
#define JOPIL_READER_PINSET_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/pins.h"
#include "reader/folded.h"
#include "reader/ring.h"

/* Rings and folded maps of earlier generations that may wait to be drained at once. */
#define PINSET_OLD_RINGS 4096
#define PINSET_OLD_MAPS 256
#define PINSET_CPUS 4096	/* more than any kernel is built for today */
/* Interfaces detached or attached anew between two intervals. */
#define PINSET_LEFT 512

struct pinset_map {
	int fd;			/* -1: none */
	u32 id;
};

struct pinset_old {
	struct pinset_map map;
	u8 kind;		/* index into folded_kinds */
};

/* The maps of which there is one; but for the pages only a loader with probes makes them. */
enum pinset_single {
	SINGLE_FOLD_ACTIVE,
	SINGLE_PROBE_COUNTERS,
	SINGLE_DROP_TOTALS,
	SINGLE_LOCATIONS,
	SINGLE_FLOW_PAGES,
	SINGLES,
};

/* Which map of each pair is written. */
struct pinset_active {
	u32 flows_id;		/* id of the flow map; 0: cannot be told */
	u32 cells;		/* the half of flow_pages: 0, 1; PINSET_UNKNOWN */
	u32 fold[FOLD_KINDS];	/* 0, 1; PINSET_UNKNOWN */
};

#define PINSET_UNKNOWN UINT32_MAX

/* The counters of one interface. */
struct pinset_counts {
	int totals_fd;		/* -1: none */
	int losses_fd;
	u32 totals_id;
	u8 slot;
};

struct pinset {
	const char *path;
	int dir_fd;
	int lock_fd;		/* DIR/reader, locked while we live */
	int settings_fd, interfaces_fd, slot_fd;
	struct pin_settings settings;
	struct pin_interface interfaces[PIN_INTERFACES_MAX];
	struct pinset_counts counts[PIN_INTERFACES_MAX];
	/* gone from the directory: to be reported once more, then pinset_forget_left() */
	unsigned int n_left;
	struct pinset_counts left[PINSET_LEFT];
	/* as settings.probes; until pinset_forget_left() also those detached since */
	u32 probes;
	struct pinset_map singles[SINGLES];
	struct flow_page *pages;	/* of SINGLE_FLOW_PAGES, mapped; NULL: none */
	u32 n_pages;
	/* the maps in use, by index into folded_kinds */
	struct pinset_map pairs[FOLDED_KINDS][2];
	/* of other generations: to be drained if not active, then pinset_forget_old() */
	unsigned int n_old_maps;
	struct pinset_old old_maps[PINSET_OLD_MAPS];
	/* the rings of packets in use first, by CPU; then n_old_rings to be drained and forgotten */
	unsigned int n_rings, n_old_rings;
	struct ring **rings;
	struct ring *events;	/* the ring of events in use; NULL: none */
};

/* Why pinset_open() failed, besides -errno. */
enum pinset_step {
	PINSET_DIRECTORY,	/* errno of open(DIR) */
	PINSET_OTHER_READER,	/* -EBUSY; who: its process id, 0 if not known */
	PINSET_LOADER_BUSY,	/* -EBUSY: a loader holds DIR's lock; try again */
	PINSET_PIN,		/* what: the pin that could not be opened */
	PINSET_VERSION,		/* -EPROTO: what is not of the shape that we know */
	PINSET_MEMORY,
};

struct pinset_failure {
	enum pinset_step step;
	pid_t who;
	char what[32];
};

/* Opens all there is under path. 0, or -errno and *ret_failure. */
int pinset_open(struct pinset *set, const char *path, struct pinset_failure *ret_failure);

/* Closes and unlocks. Lines from its rings must be flushed before. */
void pinset_close(struct pinset *set);

/*
 * DIR's lock, which the loader holds while it changes things. False if it does now.
 * Held only for a moment.
 */
bool pinset_lock(struct pinset *set);
void pinset_unlock(struct pinset *set);

enum pinset_change {
	PINSET_SAME,
	PINSET_LOADED,		/* a loader was here: pinset_refresh() */
	PINSET_REPLACED,	/* the directory is another one: drain, close, open */
	PINSET_GONE,		/* there is none any more: drain, end */
};

/* What has happened to the directory since it was opened. Cheap. */
enum pinset_change pinset_look(const struct pinset *set);

/*
 * Opens what is new and moves what is out of use to the old and left ones; reads the
 * interfaces anew. Under pinset_lock(). 0, or -errno and *ret_failure.
 */
int pinset_refresh(struct pinset *set, struct pinset_failure *ret_failure);

/* One entry of the interface table, read now. 0 or -errno. */
int pinset_interface(const struct pinset *set, u8 slot, struct pin_interface *ret_interface);

/*
 * What is being written. flows_id is neither of the two flow maps if a loader was killed
 * while it changed them.
 */
void pinset_read_active(const struct pinset *set, struct pinset_active *ret_active);

/* Whether no program writes a map of a pair any more. */
bool pinset_is_quiet(const struct pinset *set, const struct pinset_active *active, int kind,
		     int which);

/*
 * Has the other map of each pair written from now on; *active says so then. When it
 * returns, no program writes any other map any more. Under pinset_lock(). 0; -EAGAIN: a
 * loader was killed while it changed the flow maps, and nothing was done; or another
 * -errno, after which nothing is quiet.
 */
int pinset_swap(const struct pinset *set, struct pinset_active *active);

/* Once they are drained and flushed: closes the old maps and rings, and the left counts. */
void pinset_forget_old(struct pinset *set);
void pinset_forget_left(struct pinset *set);

#endif
