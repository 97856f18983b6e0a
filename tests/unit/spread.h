/* SPDX-License-Identifier: MIT */
/* Whether keys that were chosen to share slots of a table under one seed do so under another. */
#ifndef JOPIL_TESTS_SPREAD_H
#define JOPIL_TESTS_SPREAD_H

#include <stdbool.h>
#include <string.h>

#include "common/types.h"

#define SLOTS 4096u	/* of which CROWDED are aimed at */
#define CROWDED 32u
#define KEYS 256u
/* So many keys thrown at so many slots leave 248 of them in use on average, and never as few as this. */
#define SPREAD 200u

/* How many different slots KEYS hashes have. */
static unsigned int slots_used(const u32 *hashes)
{
	static bool used[SLOTS];
	unsigned int n = 0;

	memset(used, 0, sizeof(used));
	for (unsigned int i = 0; i < KEYS; i++) {
		n += !used[hashes[i] % SLOTS];
		used[hashes[i] % SLOTS] = true;
	}
	return n;
}

#endif
