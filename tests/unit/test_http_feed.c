// SPDX-License-Identifier: MIT
/* Lines in, frames out: stdin's lines, the shared feed, and the bound on connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "httpd/feed.h"
#include "httpd/intake.h"
#include "httpd/peers.h"

/* ---- lines ------------------------------------------------------------------ */

/* Puts text into the intake, step bytes at a time, and writes the lines as "a|b|" to got. */
static void feed_text(struct intake *intake, const char *text, size_t step, bool end, char *got)
{
	size_t left = strlen(text), room;
	struct slice line;

	while (left || end) {
		size_t size = left < step ? left : step;
		char *space = intake_space(intake, &room);

		assert_non_null(space);
		assert_true(room > 0);
		if (size > room)
			size = room;
		memcpy(space, text, size);
		intake_filled(intake, size);
		text += size;
		left -= size;
		while (intake_line(intake, end && !left, &line)) {
			strncat(got, line.data, line.length);
			strcat(got, "|");
		}
		if (end && !left)
			break;
	}
}

static void test_lines(void **state)
{
	static const struct {
		const char *text, *lines;
		unsigned int too_long;
	} rows[] = {
		{ "", "", 0 },
		{ "a\nbc\n", "a|bc|", 0 },
		{ "a\r\n\nb", "a||b|", 0 },
		{ "12345678\n", "12345678|", 0 },
		{ "123456789\nok\n", "ok|", 1 },
		{ "ok\n123456789abcdef\nok\n123456789", "ok|ok|", 2 },
		{ "123456789123456789123456789", "", 1 },
		{ "\n\n", "||", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (size_t step = 1; step < 32; step++) {
			struct intake intake;
			char got[64] = "";

			intake_init(&intake, 8);
			feed_text(&intake, rows[i].text, step, true, got);
			assert_string_equal(got, rows[i].lines);
			assert_int_equal(intake.too_long, rows[i].too_long);
			intake_free(&intake);
		}
	}
}

static void test_long_lines_take_no_memory(void **state)
{
	struct intake intake;
	char got[64] = "";
	size_t room;

	(void)state;
	intake_init(&intake, 1000);
	for (int i = 0; i < 1000; i++) {
		char *space = intake_space(&intake, &room);
		struct slice line;

		assert_non_null(space);
		memset(space, 'x', room);
		intake_filled(&intake, room);
		assert_false(intake_line(&intake, false, &line));
	}
	assert_true(intake.room <= 256 * 1024);
	feed_text(&intake, "\nok\n", 100, true, got);
	assert_string_equal(got, "ok|");
	assert_int_equal(intake.too_long, 1);
	intake_free(&intake);
}

static void test_lines_that_grow(void **state)
{
	struct intake intake;
	struct slice line = { 0 };
	size_t room, total = 0;

	(void)state;
	intake_init(&intake, 10 * 1024 * 1024);
	while (total < 5 * 1024 * 1024) {
		char *space = intake_space(&intake, &room);

		assert_non_null(space);
		memset(space, 'y', room);
		intake_filled(&intake, room);
		total += room;
		assert_false(intake_line(&intake, false, &line));
	}
	*intake_space(&intake, &room) = '\n';
	intake_filled(&intake, 1);
	assert_true(intake_line(&intake, false, &line));
	assert_int_equal(line.length, total);
	intake_free(&intake);
}

/* ---- the feed --------------------------------------------------------------- */

#define RUN 0xabc
#define ONE_TOPIC TOPIC_BIT(TOPIC_SNAPSHOT)
#define TWO_TOPICS (TOPIC_BIT(TOPIC_STATS) | TOPIC_BIT(TOPIC_FLOWS))

struct world {
	struct bounds bounds;
	struct feed feed;
	uint64_t now_ms;
};

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->now_ms = 1000000;
	bounds_init(&w->bounds);
	assert_int_equal(feed_init(&w->feed, RUN, &w->bounds), 0);
	*state = w;
	return 0;
}

static int free_world(void **state)
{
	struct world *w = *state;

	feed_free(&w->feed);
	free(w);
	return 0;
}

