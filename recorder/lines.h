/* SPDX-License-Identifier: MIT */
/* What a line adds to the batch. */
#ifndef JOPIL_RECORDER_LINES_H
#define JOPIL_RECORDER_LINES_H

#include "common/bad_line.h"
#include "recorder/writer.h"

/* What became of the lines since the start. */
struct line_counts {
	u64 taken;
	u64 bad;		/* not JSON, or a key is missing or of a wrong type */
	u64 wrong_time;		/* ahead of this host's clock: taken as of now */
};

struct lines {
	struct writer *writer;
	struct line_reader reader;
	struct line_counts counts;
	int64_t now;		/* Unix seconds; the caller sets it */
	char host[LINE_TEXT_MAX + 1];	/* of the last hello, or input_first_host() */
	int64_t slot;		/* of TIER_RAW, of the line being taken */
};

void lines_init(struct lines *lines, struct writer *writer);
void lines_free(struct lines *lines);

/* Whether a line may be of use: what only passes need not be kept for later. */
bool lines_wants(const char *line, size_t length);

/* One line, as line_read.h wants it. -1, or what is wrong with it (enum bad_line). */
int lines_take(struct lines *lines, const char *line, size_t length);

#endif
