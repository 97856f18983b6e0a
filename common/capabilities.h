/* SPDX-License-Identifier: MIT */
/* Giving up capabilities, for good. */
#ifndef JOPIL_CAPABILITIES_H
#define JOPIL_CAPABILITIES_H

#include <stdint.h>

/* Those that a later program could regain. It takes CAP_SETPCAP: 0, -EPERM without it, or another -errno. */
int capabilities_drop_bounding(void);

/* Effective, permitted, inheritable and ambient ones. 0 or -errno. */
int capabilities_drop(void);

/* The same, but for those of the set (1 << CAP_...) that are permitted now. 0 or -errno. */
int capabilities_keep(uint64_t set);

/* 1 if any of the first three sets has one, 0 if none, or -errno. */
int capabilities_are_left(void);

#endif
