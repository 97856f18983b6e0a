/* SPDX-License-Identifier: MIT */
/* The thread that turns lines into rows of the database, one transaction an interval. */
#ifndef JOPIL_RECORDER_RECORD_H
#define JOPIL_RECORDER_RECORD_H

#include <pthread.h>
#include <semaphore.h>

#include "recorder/lines.h"
#include "recorder/queue.h"

/* What the other thread may know, at any time. */
struct record_state {
	u64 rows_lost, flows_lost, lines_lost;
	u64 bad_lines;		/* not JSON, or not what their type has */
	bool failing;		/* the last transaction did not succeed */
	const char *why;	/* of that; stays */
};

struct record {
	struct queue queue;
	struct writer writer;
	struct lines lines;
	const char *path;
	u64 interval_ns;
	bool waits;	/* for the disk, rather than leave lines out */
	bool no_sandbox;
	bool verbose;
	bool bad_said[BAD_LINES];

	pthread_t thread;
	sem_t begun;		/* the thread is confined, or not: */
	bool is_confined;
	pthread_mutex_t lock;	/* of state */
	struct record_state state;
};

/*
 * Starts the thread; the writer is open already, and is closed by the thread. 0, -EPERM if
 * it could not be confined, which is said then, or another -errno.
 */
int record_start(struct record *r);

/* Takes what is queued, commits, and ends the thread. False: the last transaction failed. */
bool record_stop(struct record *r);

struct record_state record_state(struct record *r);

#endif
