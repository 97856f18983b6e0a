/* SPDX-License-Identifier: MIT */
/*
 * Names that facts are kept by: each has a number here at once, and an id in the database
 * when it is written.
 */
#ifndef JOPIL_RECORDER_NAMES_H
#define JOPIL_RECORDER_NAMES_H

#include "common/line_read.h"
#include "common/store.h"

#define NAMES_MAX (1u << 18)	/* between two times that all is written; 100 bytes each */
#define NAME_NONE 0xffffffffu

struct name {
	u32 hash;
	u8 kind;		/* enum store_name */
	bool is_new;		/* written in a transaction that is not committed yet */
	u16 length;
	u32 host;		/* number of the host's name; NAME_NONE: not of a host */
	u32 uid;		/* of a process */
	int64_t id;		/* 0: not asked the database yet */
	char *text;		/* of a series: name, NUL, unit */
};

struct names {
	struct name *all;
	u32 n, allocated;
	u32 *slots;		/* number + 1; 0: unused */
	u32 mask;
};

/* 0 or -ENOMEM. */
int names_init(struct names *names);
void names_free(struct names *names);

/* Forgets all: no number from before may be used any more. */
void names_clear(struct names *names);

/* The number of a name; NAME_NONE without memory, or if there are NAMES_MAX. */
u32 names_get(struct names *names, enum store_name kind, u32 host, u32 uid, struct line_text text);

#endif
