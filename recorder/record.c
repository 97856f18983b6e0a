/* SPDX-License-Identifier: MIT */
/* The thread that turns lines into rows of the database. */
#include "recorder/record.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/status.h"
#include "recorder/confine.h"

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull
#define RETRY_SHARE 5	/* a transaction that fails may take one fifth of the time */

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * NS_PER_S + (u64)t.tv_nsec;
}

static void take_chunk(struct record *r, const struct chunk *chunk)
{
	const char *line = chunk->bytes, *end = chunk->bytes + chunk->length;

	while (line < end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		int why;

		queue_progress(&r->queue);
		why = lines_take(&r->lines, line, (size_t)(stop - line));
		if (why >= 0)
			bad_line_say(r->bad_said, (enum bad_line)why, 0, line, (size_t)(stop - line));
		line = stop + 1;
	}
}

/* Each change is said once. */
static void say_change(const struct record *r, bool was_failing, const char *why, u64 lost)
{
	if (*why && !was_failing)
		log_warning("write to '%s': %s; what comes meanwhile is kept as long as there "
			    "is room for it, and lines go on",
			    r->path, why);
	else if (!*why && was_failing)
		log_info("writes to '%s' again; %" PRIu64 " rows found no room", r->path,
			lost);
}

/* Commits, and returns when that is due again. */
static u64 commit(struct record *r)
{
	const struct batch *batch = &r->writer.batch;
	u64 written = r->writer.rows_written;
	bool was_failing = r->state.failing;
	u64 began = now_ns(), took;
	const char *why;

	writer_commit(&r->writer, &why);
	pthread_mutex_lock(&r->lock);
	r->state.failing = *why;
	r->state.why = why;
	r->state.rows_lost = batch->lost_rows + r->writer.baselines.lost_rows;
	r->state.flows_lost = batch->lost_flows;
	r->state.bad_lines = r->lines.counts.bad;
	pthread_mutex_unlock(&r->lock);
	say_change(r, was_failing, why, r->state.rows_lost + r->state.flows_lost);
	if (r->verbose && !*why)
		log_debug("%" PRIu64 " lines so far, %" PRIu64 " rows in this transaction",
			r->lines.counts.taken, r->writer.rows_written - written);
	/* What it kept goes in all sizes, and leaves pages behind that hold little: not for months. */
	malloc_trim(0);
	queue_set_patience(&r->queue, !*why);
	took = *why ? RETRY_SHARE * (now_ns() - began) : 0;
	return now_ns() + (took > r->interval_ns ? took : r->interval_ns);
}

/* While nothing can be written, it is not tried again before the time is over. */
static bool is_due(const struct record *r, u64 next_ns)
{
	return now_ns() >= next_ns || (batch_is_large(&r->writer.batch) && !r->state.failing);
}

/* A disk that takes nothing says so itself; one that is slow is told of once. */
static void note_lost(struct record *r, u64 lost)
{
	bool is_first = lost && !r->state.lines_lost;

	pthread_mutex_lock(&r->lock);
	r->state.lines_lost = lost;
	pthread_mutex_unlock(&r->lock);
	if (is_first && !r->state.failing)
		fprintf(stderr, "recorder: '%s' is too slow for what comes: lines pass, but are not all "
			"kept; --wait, for a recording\n", r->path);
}

static void work(struct record *r)
{
	u64 next_ns = now_ns() + r->interval_ns;
	struct chunks chunks;
	bool more = true;

	while (more) {
		u64 now = now_ns(), wait_ms = next_ns > now ? (next_ns - now) / NS_PER_MS + 1 : 0, lost;
		struct chunk *chunk;

		more = queue_take(&r->queue, wait_ms, &chunks, &lost);
		note_lost(r, lost);
		r->lines.now = time(NULL);
		while ((chunk = TAILQ_FIRST(&chunks))) {
			TAILQ_REMOVE(&chunks, chunk, next);
			take_chunk(r, chunk);
			free(chunk);
			if (is_due(r, next_ns))
				next_ns = commit(r);
		}
		if (is_due(r, next_ns))
			next_ns = commit(r);
	}
	commit(r);
}

static void *run(void *data)
{
	struct record *r = data;

	r->is_confined = r->no_sandbox || confine_writing(r->path, r->verbose) == STATUS_DONE;
	sem_post(&r->begun);
	if (r->is_confined)
		work(r);
	writer_close(&r->writer);
	return NULL;
}

static void note_progress(void *data)
{
	queue_progress(data);
}

int record_start(struct record *r)
{
	int err = queue_init(&r->queue);

	if (err)
		return err;
	r->queue.waits = r->waits;
	lines_init(&r->lines, &r->writer);
	pthread_mutex_init(&r->lock, NULL);
	r->state.why = "";
	r->writer.progress = note_progress;
	r->writer.progress_data = &r->queue;
	sem_init(&r->begun, 0, 0);
	err = pthread_create(&r->thread, NULL, run, r);
	if (err)
		return -err;
	while (sem_wait(&r->begun))
		continue;
	return r->is_confined ? 0 : -EPERM;
}

bool record_stop(struct record *r)
{
	queue_end(&r->queue);
	pthread_join(r->thread, NULL);
	queue_free(&r->queue);
	lines_free(&r->lines);
	return !r->state.failing;
}

struct record_state record_state(struct record *r)
{
	struct record_state state;

	pthread_mutex_lock(&r->lock);
	state = r->state;
	pthread_mutex_unlock(&r->lock);
	return state;
}
