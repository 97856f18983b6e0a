/* SPDX-License-Identifier: MIT */
/* Every name that may lie in a pin directory, with its mode: one table. */
#ifndef JOPIL_PIN_NAME_H
#define JOPIL_PIN_NAME_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/types.h"

#define PIN_NAME_BYTES 40

/* In PIN_PRIVATE, which only the loader reads; see also common/pins.h. */
#define PIN_RINGS "rings"		/* array of maps: the ring of each CPU */
#define PIN_BUDGETS "budgets"		/* per-CPU token buckets of packet lines */
#define PIN_LINK "link_%u_%s"		/* slot, site */
#define PIN_FILTER "filter_%u_%s"	/* slot, site: the program of a clsact filter */
#define PIN_FILTER_NEW "filter_%u_%s_new"
#define PIN_CLSACT "clsact_%u"		/* directory: the qdisc of this slot is ours */
#define PIN_CHANGING "changing"		/* directory: a loader is at work, or died at it */

/* The same of the host's probes. */
#define PIN_HOST_LINK "host_%.31s"	/* program */
#define PIN_REFUSED "refused_%s"	/* directory: the kernel refused this probe */
#define PIN_PROBE_CONFIG "probe_config"	/* struct probe_config */
#define PIN_SOCKET_STATES "socket_states"	/* socket storage: struct socket_state */
#define PIN_LOCATION_IDS "location_ids"	/* which address has which row of locations */
#define PIN_LOCATIONS_USED "locations_used"	/* how many rows are taken */
#define PIN_PROCESS_MAPS "process_maps"	/* arrays of maps: a pair of each kind */
#define PIN_DROP_MAPS "drop_maps"
#define PIN_LATENCY_MAPS "latency_maps"
#define PIN_EVENT_RING "event_ring"	/* array of one map: the ring of events */

enum pin_area {
	PIN_AREA_SHARED,	/* DIR */
	PIN_AREA_PRIVATE,	/* DIR/private */
};

struct pin_rule {
	enum pin_area area;
	const char *pattern;
	mode_t mode;
	bool is_directory;
	bool group;		/* belongs to the group, else to root's */
};

struct pin_match {
	const struct pin_rule *rule;
	u32 number[2];
	u32 numbers;		/* how many of them there are */
	char word[32];		/* of %s, %c and %.31s */
};

/* True if the name is one of ours. */
bool pin_name_match(enum pin_area area, const char *name, struct pin_match *ret_match);

/* True if a bpffs makes this name by itself at its root (its iterators). */
bool pin_name_is_builtin(const char *name);

#endif