static void publish(struct world *w, const char *line)
{
	struct shot *shot;

	assert_int_equal(shot_parse((struct slice){ line, strlen(line) }, &shot), SHOT_SNAPSHOT);
	feed_publish(&w->feed, shot, w->now_ms);
	shot_unref(shot);
}

static void publish_number(struct world *w, int number)
{
	char line[64];

	snprintf(line, sizeof(line), "{\"type\":\"snapshot\",\"seq\":%d}", number);
	publish(w, line);
}

static bool take(struct world *w, struct feed_cursor *cursor, uint64_t *lost)
{
	uint64_t more;
	bool has = feed_take(&w->feed, cursor, w->now_ms, &more);

	*lost += more;
	return has;
}

/* What the frame under way looks like to an SSE client, read size bytes at a time. */
static void read_sse(const struct feed_cursor *cursor, size_t size, char text[512])
{
	const struct frame *frame = cursor->frame;
	size_t length = 0;

	while (length < frame->sse_length) {
		size_t copied = frame_copy_sse(frame, length, text + length, size);

		assert_true(copied > 0 && copied <= size);
		length += copied;
	}
	text[length] = '\0';
	assert_int_equal(frame_copy_sse(frame, length, text, size), 0);
}

/* From each offset on, what is left of its chunk is the end of the whole. */
static void expect_chunk(const struct frame *frame, const char *wanted)
{
	size_t length = strlen(wanted);

	assert_int_equal(frame->chunk_length, length);
	for (size_t offset = 0; offset <= length; offset++) {
		struct iovec parts[FRAME_PARTS];
		size_t count = frame_chunk_rest(frame, offset, parts), at = offset;

		for (size_t i = 0; i < count; i++) {
			assert_true(parts[i].iov_len > 0 && parts[i].iov_len <= length - at);
			assert_memory_equal(parts[i].iov_base, wanted + at, parts[i].iov_len);
			at += parts[i].iov_len;
		}
		assert_int_equal(at, length);
	}
}

static void expect_sse(struct world *w, struct feed_cursor *cursor, const char *wanted)
{
	uint64_t lost = 0;
	char text[512];

	assert_true(take(w, cursor, &lost));
	read_sse(cursor, 100, text);
	assert_string_equal(text, wanted);
	feed_done(cursor);
}

/* Takes all there is: "snapshot 1|lost 3|". */
static uint64_t take_all(struct world *w, struct feed_cursor *cursor, char got[512])
{
	uint64_t lost = 0;
	int length = 0;

	*got = '\0';
	while (take(w, cursor, &lost)) {
		const struct blob *blob = cursor->frame->text;
		char text[256], type[16] = "";
		const char *number;

		snprintf(text, sizeof(text), "%.*s", (int)blob->length, blob->data);
		number = strpbrk(text, "0123456789");
		sscanf(text, "{\"type\":\"%15[a-z]\"", type);
		length += snprintf(got + length, 512 - (size_t)length, "%s %d|", type,
				   number ? atoi(number) : -1);
		feed_done(cursor);
	}
	return lost;
}

static void expect_all(struct world *w, struct feed_cursor *cursor, const char *wanted)
{
	char got[512];

	assert_int_equal(take_all(w, cursor, got), 0);
	assert_string_equal(got, wanted);
}

static void test_framings(void **state)
{
	struct world *w = *state;
	struct iovec parts[WEBSOCKET_PARTS_MAX];
	struct feed_cursor cursor;
	uint64_t lost = 0;
	char text[512];

	publish_number(w, 7);
	feed_tell_stale(&w->feed);
	feed_join(&w->feed, &cursor, ONE_TOPIC);
	for (size_t size = 1; size < 80; size++) {
		assert_true(take(w, &cursor, &lost));
		read_sse(&cursor, size, text);
		assert_string_equal(text, "id: abc-1-snapshot\nevent: snapshot\n"
				    "data: {\"type\":\"snapshot\",\"seq\":7}\n\n");
	}
	expect_chunk(cursor.frame, "46\r\nid: abc-1-snapshot\nevent: snapshot\n"
		     "data: {\"type\":\"snapshot\",\"seq\":7}\n\n\r\n");
	assert_int_equal(websocket_message_rest(&cursor.frame->websocket, 0, false, parts), 2);
	assert_memory_equal(parts[0].iov_base, "\x81\x1b", 2);
	assert_int_equal(websocket_message_rest(&cursor.frame->websocket, 4, false, parts), 1);
	assert_int_equal(parts[0].iov_len, 25);
	feed_done(&cursor);
	expect_sse(w, &cursor, "event: status\ndata: {\"type\":\"status\",\"stale\":true}\n\n");
	assert_false(take(w, &cursor, &lost));
	assert_false(feed_take_tick(&w->feed, &cursor));
	feed_tick(&w->feed);
	assert_true(feed_take_tick(&w->feed, &cursor));
	read_sse(&cursor, 100, text);
	assert_string_equal(text, ": still here\n\n");
	feed_done(&cursor);
	assert_false(feed_take_tick(&w->feed, &cursor));
	feed_greet(&w->feed, &cursor);
	assert_true(take(w, &cursor, &lost));
	read_sse(&cursor, 100, text);
	assert_string_equal(text, "retry: 2000\n\n");
	feed_leave(&cursor);
	assert_int_equal(lost, 0);
}

