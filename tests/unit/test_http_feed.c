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

static void publish(struct feed *feed, enum frame_kind kind, const char *text, int64_t id)
{
	struct blob *blob = text ? blob_new(text, strlen(text)) : NULL;
	struct frame *frame = frame_new(kind, blob, id);

	assert_non_null(frame);
	feed_publish(feed, frame);
	frame_unref(frame);
	blob_unref(blob);
}

static void publish_number(struct feed *feed, int number)
{
	char text[32];

	snprintf(text, sizeof(text), "{\"seq\":%d}", number);
	publish(feed, FRAME_SNAPSHOT, text, number);
}

/* What the frame under way looks like to an SSE client, read size bytes at a time. */
static void read_sse(struct feed_cursor *cursor, size_t size, char text[256])
{
	const struct framing *framing = &cursor->frame->sse;
	size_t length = 0;

	while (length < framing->length) {
		size_t copied = framing_copy(framing, length, text + length, size);

		assert_true(copied > 0 && copied <= size);
		length += copied;
	}
	text[length] = '\0';
	assert_int_equal(framing_copy(framing, length, text, size), 0);
}

static void test_framings(void **state)
{
	struct feed_cursor cursor;
	struct bounds bounds;
	struct iovec parts[3];
	struct feed feed;
	uint64_t lost;
	char text[256];

	(void)state;
	bounds_init(&bounds);
	assert_int_equal(feed_init(&feed, &bounds), 0);
	publish_number(&feed, 7);
	publish(&feed, FRAME_STATUS, NULL, 0);
	feed_join(&feed, &cursor);
	for (size_t size = 1; size < 40; size++) {
		assert_true(feed_take(&feed, &cursor, &lost));
		read_sse(&cursor, size, text);
		assert_string_equal(text, "id: 7\nevent: snapshot\ndata: {\"seq\":7}\n\n");
	}
	assert_int_equal(framing_rest(&cursor.frame->websocket, 0, parts), 2);
	assert_memory_equal(parts[0].iov_base, "\x81\x09", 2);
	assert_int_equal(framing_rest(&cursor.frame->websocket, 4, parts), 1);
	assert_int_equal(parts[0].iov_len, 7);
	feed_done(&cursor);
	assert_true(feed_take(&feed, &cursor, &lost));
	read_sse(&cursor, 100, text);
	assert_string_equal(text, "event: status\ndata: {\"stale\":true}\n\n");
	framing_rest(&cursor.frame->websocket, 0, parts);
	assert_memory_equal(parts[1].iov_base, "{\"type\":\"status\",\"stale\":true}", 30);
	feed_done(&cursor);
	assert_false(feed_take(&feed, &cursor, &lost));
	feed_tick(&feed);
	assert_true(feed_take(&feed, &cursor, &lost));
	read_sse(&cursor, 100, text);
	assert_string_equal(text, ": still here\n\n");
	framing_rest(&cursor.frame->websocket, 0, parts);
	assert_memory_equal(parts[0].iov_base, "\x89\x00", 2);
	feed_done(&cursor);
	assert_false(feed_take(&feed, &cursor, &lost));
	feed_leave(&cursor);
	feed_free(&feed);
}

static int taken_id(const struct feed_cursor *cursor)
{
	int id = -1;

	sscanf(cursor->frame->sse_head, "id: %d", &id);
	return id;
}

static void test_late_clients_lose_nothing(void **state)
{
	struct feed_cursor cursor;
	struct bounds bounds;
	struct feed feed;
	uint64_t lost;

	(void)state;
	bounds_init(&bounds);
	assert_int_equal(feed_init(&feed, &bounds), 0);
	feed_join(&feed, &cursor);
	for (int i = 1; i <= LIMIT_FEED_FRAMES; i++) {
		publish_number(&feed, i);
		assert_int_equal(feed_miss(&feed, &cursor), 0);
	}
	for (int i = 1; i <= LIMIT_FEED_FRAMES; i++) {
		assert_true(feed_take(&feed, &cursor, &lost));
		assert_int_equal(lost, 0);
		assert_int_equal(taken_id(&cursor), i);
		feed_done(&cursor);
	}
	assert_false(feed_take(&feed, &cursor, &lost));
	assert_int_equal(bounds.row[BOUND_FEED_FRAMES].hits, 0);
	feed_free(&feed);
}

