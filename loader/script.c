/* SPDX-License-Identifier: MIT */
/* The steps that bring an interface from what hangs there to what should. */
#include "loader/script.h"

struct plan {
	struct step *steps;
	unsigned int count;
	struct occupied now;
};

static void add(struct plan *p, u8 verb, u8 site, u8 variant, u8 hook)
{
	p->steps[p->count++] = (struct step){ verb, site, variant, hook };
}

/* XDP marks, TC passes over marked: both may hang there. Then XDP goes. */
static void to_tc(struct plan *p)
{
	u8 variant = p->now.xdp ? VARIANT_HANDOVER : VARIANT_PLAIN;

	if (p->now.xdp)
		add(p, STEP_UPDATE, SITE_XDP, VARIANT_HANDOVER, p->now.xdp);
	add(p, p->now.ingress ? STEP_UPDATE : STEP_ATTACH, SITE_INGRESS, variant, 0);
	if (p->now.xdp) {
		add(p, STEP_DETACH, SITE_XDP, 0, p->now.xdp);
		add(p, STEP_UPDATE, SITE_INGRESS, VARIANT_PLAIN, 0);
	}
	p->now.xdp = PIN_HOOK_NONE;
	p->now.ingress = 1;
}

static void to_xdp(struct plan *p, u8 hook)
{
	if (p->now.xdp && p->now.xdp != hook)
		to_tc(p);	/* two modes cannot hang there at once */
	if (p->now.ingress) {
		add(p, STEP_UPDATE, SITE_INGRESS, VARIANT_HANDOVER, 0);
		add(p, p->now.xdp ? STEP_UPDATE : STEP_ATTACH, SITE_XDP, VARIANT_HANDOVER, hook);
		add(p, STEP_DETACH, SITE_INGRESS, 0, 0);
		add(p, STEP_UPDATE, SITE_XDP, VARIANT_PLAIN, hook);
	} else {
		add(p, p->now.xdp ? STEP_UPDATE : STEP_ATTACH, SITE_XDP, VARIANT_PLAIN, hook);
	}
}

unsigned int script_plan(struct occupied now, u8 wanted, struct step ret_steps[STEPS_MAX])
{
	struct plan p = { .steps = ret_steps, .now = now };

	if (wanted == PIN_HOOK_TC)
		to_tc(&p);
	else
		to_xdp(&p, wanted);
	add(&p, now.egress ? STEP_UPDATE : STEP_ATTACH, SITE_EGRESS, VARIANT_PLAIN, 0);
	return p.count;
}
