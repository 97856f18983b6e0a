/* SPDX-License-Identifier: MIT */
/*
 * The pinned links that hold the host's probes at what they trace, and the walk over
 * open files. Functions return 0 or -errno.
 */
#ifndef JOPIL_HOST_LINK_H
#define JOPIL_HOST_LINK_H

#include "loader/host_object.h"
#include "loader/object.h"
#include "loader/pin_name.h"
#include "loader/pindir.h"

/* As it was found pinned. */
struct host_link {
	char program[PIN_NAME_BYTES];
	u32 probes;		/* whose it is: a set; 0: no probe's that we know */
	u32 link_id, prog_id;
	u8 tag[OBJECT_TAG_BYTES];	/* of the program */
};

struct host_links {
	struct host_link rows[HOST_PROGRAMS_MAX];
	unsigned int count;
};

int host_links_read(const struct pindir *d, struct host_links *ret_links);

/* The link of a program; NULL: none. */
const struct host_link *host_links_find(const struct host_links *links, const char *program);

/* The probes of which a program is attached: a set. */
u32 host_links_probes(const struct host_links *links);

/* Attaches a loaded program, and pins the link. -ENOENT: there is nothing to attach it to. */
int host_link_attach(const struct pindir *d, const struct host_program *program);

/*
 * Takes the pin away: the kernel detaches the program some time later. The link and the
 * program are added to the census.
 */
int host_link_drop(const struct pindir *d, const struct host_link *link, struct census *census);

/* Walks over all open files once: each socket without an owner gets one. */
int host_link_walk(const struct pindir *d);

#endif
