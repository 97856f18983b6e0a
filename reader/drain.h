/* SPDX-License-Identifier: MIT */
/* What the drains of rings and of maps share. */
#ifndef JOPIL_READER_DRAIN_H
#define JOPIL_READER_DRAIN_H

#include <stdbool.h>

#include "reader/sink.h"
#include "reader/walltime.h"

struct names;

struct drain {
	struct sink *sink;
	struct line_writer *writer;
	struct names *names;		/* NULL: what they would tell is null in the lines */
	struct walltime walltime;
	u32 types;			/* PRINT_*: other lines are drained without a word */
	u64 records;			/* taken from rings */
	u64 rows;			/* taken from maps */
	bool knows[LINE_IFACES];	/* slots whose name writer has */
	/* Gives writer the name of a slot that it does not know yet. */
	void (*learn)(struct drain *drain, u8 iface);
};

#endif
