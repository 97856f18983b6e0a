/* SPDX-License-Identifier: MIT */
/* The remotes of a network, by their ids. */
#ifndef JOPIL_ASK_REMOTE_SET_H
#define JOPIL_ASK_REMOTE_SET_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ask_network.h"

struct remote_set {
	uint8_t *bits;		/* NULL: not made */
	int64_t size;		/* ids are below */
	size_t n;
};

/* Reads which they are. SQLite's code; remote_set_free() it, also when it went wrong. */
int remote_set_make(struct remote_set *set, sqlite3 *db, const struct ask_network *network);
void remote_set_free(struct remote_set *set);

static inline bool remote_set_has(const struct remote_set *set, int64_t id)
{
	return id >= 0 && id < set->size && set->bits[id / 8] >> (id % 8) & 1;
}

#endif
