/* SPDX-License-Identifier: MIT */
/* What `loader --status` shows, gathered once and printed in two ways. */
#ifndef JOPIL_VIEW_H
#define JOPIL_VIEW_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/pins.h"
#include "common/probe_counters.h"
#include "common/records.h"
#include "loader/failure.h"
#include "loader/features.h"
#include "loader/mapset.h"
#include "loader/netdev.h"
#include "loader/pindir.h"
#include "loader/probe.h"
#include "loader/table.h"

struct view_interface {
	unsigned int slot;
	struct pin_interface row;
	const char *state;	/* "attached", "detached", "renamed", "moved", "gone" */
	char name_now[NETDEV_NAME_BYTES];	/* "" if it cannot be told */
	struct site sites[SITES];	/* states and ids; no descriptors */
	bool counted;		/* the numbers below could be read */
	u64 packets[DIRECTIONS], bytes[DIRECTIONS];
	u64 unattributed, packet_lines, ring_full, malformed;
};

struct view_map {
	char name[PIN_NAME_BYTES];
	enum mapset_kind kind;
	bool in_force;		/* of the generation that programs use */
	bool written;		/* of a pair: the one that is written now */
	u32 cpu;		/* of a ring of packets */
	long used;		/* entries, or bytes of a ring; negative: not to be read */
	u32 size;		/* likewise */
};

enum view_state {
	VIEW_OFF,
	VIEW_ATTACHED,
	VIEW_INCOMPLETE,	/* a program that the probe needs is not there */
	VIEW_UNSUPPORTED,
};

#define VIEW_PROGRAMS_MAX 24
#define VIEW_WHY_BYTES 320

/* A program of a host probe that is attached. */
struct view_program {
	char name[32];
	char section[48];	/* "tp_btf/kfree_skb" */
	u32 link_id, prog_id;
	bool missed_known;
	u64 missed;		/* events that came while it was running on that CPU */
};

struct view_probe {
	enum view_state state;
	char why[VIEW_WHY_BYTES];	/* "" if there is nothing to say */
	struct view_program programs[VIEW_PROGRAMS_MAX];
	unsigned int programs_count;
	bool missed_known;
	u64 missed;		/* at most so many events are in no counter */
};

/* Which probe's counter, by its index. */
struct view_counter {
	const char *probe, *name;
};

extern const struct view_counter view_counters[PROBE_COUNTERS];

struct view {
	char pin_dir[PINDIR_PATH_MAX];
	gid_t gid;
	char group[64];		/* its name, or its number */
	bool links_readable;	/* false: without root, links and program ids are not known */
	struct pin_settings settings;
	struct view_interface interfaces[PIN_INTERFACES_MAX];
	unsigned int interfaces_count;
	unsigned int attached_count;	/* interfaces and host probes */
	struct view_probe probes[1 + HOST_PROBES];	/* as probe_rows */
	bool counted;		/* the counters could be read */
	u64 counters[PROBE_COUNTERS];
	u32 cells, cells_used;	/* of flow_pages; 0 cells: there are none */
	struct view_map *maps;
	size_t maps_count;
	pid_t reader;		/* 0: none */
	enum feature_answer features[FEATURES];
	char kernel[64];	/* its release */
};

/*
 * 0, or -1 with *f filled. A directory that is not there makes a view without
 * interfaces. view_free() in any case.
 */
int view_gather(const char *pin_dir, struct view *ret_view, struct failure *f);
void view_free(struct view *view);

/* How a site's program hangs there: "xdp link", "tcx link", "tc filter", "none". */
const char *view_by(const struct site *site);

/* The names of the protocols of --only with commas; "all" if there is no --only. */
void view_only(const u64 only[4], char *ret_text, size_t size);

/* The probes; d NULL: no directory. 0, or -1 with *f filled. */
int view_gather_probes(const struct pindir *d, struct view *view, struct failure *f);

const char *view_state_name(enum view_state state);

void view_print_text(const struct view *view, FILE *out);

/* 0 or -ENOMEM. */
int view_print_json(const struct view *view, FILE *out);

#endif
