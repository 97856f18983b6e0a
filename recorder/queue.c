/* SPDX-License-Identifier: MIT */
/* Lines on their way from one thread to the other. */
#include "recorder/queue.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000ull

int queue_init(struct queue *q)
{
	pthread_condattr_t clock;
	int err;

	memset(q, 0, sizeof(*q));
	TAILQ_INIT(&q->chunks);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	err = pthread_mutex_init(&q->lock, NULL);
	if (!err)
		err = pthread_cond_init(&q->filled, &clock);
	if (!err)
		err = pthread_cond_init(&q->drained, &clock);
	pthread_condattr_destroy(&clock);
	return -err;
}

void queue_free(struct queue *q)
{
	struct chunk *chunk;

	while ((chunk = TAILQ_FIRST(&q->chunks))) {
		TAILQ_REMOVE(&q->chunks, chunk, next);
		free(chunk);
	}
	pthread_cond_destroy(&q->filled);
	pthread_cond_destroy(&q->drained);
	pthread_mutex_destroy(&q->lock);
}

/* The chunk that a line of this length goes to; NULL: the queue is full. */
static struct chunk *room(struct queue *q, size_t length)
{
	struct chunk *chunk = TAILQ_LAST(&q->chunks, chunks);

	if (chunk && chunk->length + length <= CHUNK_BYTES)
		return chunk;
	if (q->bytes + CHUNK_BYTES > QUEUE_BYTES)
		return NULL;
	chunk = malloc(sizeof(*chunk));
	if (!chunk)
		return NULL;
	chunk->length = 0;
	TAILQ_INSERT_TAIL(&q->chunks, chunk, next);
	q->bytes += CHUNK_BYTES;
	return chunk;
}

static struct timespec after(u64 timeout_ms)
{
	struct timespec t;
	u64 ns;

	clock_gettime(CLOCK_MONOTONIC, &t);
	ns = (u64)t.tv_nsec + timeout_ms * 1000000;
	t.tv_sec += (time_t)(ns / NS_PER_S);
	t.tv_nsec = (long)(ns % NS_PER_S);
	return t;
}

/* Whether the second thread has done anything since this was asked last. */
static bool is_working(struct queue *q)
{
	u64 progress = __atomic_load_n(&q->progress, __ATOMIC_RELAXED);
	bool working = progress != q->progress_seen;

	q->progress_seen = progress;
	return working;
}

static struct chunk *wait_for_room(struct queue *q, size_t length)
{
	struct chunk *chunk;

	while (!(chunk = room(q, length)) && !q->impatient &&
	       (is_working(q) || q->waits)) {
		struct timespec until = after(QUEUE_PATIENCE_MS);

		pthread_cond_timedwait(&q->drained, &q->lock, &until);
	}
	return chunk;
}

void queue_add(struct queue *q, const char *line, size_t length)
{
	struct chunk *chunk;

	pthread_mutex_lock(&q->lock);
	chunk = wait_for_room(q, length + 1);
	if (chunk) {
		memcpy(chunk->bytes + chunk->length, line, length);
		chunk->length += length;
		chunk->bytes[chunk->length++] = '\n';
		/* The reader of lines looks beyond the last one. */
		memset(chunk->bytes + chunk->length, 0, LINE_READ_PADDING);
	} else {
		q->lost++;
	}
	pthread_mutex_unlock(&q->lock);
}

void queue_wake(struct queue *q)
{
	pthread_cond_signal(&q->filled);
}

void queue_set_patience(struct queue *q, bool patient)
{
	pthread_mutex_lock(&q->lock);
	q->impatient = !patient;
	pthread_mutex_unlock(&q->lock);
}

void queue_end(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->ended = true;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

bool queue_take(struct queue *q, u64 timeout_ms, struct chunks *ret, u64 *ret_lost)
{
	struct timespec until = after(timeout_ms);
	bool more;

	TAILQ_INIT(ret);
	pthread_mutex_lock(&q->lock);
	while (TAILQ_EMPTY(&q->chunks) && !q->ended)
		if (pthread_cond_timedwait(&q->filled, &q->lock, &until))
			break;
	more = !TAILQ_EMPTY(&q->chunks) || !q->ended;
	TAILQ_CONCAT(ret, &q->chunks, next);
	q->bytes = 0;
	*ret_lost = q->lost;
	pthread_cond_signal(&q->drained);
	pthread_mutex_unlock(&q->lock);
	return more;
}