static void test_stalled_clients_get_the_latest(void **state)
{
	struct feed_cursor cursor;
	struct bounds bounds;
	struct feed feed;
	uint64_t lost, lost_before = 0;

	(void)state;
	bounds_init(&bounds);
	assert_int_equal(feed_init(&feed, &bounds), 0);
	publish_number(&feed, 1);
	feed_join(&feed, &cursor);
	assert_true(feed_take(&feed, &cursor, &lost));
	for (int i = 2; i <= 100; i++) {
		publish_number(&feed, i);
		lost_before += feed_miss(&feed, &cursor);
	}
	/* What is still remembered is not lost yet. */
	assert_int_equal(lost_before, 99 - LIMIT_FEED_FRAMES);
	/* The one under way stays what it is, to its end. */
	assert_true(feed_take(&feed, &cursor, &lost));
	assert_int_equal(lost, 0);
	assert_int_equal(taken_id(&cursor), 1);
	feed_done(&cursor);
	assert_true(feed_take(&feed, &cursor, &lost));
	assert_int_equal(taken_id(&cursor), 100);
	assert_int_equal(lost_before + lost, 98);
	assert_int_equal(bounds.row[BOUND_FEED_FRAMES].hits, 1);
	feed_leave(&cursor);
	feed_free(&feed);
}

static void test_joining_a_stale_feed(void **state)
{
	struct feed_cursor cursor;
	struct bounds bounds;
	struct feed feed;
	uint64_t lost;

	(void)state;
	bounds_init(&bounds);
	assert_int_equal(feed_init(&feed, &bounds), 0);
	for (int i = 1; i <= 20; i++)
		publish_number(&feed, i);
	publish(&feed, FRAME_STATUS, NULL, 0);
	for (int i = 0; i < 100; i++)
		feed_tick(&feed);
	feed_join(&feed, &cursor);
	assert_true(feed_take(&feed, &cursor, &lost));
	assert_int_equal(taken_id(&cursor), 20);
	feed_done(&cursor);
	assert_true(feed_take(&feed, &cursor, &lost));
	assert_int_equal(cursor.frame->kind, FRAME_STATUS);
	feed_done(&cursor);
	assert_false(feed_take(&feed, &cursor, &lost));
	feed_free(&feed);
}

static void test_large_frames_are_forgotten_early(void **state)
{
	struct feed_cursor cursor;
	struct bounds bounds;
	struct feed feed;
	uint64_t lost;

	(void)state;
	bounds_init(&bounds);
	bounds.row[BOUND_FEED_BYTES].limit = 20;
	assert_int_equal(feed_init(&feed, &bounds), 0);
	publish(&feed, FRAME_SNAPSHOT, "{\"seq\":1, \"x\":1}", 1);
	publish(&feed, FRAME_SNAPSHOT, "{\"seq\":2, \"x\":1}", 2);
	assert_int_equal(feed.next - feed.first, 1);
	assert_int_equal(bounds.row[BOUND_FEED_BYTES].hits, 1);
	/* Also one that alone is more, and it survives what is small. */
	publish(&feed, FRAME_SNAPSHOT, "{\"seq\":3, \"x\":\"123456789012345678901234567890\"}", 3);
	publish(&feed, FRAME_STATUS, NULL, 0);
	feed_join(&feed, &cursor);
	assert_true(feed_take(&feed, &cursor, &lost));
	assert_int_equal(taken_id(&cursor), 3);
	feed_leave(&cursor);
	feed_free(&feed);
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
		cmocka_unit_test(test_framings),
		cmocka_unit_test(test_late_clients_lose_nothing),
		cmocka_unit_test(test_stalled_clients_get_the_latest),
		cmocka_unit_test(test_joining_a_stale_feed),
		cmocka_unit_test(test_large_frames_are_forgotten_early),
		cmocka_unit_test(test_connections_per_address),
		cmocka_unit_test(test_idle_connections_make_room),
		cmocka_unit_test(test_slow_requests_end),
		cmocka_unit_test(test_limits_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
