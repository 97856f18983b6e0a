/* SPDX-License-Identifier: MIT */
/*
 * A place at an interface, and the program of ours that hangs there: by a pinned link,
 * or before Linux 6.6 at TC by a filter. Functions return 0 or -errno.
 */
#ifndef JOPIL_SITE_H
#define JOPIL_SITE_H

#include "loader/filter.h"
#include "loader/pindir.h"
#include "loader/script.h"

enum site_state {
	SITE_EMPTY,
	SITE_DEAD,	/* the link is pinned, its interface has gone */
	SITE_LINK,
	SITE_FILTER,
};

struct site {
	enum site_id id;
	enum site_state state;
	unsigned int slot;
	u32 ifindex;		/* where it hangs; of the namespace it is in now */
	u32 prog_id;
	u32 link_id;		/* SITE_LINK */
	int link_fd;		/* SITE_LINK, SITE_DEAD; else -1 */
	u8 hook;		/* SITE_XDP: native or generic */
	struct filter filter;	/* SITE_FILTER */
};

/* "xdp", "ingress", "egress": as in the names of pins. */
const char *site_name(enum site_id id);

/*
 * Finds what hangs at a site. ifindex and believed_hook are those of the interface
 * table; the hook is asked of the kernel where that is possible.
 */
int site_open(const struct pindir *d, unsigned int slot, enum site_id id, u32 ifindex,
	      u8 believed_hook, struct site *ret_site);
void site_close(struct site *site);

/* Takes away what a loader that died left at a site, as site_open() found it. */
int site_tidy(const struct pindir *d, struct site *site);

/* slot, id and ifindex are set, the state is SITE_EMPTY. tcx: the kernel has TCX links. */
int site_attach(const struct pindir *d, struct site *site, int prog_fd, u8 hook, bool tcx);

/* Another program, in one go. */
int site_update(const struct pindir *d, struct site *site, int prog_fd);

/* Any state will do; afterwards it is SITE_EMPTY. */
int site_detach(const struct pindir *d, struct site *site);

#endif