static void test_late_clients_lose_nothing(void **state)
{
	struct feed_cursor one, two;
	struct world *w = *state;

	feed_join(&w->feed, &one, ONE_TOPIC);
	feed_join(&w->feed, &two, TWO_TOPICS);
	for (int i = 1; i <= LIMIT_FEED_FRAMES; i++) {
		publish_number(w, i);
		assert_int_equal(feed_miss(&w->feed, &one), 0);
		assert_int_equal(feed_miss(&w->feed, &two), 0);
	}
	_Static_assert(LIMIT_FEED_FRAMES == 8, "what is expected here");
	expect_all(w, &one, "snapshot 1|snapshot 2|snapshot 3|snapshot 4|"
			    "snapshot 5|snapshot 6|snapshot 7|snapshot 8|");
	expect_all(w, &two, "stats 1|flows 1|stats 2|flows 2|stats 3|flows 3|stats 4|flows 4|"
			    "stats 5|flows 5|stats 6|flows 6|stats 7|flows 7|stats 8|flows 8|");
	assert_int_equal(w->bounds.row[BOUND_FEED_FRAMES].hits, 0);
}

/* What a client does not get is counted when it happens, and told to it exactly. */
static void test_stalled_clients_get_the_latest(void **state)
{
	struct world *w = *state;
	struct feed_cursor cursor;
	uint64_t lost = 0;
	char got[512];

	publish_number(w, 1);
	feed_join(&w->feed, &cursor, TWO_TOPICS);
	assert_true(take(w, &cursor, &lost));
	for (int i = 2; i <= 100; i++) {
		publish_number(w, i);
		lost += feed_miss(&w->feed, &cursor);
	}
	/* What is still remembered is not lost yet: flows 1, and both of 2 to 92. */
	assert_int_equal(lost, 1 + 2 * (99 - LIMIT_FEED_FRAMES));
	/* The one under way stays what it is, to its end. */
	assert_true(take(w, &cursor, &lost));
	assert_memory_equal(cursor.frame->text->data, "{\"type\":\"stats\",\"seq\":1}", 24);
	feed_done(&cursor);
	lost += take_all(w, &cursor, got);
	assert_string_equal(got, "lost 197|stats 100|flows 100|");
	assert_int_equal(lost, 197);
	assert_int_equal(w->bounds.row[BOUND_FEED_FRAMES].hits, 1);
}

/* One that wants nothing misses nothing. */
static void test_no_topics(void **state)
{
	struct world *w = *state;
	struct feed_cursor cursor;

	feed_join(&w->feed, &cursor, 0);
	for (int i = 1; i <= 100; i++) {
		publish_number(w, i);
		if (i % 10 == 0)
			assert_int_equal(feed_miss(&w->feed, &cursor), 0);
	}
	expect_all(w, &cursor, "");
	feed_tell_stale(&w->feed);
	expect_all(w, &cursor, "status -1|");
	assert_int_equal(w->bounds.row[BOUND_FEED_FRAMES].hits, 0);
}

