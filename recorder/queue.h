/* SPDX-License-Identifier: MIT */
/*
 * Lines on their way from the thread that passes stdin on to the one that writes the
 * database. Bounded: when it is full, the first waits for a second that works, as every
 * stage does for the next; for one that a disk keeps waiting it does not.
 */
#ifndef JOPIL_RECORDER_QUEUE_H
#define JOPIL_RECORDER_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "common/line_input.h"
#include "common/line_read.h"
#include "common/types.h"

#define QUEUE_BYTES (64u << 20)	/* seconds of a busy host, while a disk does not answer */
#define QUEUE_PATIENCE_MS 100
#define CHUNK_BYTES (256u << 10)

_Static_assert(CHUNK_BYTES > INPUT_LINE_MAX, "every line fits a chunk");

/* Whole lines, each with its newline. */
struct chunk {
	TAILQ_ENTRY(chunk) next;
	size_t length;
	char bytes[CHUNK_BYTES + LINE_READ_PADDING];
};

TAILQ_HEAD(chunks, chunk);

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, drained;
	struct chunks chunks;
	size_t bytes;
	u64 lost;		/* lines that found no room */
	bool ended;
	bool waits;		/* for a slow disk, too: nobody is held up by that */
	bool impatient;		/* nothing can be written now: not worth waiting for */
	u64 progress;		/* grows while the second thread works; atomic */
	u64 progress_seen;
};

/* 0 or -errno. */
int queue_init(struct queue *q);
void queue_free(struct queue *q);

/* To be called by the second thread again and again, also while it writes. */
static inline void queue_progress(struct queue *q)
{
	__atomic_fetch_add(&q->progress, 1, __ATOMIC_RELAXED);
}

/*
 * Takes the line (without its newline, at most INPUT_LINE_MAX). Counts it as lost if there
 * is no room, and the second thread has done nothing for QUEUE_PATIENCE_MS (.waits: and
 * nothing can be written).
 */
void queue_add(struct queue *q, const char *line, size_t length);

/* Tells the other side of what was added since: not of every line. */
void queue_wake(struct queue *q);

/* Whether to wait for room at all. */
void queue_set_patience(struct queue *q, bool patient);

/* Nothing more comes. */
void queue_end(struct queue *q);

/*
 * Waits until there is something, the queue has ended, or timeout_ms is over, and moves
 * all chunks to *ret. False: it has ended, and nothing is left. *ret_lost: as counted.
 */
bool queue_take(struct queue *q, u64 timeout_ms, struct chunks *ret, u64 *ret_lost);

#endif
