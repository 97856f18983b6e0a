/* SPDX-License-Identifier: MIT */
/* Lines from a descriptor: the newest snapshot among them, as text until it is wanted. */
#ifndef JOPIL_TOP_FEED_H
#define JOPIL_TOP_FEED_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define FEED_LINE_MAX (64u << 20)	/* bytes; ten thousand flows are 4 MB */
#define FEED_TROUBLE 320

struct feed {
	int fd;
	char *buffer;			/* of lines not yet whole */
	size_t begin, end, scanned, size;
	bool skipping;			/* inside a line that is too long */
	bool ended;
	unsigned long long unread;	/* too long, or no JSON */
	char recorder[FEED_TROUBLE];	/* what stages on the way say, clean; empty: nothing */
	char connect[FEED_TROUBLE];
};

/* Also enlarges the pipe, if it is one. */
void feed_init(struct feed *feed, int fd);
void feed_free(struct feed *feed);

/* Reads once: 0 (also at the end: .ended), -ENOMEM, or the -errno of read(2). */
int feed_fill(struct feed *feed);

/*
 * The next line that is a snapshot, without its newline, valid until feed_fill(); NULL:
 * none. Heeds what other lines say, and passes over the rest.
 */
const char *feed_next(struct feed *feed, size_t *ret_length);

/* A line as a snapshot; NULL, counted, if it is none. */
json_t *feed_parse(struct feed *feed, const char *line, size_t length);

#endif
