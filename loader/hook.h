/* SPDX-License-Identifier: MIT */
/* Where packets are counted on their way in, and which place suits an interface. */
#ifndef JOPIL_HOOK_H
#define JOPIL_HOOK_H

#include "common/pins.h"
#include "common/types.h"
#include "loader/netdev.h"

struct hook_choice {
	u8 hook;		/* enum pin_hook */
	u8 fallback;		/* if the driver cannot do hook; PIN_HOOK_NONE: none */
	const char *reason;	/* one phrase */
};

/* "xdp", "generic", "tc", "none": as in --hook and --status. */
const char *hook_name(u8 hook);

/*
 * The ingress hook for an interface. wish is what --hook said (PIN_HOOK_NONE: auto),
 * present the hook that ours hangs at already (PIN_HOOK_NONE: at none).
 */
struct hook_choice hook_choose(const struct netdev *dev, u8 wish, u8 present);

/* The XDP_FLAGS_* that ask for the mode of PIN_HOOK_XDP or PIN_HOOK_GENERIC. */
u32 hook_xdp_flags(u8 hook);

#endif
