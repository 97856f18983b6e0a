/* SPDX-License-Identifier: MIT */
/* The host's probes on their way from what is attached to what should be. */
#ifndef JOPIL_HOST_H
#define JOPIL_HOST_H

#include <stdbool.h>

#include "loader/failure.h"
#include "loader/host_link.h"
#include "loader/host_object.h"
#include "loader/mapset.h"
#include "loader/pindir.h"

/* What is asked for: sets of probes. */
struct host_wish {
	u32 probes;
	u32 named;		/* of them: what cannot be done is an error */
	bool interrupted;	/* a loader before died while it changed things */
};

struct host {
	const struct pindir *dir;
	struct host_wish wish;
	struct host_object object;
	struct host_answer answer;
	struct host_links before;
	/* sets of probes: what the change comes to */
	u32 kept;		/* attached before, and nothing has changed */
	u32 to_attach;
	u32 attached;		/* by this run, of to_attach */
	u32 replaced;		/* of attached: another program was there before */
	u32 detached;
	u32 left_out;		/* answer.why says why */
	bool walk_is_kept;
	struct host_missing {		/* programs that a probe does without */
		const char *program;
		int err;		/* why: -errno */
	} missing[HOST_PROGRAMS_MAX];
	unsigned int missing_count;
	int walk_err;		/* of the walk over open files */
};

/*
 * Loads what is wished for, and finds out what has to change. Nothing is attached yet.
 * 0, or -1 with *f filled; host_close() in both cases.
 */
int host_prepare(struct host *host, const struct pindir *d, const struct host_wish *wish,
		 const struct mapset *maps, struct failure *f);

/*
 * Detaches, attaches, walks over the sockets that are there. A probe whose program has
 * changed is not attached for a moment: two would count twice. 0, or -1 with *f filled
 * and what it had attached detached.
 */
int host_change(struct host *host, u32 drop_lines, struct failure *f);

/* Detaches what host_change() attached. What it has detached stays so. */
void host_undo(struct host *host);

/* The probes that are attached after the change: bits of enum host_probe. */
u32 host_in_force(const struct host *host);

/*
 * Detaches every probe. What goes is added to the census, with its maps. The set of
 * probes that were attached, in *ret_probes. 0 or -errno.
 */
int host_detach(const struct pindir *d, struct census *census, u32 *ret_probes);

void host_close(struct host *host);

#endif
