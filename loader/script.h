/* SPDX-License-Identifier: MIT */
/*
 * The steps that bring an interface from what hangs there to what should, so that
 * at every moment each packet is counted once. Pure: a test walks through them.
 */
#ifndef JOPIL_SCRIPT_H
#define JOPIL_SCRIPT_H

#include "common/pins.h"
#include "common/types.h"

/* The places at an interface where a program of ours can hang. */
enum site_id {
	SITE_XDP,
	SITE_INGRESS,	/* TC */
	SITE_EGRESS,	/* TC */
	SITES,
};

enum step_verb {
	STEP_ATTACH,	/* the site is empty */
	STEP_UPDATE,	/* another program, in one go */
	STEP_DETACH,
};

/* Which of the two ways the programs are loaded (packet_config.handover). */
enum variant {
	VARIANT_PLAIN,
	VARIANT_HANDOVER,	/* XDP marks what it counts, TC ingress passes over marked */
	VARIANTS,
};

struct step {
	u8 verb;	/* enum step_verb */
	u8 site;	/* enum site_id */
	u8 variant;	/* enum variant; of no meaning for STEP_DETACH */
	u8 hook;	/* SITE_XDP: PIN_HOOK_XDP or PIN_HOOK_GENERIC */
};

/* Native to generic is the longest way: over TC, and egress. */
#define STEPS_MAX 12

/* What hangs where. */
struct occupied {
	u8 xdp;		/* PIN_HOOK_XDP, PIN_HOOK_GENERIC, or PIN_HOOK_NONE */
	u8 ingress;	/* 1: TC ingress */
	u8 egress;	/* 1: TC egress */
};

/*
 * From now to the ingress hook wanted, with TC egress. Returns the number of steps.
 * Before a step at SITE_INGRESS that follows one at SITE_XDP, whoever executes must
 * wait until the packets that XDP has seen are past TC ingress (settle.h).
 */
unsigned int script_plan(struct occupied now, u8 wanted, struct step ret_steps[STEPS_MAX]);

#endif
