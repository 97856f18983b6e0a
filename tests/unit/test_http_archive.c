// SPDX-License-Identifier: MIT
/* Questions to the database's process: shared, in turn, within limits, given up; and which bytes of it are believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "httpd/archive.h"
#include "httpd/archive_series.h"
#include "httpd/history_slot.h"

#define LIMIT_MS 1000

struct fixture {
	struct bounds bounds;
	struct archive archive;
	int fd;		/* of the process */
	unsigned int woken;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int pair[2];

	assert_non_null(f);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	bounds_init(&f->bounds);
	archive_init(&f->archive, pair[0], LIMIT_MS, &f->bounds);
	f->fd = pair[1];
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	archive_free(&f->archive);
	if (f->fd >= 0)
		close(f->fd);
	free(f);
	return 0;
}

static void wake(void *closure, struct archive_entry *entry)
{
	assert_true(archive_is_done(entry));
	((struct fixture *)closure)->woken++;
}

static struct archive_question question_of(uint64_t limit)
{
	return (struct archive_question){ .kind = ARCHIVE_REPORT, .to = 1, .limit = limit };
}

static struct archive_entry *join(struct fixture *f, uint64_t limit, uint64_t now_ms)
{
	struct archive_question question = question_of(limit);

	return archive_join(&f->archive, &question, now_ms);
}

/* What the process was asked. */
static struct archive_question asked(struct fixture *f)
{
	struct archive_question question;

	assert_int_equal(recv(f->fd, &question, sizeof(question), MSG_DONTWAIT), sizeof(question));
	return question;
}

static void say(struct fixture *f, uint64_t number, enum archive_piece_kind kind, const char *text)
{
	struct {
		struct archive_piece piece;
		char text[64];
	} message = { .piece = { number, kind, (uint32_t)strlen(text) } };

	strcpy(message.text, text);
	assert_true(send(f->fd, &message, sizeof(message.piece) + strlen(text), 0) > 0);
}

static bool take(struct fixture *f, uint64_t now_ms)
{
	return archive_take(&f->archive, now_ms, wake, f);
}

static void test_shared_and_in_turn(void **state)
{
	struct fixture *f = *state;
	struct archive_entry *one = join(f, 1, 0), *same = join(f, 1, 0), *other = join(f, 2, 0);
	struct archive_question question = asked(f);

	assert_ptr_equal(one, same);
	assert_ptr_not_equal(one, other);
	assert_int_equal(question.limit, 1);
	/* The next one is asked when this one is answered; what is of no question is passed over. */
	assert_true(recv(f->fd, &question, sizeof(question), MSG_DONTWAIT) < 0);
	say(f, question.number + 7, ARCHIVE_DONE, "");
	say(f, question.number, ARCHIVE_PIECE, "{\"a\":");
	say(f, question.number, ARCHIVE_PIECE, "1}");
	assert_true(take(f, 10));
	assert_false(archive_is_done(one));
	say(f, question.number, ARCHIVE_DONE, "");
	assert_true(take(f, 20));
	assert_int_equal(one->state, ARCHIVE_ANSWERED);
	assert_memory_equal(one->text->data, "{\"a\":1}", 7);
	assert_int_equal(f->woken, 1);
	question = asked(f);
	assert_int_equal(question.limit, 2);
	say(f, question.number, ARCHIVE_TOO_LONG, "it took too long");
	assert_true(take(f, 30));
	assert_int_equal(other->state, ARCHIVE_LATE);
	assert_string_equal(other->why, "it took too long");
	/* An answer is kept for a while, a failure is not. */
	assert_ptr_equal(join(f, 1, 4000), one);
	assert_ptr_not_equal(join(f, 2, 4000), other);
	assert_ptr_not_equal(join(f, 1, 6000), one);
}

static void test_too_many(void **state)
{
	struct fixture *f = *state;
	struct archive_entry *last = NULL;

	for (uint64_t i = 0; i <= LIMIT_ARCHIVE_QUESTIONS; i++) {
		last = join(f, i, 0);
		assert_non_null(last);
	}
	assert_null(join(f, 1000, 0));
	assert_int_equal(f->bounds.row[BOUND_ARCHIVE_QUESTIONS].hits, 1);
	/* Who leaves makes room. */
	archive_leave(&f->archive, last);
	assert_non_null(join(f, 1000, 0));
}

