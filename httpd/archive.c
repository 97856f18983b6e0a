/* SPDX-License-Identifier: MIT */
/* The recorder's database, as httpd sees it: questions, answers, and who waits for them. */
#include "httpd/archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define KEEP_MS 5000		/* an answer, for those who ask the same */
#define SPARE_MS 10000		/* beyond the limit: another process needs two seconds to be there */
#define EXTENT_MS 60000		/* how old what is known of the extent may be */
#define PIECES_A_TURN 64

void archive_init(struct archive *archive, int fd, uint64_t limit_ms, struct bounds *bounds)
{
	*archive = (struct archive){ .fd = fd, .enabled = fd >= 0, .limit_ms = limit_ms,
				     .bounds = bounds };
	TAILQ_INIT(&archive->entries);
}

bool archive_is_done(const struct archive_entry *entry)
{
	return entry->state >= ARCHIVE_ANSWERED;
}

/* ---- entries --------------------------------------------------------------- */

static void forget(struct archive *archive, struct archive_entry *entry)
{
	TAILQ_REMOVE(&archive->entries, entry, link);
	if (entry->text)
		archive->bytes -= entry->text->length;
	archive->queued -= entry->state == ARCHIVE_QUEUED;
	blob_unref(entry->text);
	free(entry);
}

/* Nobody has it, and nobody asks for it any more. */
static void forget_old(struct archive *archive, uint64_t now_ms)
{
	struct archive_entry *entry, *next;

	for (entry = TAILQ_FIRST(&archive->entries); entry; entry = next) {
		next = TAILQ_NEXT(entry, link);
		if (!archive_is_done(entry) || entry->users)
			continue;
		if (now_ms - entry->done_ms >= KEEP_MS) {
			forget(archive, entry);
		} else if (archive->bytes > bounds_limit(archive->bounds, BOUND_ARCHIVE_BYTES)) {
			bounds_hit(archive->bounds, BOUND_ARCHIVE_BYTES);
			forget(archive, entry);
		}
	}
}

void archive_free(struct archive *archive)
{
	while (!TAILQ_EMPTY(&archive->entries))
		forget(archive, TAILQ_FIRST(&archive->entries));
	free(archive->piece.data);
	if (archive->fd >= 0)
		close(archive->fd);
}

static bool is_same(const struct archive_question *a, const struct archive_question *b)
{
	size_t from = sizeof(a->number);

	return !memcmp((const char *)a + from, (const char *)b + from, sizeof(*a) - from);
}

/* One that failed is asked again. */
static struct archive_entry *find(struct archive *archive, const struct archive_question *question,
				  uint64_t now_ms)
{
	struct archive_entry *entry, *next;

	for (entry = TAILQ_FIRST(&archive->entries); entry; entry = next) {
		bool is_new = !archive_is_done(entry) ||
			      (entry->state == ARCHIVE_ANSWERED && now_ms - entry->done_ms < KEEP_MS);

		next = TAILQ_NEXT(entry, link);
		if (is_new && is_same(&entry->question, question))
			return entry;
	}
	return NULL;
}

static struct archive_entry *add(struct archive *archive, const struct archive_question *question)
{
	struct archive_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->question = *question;
	LIST_INIT(&entry->waiters);
	TAILQ_INSERT_TAIL(&archive->entries, entry, link);
	archive->queued++;
	return entry;
}

/* ---- questions ------------------------------------------------------------- */

static void finish(struct archive *archive, struct archive_entry *entry, enum archive_state state,
		   const char *why, uint64_t now_ms)
{
	archive->queued -= entry->state == ARCHIVE_QUEUED;
	entry->state = state;
	entry->done_ms = now_ms;
	snprintf(entry->why, sizeof(entry->why), "%s", why);
	archive->counters.answered += state == ARCHIVE_ANSWERED;
	archive->counters.refused += state == ARCHIVE_REFUSED;
	archive->counters.late += state == ARCHIVE_LATE;
	if (archive->asked == entry)
		archive->asked = NULL;
}

static struct archive_entry *first_queued(struct archive *archive)
{
	struct archive_entry *entry;

	TAILQ_FOREACH(entry, &archive->entries, link)
		if (entry->state == ARCHIVE_QUEUED)
			return entry;
	return NULL;
}