static void test_subscriptions(void **state)
{
	struct world *w = *state;
	struct feed_cursor cursor;
	uint64_t lost = 0;

	feed_join(&w->feed, &cursor, 0);
	/* Before there is anything. */
	feed_subscribe(&w->feed, &cursor, TOPIC_BIT(TOPIC_FLOWS));
	expect_all(w, &cursor, "");
	publish_number(w, 1);
	expect_all(w, &cursor, "flows 1|");
	/* The last ones of the new topics at once, nothing twice. */
	feed_subscribe(&w->feed, &cursor, TWO_TOPICS | TOPIC_BIT(TOPIC_DROPS));
	expect_all(w, &cursor, "stats 1|drops 1|");
	feed_subscribe(&w->feed, &cursor, TWO_TOPICS);
	expect_all(w, &cursor, "");
	publish_number(w, 2);
	/* In the middle of a snapshot's topics. */
	assert_true(take(w, &cursor, &lost));
	feed_done(&cursor);
	feed_unsubscribe(&cursor, TOPIC_BIT(TOPIC_DROPS) | TOPIC_BIT(TOPIC_STATS));
	expect_all(w, &cursor, "flows 2|");
	feed_subscribe(&w->feed, &cursor, TOPIC_BIT(TOPIC_STATS));
	expect_all(w, &cursor, "stats 2|");
	/* One that is late gets them with what is to come. */
	publish_number(w, 3);
	publish_number(w, 4);
	feed_subscribe(&w->feed, &cursor, TOPIC_BIT(TOPIC_LATENCY));
	expect_all(w, &cursor, "stats 3|flows 3|latency 3|stats 4|flows 4|latency 4|");
	feed_unsubscribe(&cursor, ~0u);
	publish_number(w, 5);
	expect_all(w, &cursor, "");
	feed_subscribe(&w->feed, &cursor, ONE_TOPIC);
	expect_all(w, &cursor, "snapshot 5|");
	/* Without reading meanwhile, past what is remembered. */
	feed_subscribe(&w->feed, &cursor, TOPIC_BIT(TOPIC_LATENCY));
	for (int i = 6; i <= 20; i++) {
		publish_number(w, i);
		lost += feed_miss(&w->feed, &cursor);
	}
	feed_subscribe(&w->feed, &cursor, TOPIC_BIT(TOPIC_STATS));
	assert_int_equal(lost, 1 + 2 * 7);
	{
		char got[512];

		/* latency 5, two topics of 6 to 12, three of 13 to 19. */
		lost += take_all(w, &cursor, got);
		assert_string_equal(got, "lost 36|snapshot 20|stats 20|latency 20|");
		assert_int_equal(lost, 36);
	}
}

