/* SPDX-License-Identifier: MIT */
/*
 * The programs of the host's probes: loaded over the pinned maps of a pin directory, as
 * far as this kernel can. What it cannot is found out by trying each program alone.
 */
#ifndef JOPIL_HOST_OBJECT_H
#define JOPIL_HOST_OBJECT_H

#include <stdbool.h>

#include "loader/failure.h"
#include "loader/mapset.h"
#include "loader/pindir.h"

#define HOST_PROGRAMS_MAX 48

/* A program of bpf/; the texts are the object's. */
struct host_program {
	const char *name;
	const char *section;	/* "tp_btf/kfree_skb", "fexit/inet_sendmsg" */
	u32 probes;		/* whose it is: a set */
	int attach_type;	/* enum bpf_attach_type */
	int fd;			/* -1: not loaded */
	int err;		/* why it was not: -errno from trying; 0: not tried */
	bool idle;		/* at a tracepoint or at functions: this kernel has it the other way */
};

struct host_object {
	void *skeleton;		/* NULL: not open */
	bool preemptible;	/* tracepoints are: spares are loaded */
	struct host_program programs[HOST_PROGRAMS_MAX];
	unsigned int count;
};

#define HOST_WHY_BYTES 160

/* What the kernel cannot do, of a set of probes: one phrase each, "" if it can. */
struct host_answer {
	u32 can;
	char why[1 + HOST_PROBES][HOST_WHY_BYTES];	/* by the bit of the probe */
};

/*
 * Names the programs without loading any: for --status. 0, or -1 with *f filled;
 * host_object_close() in any case.
 */
int host_object_open(struct host_object *object, struct failure *f);

/*
 * Loads the programs of a set of probes, as many of them as the kernel can; answers
 * which. Maps that are pinned are used, others made, and pinned if their row says so.
 * 0, or -1 with *f filled.
 */
int host_object_load(struct host_object *object, const struct pindir *d, u32 probes,
		     const struct mapset *maps, struct host_answer *ret_answer,
		     struct failure *f);

/* What can be told without loading: tracepoints that this kernel has not; what is idle. */
void host_object_ask(struct host_object *object, struct host_answer *ret_answer);

/* True if any map that is pinned is used by both programs or by neither. */
bool host_object_shares_maps(const struct host_object *object, int fd, u32 prog_id);

void host_object_close(struct host_object *object);

#endif