/* One at a time: what comes is its answer. */
static void ask_further(struct archive *archive, uint64_t now_ms)
{
	struct archive_entry *entry = archive->asked || archive->fd < 0 ? NULL : first_queued(archive);

	if (!entry)
		return;
	entry->question.number = archive->number + 1;
	if (send(archive->fd, &entry->question, sizeof(entry->question), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
	archive->number++;
	archive->counters.asked++;
	archive->queued--;
	archive->asked = entry;
	archive->piece.length = 0;
	archive->piece.failed = false;
	entry->state = ARCHIVE_ASKED;
	entry->asked_ms = now_ms;
}

struct archive_entry *archive_join(struct archive *archive, const struct archive_question *question,
				   uint64_t now_ms)
{
	struct archive_entry *entry = find(archive, question, now_ms);

	if (entry) {
		archive->counters.shared++;
	} else if (archive->queued >= bounds_limit(archive->bounds, BOUND_ARCHIVE_QUESTIONS)) {
		bounds_hit(archive->bounds, BOUND_ARCHIVE_QUESTIONS);
	} else {
		forget_old(archive, now_ms);
		entry = add(archive, question);
	}
	if (!entry)
		return NULL;
	entry->users++;
	ask_further(archive, now_ms);
	if (archive->fd < 0 && !archive_is_done(entry))
		finish(archive, entry, ARCHIVE_REFUSED, "the process that reads it has ended", now_ms);
	return entry;
}

void archive_leave(struct archive *archive, struct archive_entry *entry)
{
	entry->users--;
	/* Nobody waits for it any more: it need not be asked. */
	if (!entry->users && entry->state == ARCHIVE_QUEUED)
		forget(archive, entry);
}

/* ---- answers --------------------------------------------------------------- */

static void take_extent(struct archive *archive, const struct archive_entry *entry, uint64_t now_ms)
{
	if (entry->question.kind != ARCHIVE_EXTENT || entry->text->length != sizeof(archive->extent))
		return;
	memcpy(&archive->extent, entry->text->data, sizeof(archive->extent));
	archive->extent_ms = now_ms;
}

static void end_answer(struct archive *archive, struct archive_entry *entry, uint64_t now_ms)
{
	if (!archive->piece.failed)
		entry->text = blob_new(archive->piece.data, archive->piece.length);
	if (!entry->text) {
		finish(archive, entry, ARCHIVE_REFUSED, "there is no memory for the answer", now_ms);
		return;
	}
	archive->bytes += entry->text->length;
	take_extent(archive, entry, now_ms);
	finish(archive, entry, ARCHIVE_ANSWERED, "", now_ms);
}

static void fail(struct archive *archive, struct archive_entry *entry, enum archive_state state,
		 const char *text, size_t length, uint64_t now_ms)
{
	char why[ARCHIVE_WHY_MAX];

	snprintf(why, sizeof(why), "%.*s", (int)length, text);
	finish(archive, entry, state, why, now_ms);
}

/* True: the entry that was asked is done. */
static bool take_piece(struct archive *archive, const struct archive_piece *piece, const char *data,
		       uint64_t now_ms)
{
	struct archive_entry *entry = archive->asked;

	if (!entry || piece->number != entry->question.number)
		return false;
	switch (piece->kind) {
	case ARCHIVE_PIECE:
		body_add(&archive->piece, data, piece->length);
		if (archive->piece.length <= ARCHIVE_ANSWER_MAX)
			return false;
		fail(archive, entry, ARCHIVE_LATE, "too large", 9, now_ms);
		return true;
	case ARCHIVE_DONE:
		end_answer(archive, entry, now_ms);
		return true;
	case ARCHIVE_FAILED:
	case ARCHIVE_TOO_LONG:
		fail(archive, entry, piece->kind == ARCHIVE_FAILED ? ARCHIVE_REFUSED : ARCHIVE_LATE, data,
		     piece->length, now_ms);
		return true;
	default:
		return false;
	}
}

/* What a predecessor was asked died with it. */
static struct archive_entry *take_ready(struct archive *archive, uint64_t now_ms)
{
	struct archive_entry *entry = archive->asked;

	archive->counters.restarts += archive->ready;
	if (archive->ready && entry)
		finish(archive, entry, ARCHIVE_REFUSED, "the process that reads it ended, and was started "
		       "anew", now_ms);
	archive->ready = true;
	return entry && archive_is_done(entry) ? entry : NULL;
}

static struct archive_entry *take_message(struct archive *archive, const char *data, size_t size,
					  uint64_t now_ms)
{
	struct archive_entry *entry = archive->asked;
	struct archive_piece piece;

	if (size < sizeof(piece))
		return NULL;
	memcpy(&piece, data, sizeof(piece));
	if (piece.length != size - sizeof(piece))
		return NULL;
	if (piece.kind == ARCHIVE_READY)
		return take_ready(archive, now_ms);
	return take_piece(archive, &piece, data + sizeof(piece), now_ms) ? entry : NULL;
}

static void end_all(struct archive *archive, uint64_t now_ms, archive_wake *wake, void *closure)
{
	struct archive_entry *entry, *next;

	for (entry = TAILQ_FIRST(&archive->entries); entry; entry = next) {
		next = TAILQ_NEXT(entry, link);
		if (archive_is_done(entry))
			continue;
		finish(archive, entry, ARCHIVE_REFUSED, "the process that reads it has ended", now_ms);
		wake(closure, entry);
	}
}

bool archive_take(struct archive *archive, uint64_t now_ms, archive_wake *wake, void *closure)
{
	static char data[sizeof(struct archive_piece) + ARCHIVE_PIECE_MAX];
	ssize_t got = 0;

	for (int i = 0; i < PIECES_A_TURN; i++) {
		struct archive_entry *done;

		got = recv(archive->fd, data, sizeof(data), MSG_DONTWAIT);
		if (got <= 0)
			break;
		done = take_message(archive, data, (size_t)got, now_ms);
		if (done)
			wake(closure, done);
		ask_further(archive, now_ms);
	}
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		close(archive->fd);
		archive->fd = -1;
		end_all(archive, now_ms, wake, closure);
		return false;
	}
	return true;
}

/* For what says how far back there is something, before anybody asks for it. */
static void ask_extent(struct archive *archive, uint64_t now_ms)
{
	struct archive_question question = { .kind = ARCHIVE_EXTENT, .to = 1 };
	struct archive_entry *entry;

	if (archive->fd < 0 || !archive->ready ||
	    (archive->extent_ms && now_ms - archive->extent_ms < EXTENT_MS) ||
	    find(archive, &question, now_ms))
		return;
	entry = archive_join(archive, &question, now_ms);
	if (entry)
		entry->users--;
}

void archive_sweep(struct archive *archive, uint64_t now_ms, archive_wake *wake, void *closure)
{
	struct archive_entry *entry = archive->asked;

	if (!archive->enabled)
		return;
	if (entry && now_ms - entry->asked_ms >= archive->limit_ms + SPARE_MS) {
		finish(archive, entry, ARCHIVE_LATE, "nobody answered", now_ms);
		wake(closure, entry);
	}
	ask_further(archive, now_ms);
	ask_extent(archive, now_ms);
	forget_old(archive, now_ms);
}
