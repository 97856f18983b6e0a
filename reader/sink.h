/* SPDX-License-Identifier: MIT */
/*
 * Lines on their way out: buffered, written in whole lines, and reported back to
 * where they came from only once they are written. What a reader that is killed
 * had not written is still in the kernel, for the next reader.
 *
 * A line is never torn: as long as the pipe surely has room, a whole buffer goes out
 * in one write; when it has not, pieces of at most PIPE_BUF bytes do, each of which
 * the kernel takes whole or not at all (pipe(7)).
 */
#ifndef JOPIL_READER_SINK_H
#define JOPIL_READER_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/line_write.h"

/* One write: small enough for the L2 cache, large enough to make calls cheap. */
#define SINK_BYTES 65536
/* What stdout's pipe is enlarged to, if it may: the largest that everybody may have. */
#define SINK_PIPE_BYTES (1 << 20)
/* Sources with lines in the buffer; more of them flush it. */
#define SINK_PARTS 64

/* Where lines come from; embedded in what knows how to let go of the records. */
struct line_source {
	/* So many more lines, in order, are written for good. */
	void (*written)(struct line_source *source, unsigned int lines);
	/*
	 * written() takes no time to speak of, and comes just before a write that will
	 * neither fail nor block. A reader that is killed in that write would otherwise
	 * leave records that have become lines already.
	 */
	bool is_instant;
};

struct sink_part {
	struct line_source *source;	/* NULL: nothing to let go of */
	unsigned int lines;
	unsigned int told;		/* of which the source knows already */
};

struct sink {
	int fd;
	int error;		/* 0, or the -errno after which nothing is written any more */
	bool is_pipe;
	bool outlives_us;	/* output_outlives_us() */
	size_t pipe_bytes;
	size_t limit;		/* flush beyond it */
	size_t used;
	u64 oldest_ns;		/* monotonic time of the first line in the buffer */
	u64 lines;		/* written for good */
	u64 data_left;		/* lines of data that may still be added (--count) */
	unsigned int n_parts;
	struct sink_part parts[SINK_PARTS];
	char buffer[SINK_BYTES + LINE_MAX_BYTES];
};

/* fd is set up for writing lines, without --count; a pipe is enlarged. */
void sink_init(struct sink *sink, int fd);

/* Where the next line goes: LINE_MAX_BYTES are free there while !sink_is_full(). */
static inline char *sink_next(struct sink *sink)
{
	return sink->buffer + sink->used;
}

static inline bool sink_is_full(const struct sink *sink)
{
	return sink->used > sink->limit;
}

/*
 * So many lines of source now reach from sink_next() to end. Flushes when full.
 * 0 or the sink's error.
 */
int sink_add(struct sink *sink, const char *end, unsigned int lines, struct line_source *source);

/*
 * Writes all there is. 0; -EPIPE: nobody reads; -ETIMEDOUT: the end is asked for and
 * nobody reads in time; other -errno of write(2). Lines up to there are reported, those
 * behind stay unreported for ever.
 */
int sink_flush(struct sink *sink);

#endif
