/* SPDX-License-Identifier: MIT */
/* What this kernel can do, found out by trying, not by its version. */
#ifndef JOPIL_FEATURES_H
#define JOPIL_FEATURES_H

#include <stdbool.h>

enum feature {
	FEATURE_BTF,		/* types of the running kernel, which CO-RE needs */
	FEATURE_TCX,		/* TC links, from 6.6 */
	FEATURE_XDP_FRAGS,	/* XDP over several buffers, from 5.18 */
	FEATURE_COARSE_CLOCK,	/* bpf_ktime_get_coarse_ns(), from 5.11 */
	FEATURE_UNPRIVILEGED,	/* maps for processes without capability, from 5.19 */
	FEATURES,
};

enum feature_answer { FEATURE_NO, FEATURE_YES, FEATURE_UNKNOWN };

struct feature_row {
	const char *name;
	const char *without;	/* what follows if it is not there, one phrase */
};

extern const struct feature_row feature_rows[FEATURES];

/* FEATURE_UNKNOWN: asking needs root, and we are not. */
enum feature_answer feature_ask(enum feature feature);

#endif
