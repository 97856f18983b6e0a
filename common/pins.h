/* SPDX-License-Identifier: MIT */
/*
 * What lies in the pin directory: the only contract between loader and reader.
 *
 *	DIR/			0750 root:GROUP	flock: held while the set of maps changes
 *	DIR/interfaces		0640	array of struct pin_interface, by slot
 *	DIR/settings		0640	array of one struct pin_settings
 *	DIR/totals_SLOT		0640	per-CPU array, total_rows.h
 *	DIR/losses_SLOT		0640	per-CPU array of DIRECTIONS struct loss_value
 *	DIR/flow_slot		0660	array of maps, one entry: the flow map being written
 *	DIR/flows_GEN_a, _b	0660	per-CPU hash, struct flow_key -> struct flow_value
 *	DIR/ring_GEN_CPU	0660	ring buffer of CPU
 *	DIR/flow_pages		0660	mappable array of struct flow_page
 *	DIR/reader/		0750	flock: held exclusively by the one reader
 *
 * and of the host's probes, as far as they are loaded:
 *
 *	DIR/probe_counters	0640	per-CPU array of u64, probe_counters.h
 *	DIR/fold_active		0660	array of FOLD_KINDS u32: which map of a pair is written
 *	DIR/processes_GEN_a, _b	0660	per-CPU hash, struct process_key -> struct process_value
 *	DIR/drops_GEN_a, _b	0660	per-CPU hash, struct drop_key -> struct drop_value
 *	DIR/latencies_GEN_a, _b	0660	hash, struct latency_key -> struct latency_value
 *	DIR/events_GEN		0660	ring buffer of connection_record and drop_record
 *	DIR/drop_totals		0640	per-CPU hash, struct drop_total_key -> struct drop_value
 *	DIR/locations		0640	array of LOCATION_BYTES: names by drop_key.location
 *	DIR/sockets		0640	iterator: struct connection_record of each open connection
 *
 *	DIR/private/		0700 root:root	links, programs, maps that only programs use
 *
 * GEN counts up when an option changes a map's size: new maps take over, the old ones
 * stay pinned until they are drained, and the next loader removes the empty ones. The
 * flow maps in use are the two of settings.flows_generation, the rings those of
 * settings.rings_generation; every other one has no writer any more.
 *
 * bpffs allows no dot in a name, so interfaces go by slot.
 *
 * Who changes what: the loader, holding DIR's flock, all of it. The reader writes
 * the inner map into flow_slot, holding DIR's flock while it looks at the set and
 * swaps, so that it never puts back a map that a loader has just retired; and deletes
 * drained entries, without it: a stopped consumer must not block a loader.
 *
 * Flows lie in flow_pages, and those that find no cell there in a flow map. The pages are
 * two halves, of which the first page's `written` is the one that programs write; each has
 * as many pages a CPU, and a CPU only writes its own. The reader changes `written`, then
 * writes flow_slot, which waits for the programs that still run: the other half is quiet
 * then. Having mapped the pages, it frees a cell with a store to its tag. They are made
 * with the first packet probe and keep their size until the directory goes.
 */
#ifndef JOPIL_PINS_H
#define JOPIL_PINS_H

#include "common/records.h"

#define PIN_DIR_DEFAULT "/sys/fs/bpf/jopil"

#define PIN_INTERFACES "interfaces"
#define PIN_SETTINGS "settings"
#define PIN_TOTALS "totals_%u"		/* slot */
#define PIN_LOSSES "losses_%u"		/* slot */
#define PIN_FLOW_SLOT "flow_slot"
#define PIN_FLOWS "flows_%u_%c"		/* generation, 'a' or 'b' */
#define PIN_RING "ring_%u_%u"		/* generation, CPU */
#define PIN_PROBE_COUNTERS "probe_counters"
#define PIN_FOLD_ACTIVE "fold_active"
#define PIN_PROCESSES "processes_%u_%c"	/* generation, 'a' or 'b' */
#define PIN_DROPS "drops_%u_%c"
#define PIN_LATENCIES "latencies_%u_%c"
#define PIN_EVENTS "events_%u"		/* generation */
#define PIN_DROP_TOTALS "drop_totals"
#define PIN_LOCATIONS "locations"
#define PIN_SOCKETS "sockets"
#define PIN_FLOW_PAGES "flow_pages"
#define PIN_READER "reader"
#define PIN_PRIVATE "private"

