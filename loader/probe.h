/* SPDX-License-Identifier: MIT */
/* The probes that the loader knows, as a table: --probe, --status and --help read it. */
#ifndef JOPIL_PROBE_H
#define JOPIL_PROBE_H

#include "common/types.h"

struct probe {
	const char *name;	/* as in --probe and bpf/NAME.bpf.c */
	const char *what;	/* one phrase for --status */
};

/* In the order of the bits of a set of probes. */
extern const struct probe probes[];
extern const unsigned int probes_count;

#define PROBE_PACKET 0x1u

/*
 * "packet" or "all" or a list with commas to a set of probes. 0, or -EINVAL with
 * the reason in *ret_why.
 */
int probe_parse(const char *list, u32 *ret_set, const char **ret_why);

#endif
