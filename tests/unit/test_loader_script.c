/* SPDX-License-Identifier: MIT */
/*
 * Changing hooks: whatever hangs there and whatever is wanted, at every moment on the
 * way each packet is counted exactly once. Taken back, the steps pass the same states.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loader/script.h"

enum hangs { NOTHING, PLAIN, HANDOVER };

/* An interface as the kernel has it. */
struct model {
	enum hangs at[SITES];
	u8 xdp_hook;
};

static bool counts_once(const struct model *m)
{
	enum hangs xdp = m->at[SITE_XDP], tc = m->at[SITE_INGRESS];

	if (xdp != NOTHING && tc != NOTHING)	/* XDP marks, TC passes over marked */
		return xdp == HANDOVER && tc == HANDOVER;
	return xdp != NOTHING || tc != NOTHING;
}

static void take(struct model *m, const struct step *step)
{
	enum hangs *at = &m->at[step->site];

	switch (step->verb) {
	case STEP_ATTACH:
		assert_int_equal(*at, NOTHING);
		break;
	default:
		assert_int_not_equal(*at, NOTHING);
	}
	if (step->site == SITE_XDP && step->verb != STEP_ATTACH)
		assert_int_equal(step->hook, m->xdp_hook);
	if (step->site == SITE_XDP)
		m->xdp_hook = step->hook;
	*at = step->verb == STEP_DETACH ? NOTHING
	      : step->variant == VARIANT_PLAIN ? PLAIN : HANDOVER;
}

static void walk(struct model m, u8 wanted)
{
	struct occupied now = {
		.xdp = m.at[SITE_XDP] == NOTHING ? PIN_HOOK_NONE : m.xdp_hook,
		.ingress = m.at[SITE_INGRESS] != NOTHING,
		.egress = m.at[SITE_EGRESS] != NOTHING,
	};
	bool counting = counts_once(&m);
	struct step steps[STEPS_MAX];
	unsigned int count = script_plan(now, wanted, steps);

	assert_in_range(count, 2, STEPS_MAX);
	for (unsigned int i = 0; i < count; i++) {
		take(&m, &steps[i]);
		if (counting)	/* once it counts it never stops, nor counts twice */
			assert_true(counts_once(&m));
		counting = counting || counts_once(&m);
	}
	assert_int_equal(m.at[SITE_EGRESS], PLAIN);
	if (wanted == PIN_HOOK_TC) {
		assert_int_equal(m.at[SITE_XDP], NOTHING);
		assert_int_equal(m.at[SITE_INGRESS], PLAIN);
	} else {
		assert_int_equal(m.at[SITE_XDP], PLAIN);
		assert_int_equal(m.xdp_hook, wanted);
		assert_int_equal(m.at[SITE_INGRESS], NOTHING);
	}
}

static const u8 hooks[] = { PIN_HOOK_XDP, PIN_HOOK_GENERIC, PIN_HOOK_TC };

static void test_from_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		walk((struct model){ { NOTHING, NOTHING, NOTHING }, 0 }, hooks[i]);
}

static void test_from_each_hook_to_each(void **state)
{
	(void)state;
	for (int to = 0; to < 3; to++) {
		walk((struct model){ { PLAIN, NOTHING, PLAIN }, PIN_HOOK_XDP }, hooks[to]);
		walk((struct model){ { PLAIN, NOTHING, PLAIN }, PIN_HOOK_GENERIC }, hooks[to]);
		walk((struct model){ { NOTHING, PLAIN, PLAIN }, 0 }, hooks[to]);
	}
}

static void test_from_where_a_loader_died(void **state)
{
	static const struct model left[] = {
		{ { HANDOVER, NOTHING, PLAIN }, PIN_HOOK_XDP },
		{ { HANDOVER, HANDOVER, PLAIN }, PIN_HOOK_XDP },
		{ { HANDOVER, HANDOVER, NOTHING }, PIN_HOOK_GENERIC },
		{ { NOTHING, HANDOVER, PLAIN }, 0 },
		{ { NOTHING, PLAIN, NOTHING }, 0 },
		{ { NOTHING, NOTHING, PLAIN }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		for (int to = 0; to < 3; to++)
			walk(left[i], hooks[to]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_nothing),
		cmocka_unit_test(test_from_each_hook_to_each),
		cmocka_unit_test(test_from_where_a_loader_died),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