static void test_nobody_answers(void **state)
{
	struct fixture *f = *state;
	struct archive_entry *entry = join(f, 1, 0);

	archive_sweep(&f->archive, LIMIT_MS, wake, f);
	assert_false(archive_is_done(entry));
	archive_sweep(&f->archive, 60000, wake, f);
	assert_int_equal(entry->state, ARCHIVE_LATE);
	assert_int_equal(f->woken, 1);
}

static void test_restart_and_end(void **state)
{
	struct fixture *f = *state;
	struct archive_entry *entry;

	say(f, 0, ARCHIVE_READY, "");
	assert_true(take(f, 0));
	entry = join(f, 1, 0);
	say(f, 0, ARCHIVE_READY, "");
	assert_true(take(f, 0));
	assert_int_equal(entry->state, ARCHIVE_REFUSED);
	assert_int_equal(f->archive.counters.restarts, 1);
	entry = join(f, 2, 0);
	close(f->fd);
	f->fd = -1;
	assert_false(take(f, 0));
	assert_int_equal(entry->state, ARCHIVE_REFUSED);
	assert_int_equal(join(f, 3, 0)->state, ARCHIVE_REFUSED);
	assert_int_equal(f->woken, 2);
}

/* ---- a history in steps ------------------------------------------------------ */

struct whole {
	struct archive_series_head head;
	int64_t cuts[3];
	struct archive_step steps[2];
	struct archive_row rows[2];
	struct archive_bucket buckets[1];
	struct archive_key key;
	char text[12];
};

static const struct whole whole = {
	.head = { .oldest = 1, .newest = 9, .step = 10, .cuts = 3, .steps = 2, .rows = 2, .buckets = 1, .keys = 1 },
	.cuts = { 0, 10, 20 },
	.rows = { { 1, 0, { 5 } }, { 0, ARCHIVE_OTHER + HISTORY_REMOTE, { 7 } } },
	.buckets = { { 1, 3, 2 } },
	.key = { HISTORY_PROTOCOL, 12 },
	.text = "\"proto\":\"X\"",
};

static int parse(const struct whole *bytes, size_t size)
{
	/* Just as many bytes as it is told: what reads further is seen by the sanitizers. */
	void *copy = malloc(size ? size : 1);
	struct archive_series series;
	int result;

	memcpy(copy, bytes, size);
	result = archive_series_parse(copy, size, &series);
	free(copy);
	return result;
}

static void test_series_of_any_length(void **state)
{
	size_t size = offsetof(struct whole, text) + whole.key.length;

	(void)state;
	assert_int_equal(parse(&whole, size), 0);
	for (size_t i = 0; i < size; i++)
		assert_int_not_equal(parse(&whole, i), 0);
}

static void test_series_that_lie(void **state)
{
	size_t size = offsetof(struct whole, text) + whole.key.length;
	struct whole w;

	(void)state;
#define REFUSED(change) \
	do { \
		w = whole; \
		change; \
		assert_int_not_equal(parse(&w, size), 0); \
	} while (0)
	REFUSED(w.head.cuts = 1);
	REFUSED(w.head.cuts = UINT32_MAX);
	REFUSED(w.head.steps = 0);
	REFUSED(w.head.steps = 3);
	REFUSED(w.head.rows = UINT32_MAX);
	REFUSED(w.head.keys = 2);
	REFUSED(w.head.step = 0);
	REFUSED(w.cuts[1] = 0);
	REFUSED(w.cuts[2] = INT64_MAX);
	REFUSED(w.rows[0].step = 2);
	REFUSED(w.rows[0].key = 1);
	REFUSED(w.rows[1].key = ARCHIVE_OTHER + HISTORY_KINDS);
	REFUSED(w.buckets[0].bucket = UINT32_MAX);
	REFUSED(w.buckets[0].step = 2);
	REFUSED(w.key.kind = HISTORY_KINDS);
	REFUSED(w.key.length = 13);
	REFUSED(w.key.length = 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shared_and_in_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart_and_end, setup, teardown),
		cmocka_unit_test(test_series_of_any_length),
		cmocka_unit_test(test_series_that_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