static void test_resuming(void **state)
{
	static const struct {
		const char *id;
		unsigned int topics;
		const char *got;
		uint64_t lost;
	} rows[] = {
		/* Remembered: 13 to 20. */
		{ "abc-20-snapshot", ONE_TOPIC, "", 0 },
		{ "abc-18-snapshot", ONE_TOPIC, "snapshot 19|snapshot 20|", 0 },
		{ "abc-19-stats", TWO_TOPICS, "flows 19|stats 20|flows 20|", 0 },
		{ "abc-19-flows", TWO_TOPICS, "stats 20|flows 20|", 0 },
		{ "abc-19-drops", TWO_TOPICS, "stats 20|flows 20|", 0 },
		{ "abc-19-snapshot", TWO_TOPICS, "stats 19|flows 19|stats 20|flows 20|", 0 },
		{ "abc-12-snapshot", ONE_TOPIC, "snapshot 13|snapshot 14|snapshot 15|snapshot 16|"
		  "snapshot 17|snapshot 18|snapshot 19|snapshot 20|", 0 },
		/* Forgotten: what is passed over, remembered or not, is counted. */
		{ "abc-11-snapshot", ONE_TOPIC, "lost 8|snapshot 20|", 8 },
		{ "abc-12-stats", TWO_TOPICS, "lost 15|stats 20|flows 20|", 15 },
		{ "abc-12-flows", TWO_TOPICS, "stats 13|flows 13|stats 14|flows 14|stats 15|"
		  "flows 15|stats 16|flows 16|stats 17|flows 17|stats 18|flows 18|stats 19|"
		  "flows 19|stats 20|flows 20|", 0 },
		{ "abc-1-flows", TWO_TOPICS, "lost 36|stats 20|flows 20|", 36 },
		/* Of another run: nobody knows how many. */
		{ "abd-19-snapshot", ONE_TOPIC, "lost -1|snapshot 20|", 0 },
		{ "ab-19-snapshot", ONE_TOPIC, "lost -1|snapshot 20|", 0 },
		{ "abcd-19-snapshot", ONE_TOPIC, "lost -1|snapshot 20|", 0 },
		/* What nobody gave. */
		{ "abc-21-snapshot", ONE_TOPIC, "snapshot 20|", 0 },
		{ "abc-0-snapshot", ONE_TOPIC, "snapshot 20|", 0 },
		{ "abc-999999999999999999-snapshot", ONE_TOPIC, "snapshot 20|", 0 },
		{ "abc-18446744073709551615-snapshot", ONE_TOPIC, "snapshot 20|", 0 },
		{ "abc-19-snapshots", ONE_TOPIC, "snapshot 20|", 0 },
		{ "abc-19-", ONE_TOPIC, "snapshot 20|", 0 },
		{ "abc-19", ONE_TOPIC, "snapshot 20|", 0 },
		{ "abc--19-snapshot", ONE_TOPIC, "snapshot 20|", 0 },
		{ "abc- 19-snapshot", ONE_TOPIC, "snapshot 20|", 0 },
		{ "-19-snapshot", ONE_TOPIC, "snapshot 20|", 0 },
		{ "19", ONE_TOPIC, "snapshot 20|", 0 },
		{ "", ONE_TOPIC, "snapshot 20|", 0 },
	};
	struct world *w = *state;
	char got[512];

	for (int i = 1; i <= 20; i++)
		publish_number(w, i);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct feed_cursor cursor;
		uint64_t lost = feed_resume(&w->feed, &cursor, rows[i].topics, rows[i].id);

		lost += take_all(w, &cursor, got);
		assert_string_equal(got, rows[i].got);
		assert_int_equal(lost, rows[i].lost);
	}
}

static void test_joining_a_stale_feed(void **state)
{
	struct world *w = *state;
	struct feed_cursor cursor;

	for (int i = 1; i <= 20; i++)
		publish_number(w, i);
	feed_tell_stale(&w->feed);
	for (int i = 0; i < 100; i++)
		feed_tick(&w->feed);
	feed_join(&w->feed, &cursor, ONE_TOPIC);
	expect_all(w, &cursor, "snapshot 20|status -1|");
	assert_false(feed_take_tick(&w->feed, &cursor));
	publish_number(w, 21);
	expect_all(w, &cursor, "snapshot 21|");
	feed_tell_stale(&w->feed);
	expect_all(w, &cursor, "status -1|");
}

static void test_large_snapshots_are_forgotten_early(void **state)
{
	struct world *w = *state;
	struct feed_cursor cursor;

	w->bounds.row[BOUND_FEED_BYTES].limit = 50;
	publish(w, "{\"type\":\"snapshot\",\"seq\":1}");
	publish(w, "{\"type\":\"snapshot\",\"seq\":2, \"x\":1}");
	assert_int_equal(w->feed.next - w->feed.first, 1);
	assert_int_equal(w->bounds.row[BOUND_FEED_BYTES].hits, 1);
	/* Also one that alone is more. */
	publish(w, "{\"type\":\"snapshot\",\"seq\":3,\"x\":\"1234567890123456789012345678901234\"}");
	assert_int_equal(w->feed.next - w->feed.first, 1);
	feed_join(&w->feed, &cursor, ONE_TOPIC);
	expect_all(w, &cursor, "snapshot 3|");
}

