/* SPDX-License-Identifier: MIT */
/* From ids of the database to the names they stand for. */
#ifndef JOPIL_ASK_NAMES_H
#define JOPIL_ASK_NAMES_H

#include "common/ask.h"

#define NAMES_KEPT 16384	/* of each kind; the others are looked up again */

struct known_name {
	int64_t id;		/* 0: unused */
	char *host, *text, *unit;	/* NULL: it has none */
	int64_t uid;
};

struct ask_names {
	struct ask *ask;
	struct known_name *kept[STORE_NAMES];
	sqlite3_stmt *find[STORE_NAMES];
};

void ask_names_init(struct ask_names *names, struct ask *ask);
void ask_names_free(struct ask_names *names);

/*
 * The name of an id; good until the next one of its kind is asked for. Of an id that is not
 * there, or where something went wrong (ask), all is NULL.
 */
const struct known_name *ask_names_of(struct ask_names *names, enum store_name kind, int64_t id);

#endif
