/* SPDX-License-Identifier: MIT */
/*
 * The recorder's database, as httpd sees it: questions to the process that reads it, one after
 * the other, and their answers, which all share who ask the same.
 */
#ifndef JOPIL_HTTPD_ARCHIVE_H
#define JOPIL_HTTPD_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "httpd/archive_wire.h"
#include "httpd/body.h"
#include "httpd/bounds.h"

#define ARCHIVE_WHY_MAX 256

enum archive_state {
	ARCHIVE_QUEUED,
	ARCHIVE_ASKED,
	ARCHIVE_ANSWERED,	/* .text */
	ARCHIVE_REFUSED,	/* .why: there is no database, or it cannot be read */
	ARCHIVE_LATE,		/* .why: it took too long, or is too large */
};

struct request;
LIST_HEAD(archive_waiters, request);

/* A question that somebody asked, for as long as somebody waits for it or may ask it again. */
struct archive_entry {
	TAILQ_ENTRY(archive_entry) link;
	struct archive_question question;
	enum archive_state state;
	struct blob *text;
	char why[ARCHIVE_WHY_MAX];
	uint64_t asked_ms, done_ms;
	struct archive_waiters waiters;
	unsigned int users;	/* requests that have it */
};

TAILQ_HEAD(archive_entries, archive_entry);

struct archive {
	int fd;			/* -1: there is none, or it is gone */
	bool enabled;		/* --db was given */
	bool ready;		/* one was there already */
	uint64_t limit_ms;	/* of an answer */
	uint64_t number;	/* of the last question */
	struct archive_entries entries;	/* the newest last */
	struct archive_entry *asked;	/* that is being answered; NULL: none */
	struct body piece;	/* of its answer, so far */
	size_t queued, bytes;	/* that wait; of answers that are kept */
	struct bounds *bounds;
	struct archive_extent extent;	/* of the database, when it was last asked */
	uint64_t extent_ms;	/* when that was; 0: never */
	struct archive_counters {
		uint64_t asked, answered, refused, late, shared, restarts;
	} counters;
};

void archive_init(struct archive *archive, int fd, uint64_t limit_ms, struct bounds *bounds);
void archive_free(struct archive *archive);

/*
 * The entry of a question, whose .number is not looked at: one that is there, or a new one,
 * which is asked in its turn. archive_leave() it. NULL: too many wait already, or there
 * is no memory.
 */
struct archive_entry *archive_join(struct archive *archive, const struct archive_question *question,
				   uint64_t now_ms);
void archive_leave(struct archive *archive, struct archive_entry *entry);

bool archive_is_done(const struct archive_entry *entry);

/*
 * Takes what the process says; calls wake for each entry that is done now, for those who wait.
 * False: the process is gone, and its descriptor is closed.
 */
typedef void archive_wake(void *closure, struct archive_entry *entry);
bool archive_take(struct archive *archive, uint64_t now_ms, archive_wake *wake, void *closure);

/* To be called each second: gives up what does not come, forgets answers, asks for the extent. */
void archive_sweep(struct archive *archive, uint64_t now_ms, archive_wake *wake, void *closure);

#endif