/* The messages of topics count, too: those that are wanted. */
static void test_messages_count_as_bytes(void **state)
{
	static const char line[] = "{\"type\":\"snapshot\",\"seq\":1,\"flows\":[1,2]}";
	struct world *w = *state;
	struct feed_cursor cursor, late;
	size_t bytes = strlen(line), message = strlen(line) - strlen("snapshot") + strlen("flows");
	uint64_t lost = 0;

	publish(w, line);
	feed_join(&w->feed, &late, ONE_TOPIC);
	publish(w, line);
	assert_int_equal(w->feed.bytes, 2 * bytes);
	feed_join(&w->feed, &cursor, TOPIC_BIT(TOPIC_FLOWS));
	expect_all(w, &cursor, "flows 1|");
	assert_int_equal(w->feed.bytes, 2 * bytes + message);
	/* The first is forgotten for the second's message, never the other way round. */
	w->bounds.row[BOUND_FEED_BYTES].limit = 2 * bytes + message;
	feed_subscribe(&w->feed, &cursor, TOPIC_BIT(TOPIC_STATS));
	assert_true(take(w, &cursor, &lost));
	assert_int_equal(w->feed.next - w->feed.first, 1);
	assert_int_equal(feed_miss(&w->feed, &late), 1);
	feed_leave(&cursor);
	for (int i = 0; i < 10; i++)
		publish(w, line);
	assert_int_equal(w->feed.bytes, (w->feed.next - w->feed.first) * bytes);
}

/* What is forgotten and still under way is counted, once, and bounded: then its readers have to go. */
static void test_late_clients_hold_little(void **state)
{
	static const char line[] = "{\"type\":\"snapshot\",\"seq\":1}";
	struct world *w = *state;
	struct feed_cursor two[2], other;
	uint64_t lost = 0;

	w->bounds.row[BOUND_HELD_BYTES].limit = strlen(line);
	publish(w, line);
	for (int i = 0; i < 2; i++) {
		feed_join(&w->feed, &two[i], ONE_TOPIC);
		assert_true(take(w, &two[i], &lost));
	}
	for (int i = 0; i < LIMIT_FEED_FRAMES - 1; i++)
		publish(w, line);
	assert_int_equal(w->feed.held, 0);
	publish(w, line);
	assert_int_equal(w->feed.held, strlen(line));
	assert_false(feed_must_end(&w->feed, &two[0]));
	feed_join(&w->feed, &other, ONE_TOPIC);
	assert_true(take(w, &other, &lost));
	for (int i = 0; i < LIMIT_FEED_FRAMES; i++)
		publish(w, line);
	assert_int_equal(w->feed.held, 2 * strlen(line));
	assert_true(feed_must_end(&w->feed, &two[0]));
	feed_leave(&two[0]);
	assert_true(feed_must_end(&w->feed, &two[1]));
	feed_leave(&two[1]);
	assert_int_equal(w->feed.held, strlen(line));
	assert_false(feed_must_end(&w->feed, &other));
	feed_done(&other);
	assert_int_equal(w->feed.held, 0);
	assert_false(feed_must_end(&w->feed, &other));
}

/* ---- packets ---------------------------------------------------------------- */

/* A snapshot with so many packets, and left_out more that it does not show. */
static void publish_packets(struct world *w, int packets, int left_out, int interval_ms)
{
	struct body body = { 0 };

	body_printf(&body, "{\"type\":\"snapshot\",\"interval_ms\":%d,\"packets\":[", interval_ms);
	for (int i = 0; i < packets; i++)
		body_printf(&body, "%s{}", i ? "," : "");
	body_printf(&body, "],\"packets_left_out\":%d}", left_out);
	body_add(&body, "", 1);
	assert_false(body.failed);
	publish(w, body.data);
	free(body.data);
}

/* Takes all there is, and adds up the packets shown and left out. */
static void add_packets(struct world *w, struct feed_cursor *cursor, uint64_t *shown,
			uint64_t *left_out)
{
	uint64_t lost = 0;

	while (take(w, cursor, &lost)) {
		struct blob *text = cursor->frame->text;
		json_t *root = json_loadb(text->data, text->length, 0, NULL);

		assert_non_null(root);
		*shown += json_array_size(json_object_get(root, "packets"));
		*left_out += (uint64_t)json_integer_value(json_object_get(root, "packets_left_out"));
		json_decref(root);
		feed_done(cursor);
	}
	assert_int_equal(lost, 0);
}

