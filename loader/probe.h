/* SPDX-License-Identifier: MIT */
/*
 * The probes that the loader knows, as tables: --probe, --status and --help read them,
 * and what is loaded, pinned and attached follows from them.
 *
 * A program of bpf/ belongs to the probe that its name begins with: connection_state to
 * connection. So a probe may have more programs without a change here.
 */
#ifndef JOPIL_LOADER_PROBE_H
#define JOPIL_LOADER_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/pins.h"
#include "common/types.h"
#include "loader/pin_name.h"

struct probe {
	const char *name;	/* as in --probe and bpf/NAME.bpf.c */
	const char *what;	/* one phrase for --status */
};

/* In the order of the bits of a set of probes. */
extern const struct probe probe_rows[];
extern const unsigned int probe_rows_count;

/* Sets: packet, then the host's probes in the order of enum host_probe. */
#define PROBE_PACKET 0x1u
#define PROBE_HOST(probe) (2u << (probe))
#define PROBES_HOST (((1u << HOST_PROBES) - 1) << 1)

/* What --probe said. */
struct probe_argument {
	bool given;
	u32 set;
	u32 named;		/* by name, not by `all`: what cannot be done is an error */
};

/* "packet" or "all" or a list with commas. 0, or -EINVAL with the reason in *ret_why. */
int probe_parse(const char *list, struct probe_argument *ret, const char **ret_why);

/* The set as "connection, drop"; "none". */
void probe_names(u32 set, char *ret_text, size_t size);

/* The walk over open files: it serves two probes, and its link is a pin of its own. */
#define PROBE_WALK "sockets_walk"

/* Whose program that is: a set, 0: nobody's. */
u32 probe_of_program(const char *program);

/* True for a program that stands by where tracepoints are preempted, and only there. */
bool probe_is_spare(const char *program);

/*
 * True for a program that stands in for `tracing`, at the end of a function, where the kernel
 * lacks its tracepoint: process_send_exit_inet for process_send. All that do, or none.
 */
bool probe_stands_in(const char *program, const char *tracing);

/*
 * Programs that their probe can do without: what is not known then, one phrase. NULL: it
 * needs the program.
 */
const char *probe_without(const char *program);

/* A map of bpf/: who uses it, and where it is pinned. */
struct probe_map {
	const char *name;	/* in bpf/ */
	u32 probes;
	bool stand_in;		/* for those that the loader makes (mapset.h), by its sizes */
	enum pin_area area;
	const char *pin;	/* NULL: each load has its own, or the pin is mapset's */
};

extern const struct probe_map probe_maps[];
extern const unsigned int probe_maps_count;

/* The row of a map; NULL: any host probe may use it, and it is not pinned. */
const struct probe_map *probe_map(const char *name);

#endif
