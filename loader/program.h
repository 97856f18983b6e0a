/* SPDX-License-Identifier: MIT */
/* The packet probe's programs for one interface, loaded into the kernel. */
#ifndef JOPIL_PROGRAM_H
#define JOPIL_PROGRAM_H

#include <stdbool.h>

#include "bpf/packet_config.h"
#include "loader/failure.h"
#include "loader/mapset.h"
#include "loader/script.h"

/* The maps that the programs write: descriptors, kept by the caller. */
struct program_maps {
	int totals, losses;		/* of the interface */
	const struct mapset *shared;	/* of the pin directory */
};

struct program_set {
	void *object;		/* the skeleton; NULL: not loaded */
	int fds[SITES];		/* -1: not asked for */
};

/*
 * Loads the programs of the sites in the set (1u << SITE_...). config.xdp_frags says
 * whether to load XDP for several buffers. 0, or -1 with *f filled.
 */
int program_load(const struct packet_config *config, const struct program_maps *maps,
		 unsigned int sites, struct program_set *ret_set, struct failure *f);

/* Programs that hang somewhere stay. An empty set is fine. */
void program_unload(struct program_set *set);

/* libbpf's words: the ends of its warnings to stderr, or nothing. */
void program_be_verbose(bool verbose);

#endif