/* Whatever snapshots say of themselves: by the clock it is 200 a second, and nothing is missing. */
static void test_packets_a_second(void **state)
{
	static const struct {
		int packets, said_ms, real_ms, snapshots;
		unsigned int topics;
	} rows[] = {
		{ 50, 10, 10, 3000, ONE_TOPIC },
		{ 50, 10, 10, 3000, TOPIC_BIT(TOPIC_PACKETS) },
		{ 7, 1, 1, 9000, TOPIC_BIT(TOPIC_PACKETS) },
		{ 200, 1000, 10, 1000, TOPIC_BIT(TOPIC_PACKETS) },	/* a recording, played fast */
		{ 1000, 1000, 1000, 30, ONE_TOPIC },
		{ 30, 100, 97, 300, ONE_TOPIC },
		{ 19, 100, 100, 300, ONE_TOPIC },
		{ 600, 5000, 5000, 30, TOPIC_BIT(TOPIC_PACKETS) },
		{ 40, 10, 10, 3000, ONE_TOPIC | TOPIC_BIT(TOPIC_PACKETS) },	/* of both together */
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t shown = 0, left_out = 0, all, ms = 0, limit;
		unsigned int topics = (unsigned int)__builtin_popcount(rows[i].topics);
		struct feed_cursor cursor;

		w->now_ms += 60000;
		feed_join(&w->feed, &cursor, rows[i].topics);
		cursor.number = w->feed.next - 1;
		for (int n = 0; n < rows[i].snapshots; n++) {
			publish_packets(w, rows[i].packets, 3, rows[i].said_ms);
			add_packets(w, &cursor, &shown, &left_out);
			ms += (uint64_t)rows[i].real_ms;
			w->now_ms += (uint64_t)rows[i].real_ms;
		}
		all = (uint64_t)(rows[i].packets + 3) * (uint64_t)rows[i].snapshots * topics;
		assert_int_equal(shown + left_out, all);
		limit = 200 * ms / 1000 + 200 + (uint64_t)rows[i].packets;
		assert_in_range(shown, 1, limit);
		/* Nor less than could be. */
		if (rows[i].packets * 1000 > 200 * rows[i].real_ms && rows[i].said_ms == rows[i].real_ms &&
		    rows[i].real_ms <= 1000)
			assert_in_range(shown, 200 * ms / 1000 - 200, limit);
		else if (rows[i].packets <= 200 && rows[i].packets * 1000 <= 200 * rows[i].real_ms)
			assert_int_equal(shown, (uint64_t)(rows[i].packets * rows[i].snapshots));
	}
}

/* Who comes back, or was slow, gets what was remembered, but not its packets all at once. */
static void test_packets_of_who_catches_up(void **state)
{
	struct world *w = *state;
	uint64_t shown = 0, left_out = 0;
	struct feed_cursor cursor;

	publish_packets(w, 0, 0, 1000);
	for (int i = 0; i < LIMIT_FEED_FRAMES; i++) {
		w->now_ms += 1000;
		publish_packets(w, 150, 0, 1000);
	}
	assert_int_equal(feed_resume(&w->feed, &cursor, ONE_TOPIC, "abc-1-snapshot"), 0);
	add_packets(w, &cursor, &shown, &left_out);
	assert_int_equal(shown, 300);
	assert_int_equal(shown + left_out, 150 * LIMIT_FEED_FRAMES);
	/* And then goes on as everybody does. */
	shown = 0;
	for (int i = 0; i < 10; i++) {
		w->now_ms += 1000;
		publish_packets(w, 150, 0, 1000);
		add_packets(w, &cursor, &shown, &left_out);
	}
	assert_int_equal(shown, 1500);
}

/* ---- connections ------------------------------------------------------------ */

static struct sockaddr_in address_of(uint32_t ip)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(ip) };
}

static bool admit(struct peers *peers, uint32_t ip)
{
	struct sockaddr_in address = address_of(ip);

	return peers_admit(peers, (struct sockaddr *)&address);
}

static struct peer *add(struct peers *peers, uint32_t ip, int fd, uint64_t now_ms)
{
	struct sockaddr_in address = address_of(ip);
	struct peer *peer = peers_add(peers, fd, (struct sockaddr *)&address, now_ms);

	assert_non_null(peer);
	return peer;
}

