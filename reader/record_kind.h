/* SPDX-License-Identifier: MIT */
/* What the records of a ring are, and the lines that they become. */
#ifndef JOPIL_READER_RECORD_KIND_H
#define JOPIL_READER_RECORD_KIND_H

#include "reader/drain.h"

/* Told apart by size, then by type. Each becomes one line, which --count counts. */
struct record_kind {
	u32 bytes;
	u8 type;		/* enum record_type */
	u8 type_at;		/* where in the record it stands */
	u32 print;		/* the PRINT_* that asks for it */
	/* Writes the line of a record at p, where LINE_MAX_BYTES are free; returns its end. */
	char *(*write)(char *p, struct drain *drain, const void *record);
};

#define RECORD_KINDS 3
extern const struct record_kind record_kinds[RECORD_KINDS];	/* the most frequent first */

/* NULL: no record that we know, or (other bits in header) one that was discarded. */
static inline const struct record_kind *record_kind_of(u32 header, const u8 *record)
{
	for (unsigned int i = 0; i < RECORD_KINDS; i++)
		if (header == record_kinds[i].bytes &&
		    record[record_kinds[i].type_at] == record_kinds[i].type)
			return &record_kinds[i];
	return NULL;
}

#endif