/* Slots are 8 bits in flow_key; a slot is used again only for the same interface. */
#define PIN_INTERFACES_MAX 256

enum pin_hook {
	PIN_HOOK_NONE = 0,
	PIN_HOOK_XDP = 1,	/* native XDP */
	PIN_HOOK_GENERIC = 2,	/* generic XDP */
	PIN_HOOK_TC = 3,
};

/*
 * What the host's probes fold: a pair of maps each, of which fold_active[kind] (0: _a,
 * 1: _b) is written. The reader changes fold_active, then writes flow_slot, which waits
 * for the programs that still run: then the others are quiet.
 */
enum fold_kind {
	FOLD_PROCESS,
	FOLD_DROP,
	FOLD_LATENCY,
	FOLD_KINDS,
};

#define FLOW_PAGE_BITS 9
#define FLOW_PAGE_CELLS (1u << FLOW_PAGE_BITS)

/* An entry of flow_pages. A free cell may be marked used still, never the other way. */
struct flow_page {
	u64 written;		/* of the first page: which half, 0 or 1 */
	u64 pad[7];
	u64 used[FLOW_PAGE_CELLS / 64];	/* a bit a cell */
	struct flow_cell cells[FLOW_PAGE_CELLS];
};

/* Rows of `locations`; 0 is "not known". */
#define LOCATIONS_MAX 1024
#define LOCATION_BYTES 64

/* Rows of `drop_totals`. */
#define DROP_TOTALS_MAX 4096

/* The probes of the host, as bits of pin_settings.probes. */
enum host_probe {
	HOST_PROBE_CONNECTION,
	HOST_PROBE_PROCESS,
	HOST_PROBE_DROP,
	HOST_PROBE_LATENCY,
	HOST_PROBES,
};

/* Knobs that the host's probes read while they run: an array of one, only theirs. */
struct probe_config {
	u32 drop_lines;		/* drop records a second and CPU; PACKET_LINES_ALL: no limit */
	u32 pad;
};

_Static_assert(sizeof(struct probe_config) == 8, "shared through a map");

/* A slot that was used has ifindex != 0; one that is attached now has hooks. */
struct pin_interface {
	u32 ifindex;		/* in its network namespace */
	u8 ingress_hook;	/* enum pin_hook */
	u8 egress_hook;
	u8 pad[2];
	u64 netns_inode;	/* of /proc/self/ns/net of the loader */
	u64 attached_ns;	/* boot time */
	char name[16];		/* when attached; NUL-terminated */
};

struct pin_settings {
	u32 flows_generation;
	u32 rings_generation;
	u32 max_flows;
	u32 ring_bytes;
	u32 packet_lines;	/* PACKET_LINES_ALL: no limit */
	u32 cpus;		/* possible CPUs: rings 0 .. cpus-1 */
	u64 only[4];		/* as in struct packet_config; all 0: no --only */
	u64 loaded_ns;		/* boot time of the last loader run */
	u32 probes;		/* 1 << enum host_probe: attached */
	u32 drop_lines;
	u32 max_fold[FOLD_KINDS];	/* rows of each map */
	u32 fold_generation[FOLD_KINDS];	/* 0: none was made yet */
	u32 events_bytes;
	u32 events_generation;	/* 0: none was made yet */
};

_Static_assert(sizeof(struct flow_page) == 128 + 72 * FLOW_PAGE_CELLS, "shared through a map");
_Static_assert(sizeof(struct pin_interface) == 40, "shared through a map");
_Static_assert(sizeof(struct pin_settings) == 104, "shared through a map");

#endif
