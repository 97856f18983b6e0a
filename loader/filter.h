/* SPDX-License-Identifier: MIT */
/*
 * TC programs before Linux 6.6, where TC has no links: filters of a clsact qdisc. They
 * outlive the loader and belong to nobody, so the program is pinned before its filter
 * is made: a filter whose program is that of a pin is ours. All functions: 0 or -errno.
 */
#ifndef JOPIL_FILTER_H
#define JOPIL_FILTER_H

#include "loader/pindir.h"
#include "loader/script.h"

struct filter {
	u32 ifindex;
	u32 handle;
	u32 prog_id;
	unsigned int slot;
	enum site_id site;
	bool pinned_as_new;	/* a loader died between the change and the renaming */
};

/* Finds the filter of a slot's site. -ENOENT: there is none (any more). */
int filter_open(const struct pindir *d, unsigned int slot, enum site_id site, u32 ifindex,
		struct filter *ret_filter);

/* Takes away what a loader that died left of pins; found: what filter_open() found. */
int filter_tidy(const struct pindir *d, unsigned int slot, enum site_id site,
		struct filter *found);

/* slot, site and ifindex of *filter are given; the rest is filled. */
int filter_attach(const struct pindir *d, struct filter *filter, int prog_fd, u32 prog_id);
int filter_update(const struct pindir *d, struct filter *filter, int prog_fd, u32 prog_id);

/* Also removes the qdisc, if it was ours and nobody else uses it. */
int filter_detach(const struct pindir *d, const struct filter *filter);

#endif