/* Whether the other side of the pair sees the end. */
static bool is_shut(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static void test_connections_per_address(void **state)
{
	struct bounds bounds;
	struct peers peers;
	struct peer *first;

	(void)state;
	bounds_init(&bounds);
	bounds.row[BOUND_CONNECTIONS_PER_ADDRESS].limit = 2;
	peers_init(&peers, &bounds);
	first = add(&peers, 1, -1, 0);
	add(&peers, 1, -1, 0);
	assert_false(admit(&peers, 1));
	assert_true(admit(&peers, 2));
	assert_int_equal(bounds.row[BOUND_CONNECTIONS_PER_ADDRESS].hits, 1);
	peers_remove(&peers, first);
	assert_true(admit(&peers, 1));
	while (!TAILQ_EMPTY(&peers.all))
		peers_remove(&peers, TAILQ_FIRST(&peers.all));
	assert_int_equal(peers.count, 0);
}

static void test_idle_connections_make_room(void **state)
{
	struct bounds bounds;
	struct peers peers;
	struct peer *busy, *idle;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	bounds_init(&bounds);
	bounds.row[BOUND_CONNECTIONS].limit = 2;
	peers_init(&peers, &bounds);
	busy = add(&peers, 1, -1, 0);
	peers_busy(&peers, busy);
	idle = add(&peers, 2, pair[0], 0);
	assert_true(admit(&peers, 3));
	assert_true(is_shut(pair[1]));
	assert_int_equal(peers.count, 1);
	assert_int_equal(bounds.row[BOUND_CONNECTIONS].hits, 1);
	/* When all are busy, the new one has to go. */
	peers_busy(&peers, add(&peers, 3, -1, 0));
	assert_false(admit(&peers, 4));
	peers_remove(&peers, idle);
	while (!TAILQ_EMPTY(&peers.all))
		peers_remove(&peers, TAILQ_FIRST(&peers.all));
	assert_int_equal(peers.count, 0);
	close(pair[0]);
	close(pair[1]);
}

static void test_slow_requests_end(void **state)
{
	struct bounds bounds;
	struct peers peers;
	struct peer *peer;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	bounds_init(&bounds);
	peers_init(&peers, &bounds);
	peer = add(&peers, 1, pair[0], 1000);
	peers_busy(&peers, peer);
	peers_sweep(&peers, 1000000);
	assert_false(is_shut(pair[1]));
	peers_wait(&peers, peer, 1000000);
	peers_sweep(&peers, 1000000 + LIMIT_REQUEST_MS);
	assert_false(is_shut(pair[1]));
	peers_sweep(&peers, 1000001 + LIMIT_REQUEST_MS);
	assert_true(is_shut(pair[1]));
	assert_int_equal(bounds.row[BOUND_REQUEST_MS].hits, 1);
	peers_wait(&peers, peer, 2000000);
	peers_busy(&peers, peer);
	peers_remove(&peers, peer);
	peers_remove(&peers, NULL);
	assert_int_equal(peers.count, 0);
	close(pair[0]);
	close(pair[1]);
}

static void test_limits_are_written(void **state)
{
	struct bounds bounds;
	struct body body = { 0 };

	(void)state;
	bounds_init(&bounds);
	bounds_hit(&bounds, BOUND_FEED_FRAMES);
	bounds.row[BOUND_CONNECTIONS_PER_ADDRESS].limit = 0;
	bounds_write(&bounds, &body);
	body_add(&body, "", 1);
	assert_false(body.failed);
	assert_non_null(strstr(body.data, "{\"line_bytes\":{\"limit\":67108864,\"hits\":0},"));
	assert_non_null(strstr(body.data, "\"feed_frames\":{\"limit\":8,\"hits\":1}"));
	assert_non_null(strstr(body.data, "\"connections_per_address\":{\"limit\":null,\"hits\":0}"));
	free(body.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long_lines_take_no_memory),
		cmocka_unit_test(test_lines_that_grow),
		cmocka_unit_test_setup_teardown(test_framings, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_late_clients_lose_nothing, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_stalled_clients_get_the_latest, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_no_topics, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_subscriptions, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_resuming, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_joining_a_stale_feed, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_large_snapshots_are_forgotten_early, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_messages_count_as_bytes, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_late_clients_hold_little, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_packets_a_second, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_packets_of_who_catches_up, make_world, free_world),
		cmocka_unit_test(test_connections_per_address),
		cmocka_unit_test(test_idle_connections_make_room),
		cmocka_unit_test(test_slow_requests_end),
		cmocka_unit_test(test_limits_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
