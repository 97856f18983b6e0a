// SPDX-License-Identifier: MIT
/* WebSocket frames: what RFC 6455 asks of a server, cut off at every length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "httpd/accept_key.h"
#include "httpd/websocket.h"

#define FRAME_ROOM (WEBSOCKET_FRAME_MAX + 8)

static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };

/* A client's frame; first is its whole first byte. */
static size_t client_frame(uint8_t *frame, int first, const void *payload, size_t length)
{
	size_t head = websocket_head(0, length, frame);

	frame[0] = (uint8_t)first;
	frame[1] |= 0x80;
	memcpy(frame + head, mask, sizeof(mask));
	for (size_t i = 0; i < length; i++)
		frame[head + 4 + i] = ((const uint8_t *)payload)[i] ^ mask[i % 4];
	return head + 4 + length;
}

/* Gives the frame in a block of just its size, so that reading past it is seen. */
static struct websocket_result take(struct websocket_input *input, const uint8_t *frame,
				    size_t size, uint8_t **ret_copy)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct websocket_result result;

	assert_non_null(copy);
	memcpy(copy, frame, size);
	result = websocket_take(input, copy, size);
	assert_true(result.used <= size);
	*ret_copy = copy;
	return result;
}

static struct websocket_result take_one(struct websocket_input *input, int first,
					const void *payload, size_t length)
{
	uint8_t *frame = malloc(length + 16), *copy;
	struct websocket_result result;
	size_t size;

	assert_non_null(frame);
	size = client_frame(frame, first, payload, length);
	for (size_t cut = 0; cut < size; cut++) {
		struct websocket_input before = *input;

		result = take(&before, frame, cut, &copy);
		free(copy);
		/* What cannot become good may be refused early, but never taken early. */
		assert_true(result.event == WEBSOCKET_MORE || result.event == WEBSOCKET_FAILED);
		if (result.event == WEBSOCKET_FAILED)
			break;
	}
	result = take(input, frame, size, &copy);
	free(copy);
	free(frame);
	return result;
}

static void test_example_of_the_rfc(void **state)
{
	/* Section 5.7: a single-frame masked text message, "Hello". */
	uint8_t frame[] = { 0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58 };
	struct websocket_input input = { 0 };
	struct websocket_result result = websocket_take(&input, frame, sizeof(frame));

	(void)state;
	assert_int_equal(result.event, WEBSOCKET_GOT_TEXT);
	assert_int_equal(result.used, sizeof(frame));
	assert_int_equal(result.length, 5);
	assert_memory_equal(result.payload, "Hello", 5);
}

static void test_heads(void **state)
{
	static const struct {
		size_t length;
		size_t size;
		uint8_t head[10];
	} rows[] = {
		{ 0, 2, { 0x81, 0 } },
		{ 125, 2, { 0x81, 125 } },
		{ 126, 4, { 0x81, 126, 0, 126 } },
		{ 65535, 4, { 0x81, 126, 0xff, 0xff } },
		{ 65536, 10, { 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0 } },
	};
	uint8_t head[WEBSOCKET_HEAD_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(websocket_head(WEBSOCKET_TEXT, rows[i].length, head), rows[i].size);
		assert_memory_equal(head, rows[i].head, rows[i].size);
	}
}

static void test_messages(void **state)
{
	struct websocket_input *input = calloc(1, sizeof(*input));
	char *text = malloc(LIMIT_MESSAGE_BYTES + 1);
	struct websocket_result result;
	static const size_t lengths[] = { 0, 1, 125, 126, 127, 4095, LIMIT_MESSAGE_BYTES };

	(void)state;
	assert_non_null(input);
	assert_non_null(text);
	memset(text, 'x', LIMIT_MESSAGE_BYTES + 1);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		result = take_one(input, 0x81, text, lengths[i]);
		assert_int_equal(result.event, WEBSOCKET_GOT_TEXT);
		assert_int_equal(result.length, lengths[i]);
	}
	result = take_one(input, 0x81, text, LIMIT_MESSAGE_BYTES + 1);
	assert_int_equal(result.event, WEBSOCKET_FAILED);
	assert_int_equal(result.code, WEBSOCKET_TOO_BIG);
	free(text);
	free(input);
}

static void test_fragments(void **state)
{
	struct websocket_input input = { 0 };
	struct websocket_result result;

	(void)state;
	assert_int_equal(take_one(&input, 0x01, "gr\xc3", 3).event, WEBSOCKET_NOTHING);
	/* Control frames may come in between. */
	result = take_one(&input, 0x89, "ping", 4);
	assert_int_equal(result.event, WEBSOCKET_GOT_PING);
	assert_int_equal(result.length, 4);
	assert_int_equal(take_one(&input, 0x00, "", 0).event, WEBSOCKET_NOTHING);
	/* A character may be split by the border of a fragment. */
	result = take_one(&input, 0x80, "\xbc\xc3\x9f", 3);
	assert_int_equal(result.event, WEBSOCKET_GOT_TEXT);
	assert_int_equal(result.length, 6);
	assert_memory_equal(result.payload, "gr\xc3\xbc\xc3\x9f", 6);
	assert_false(input.fragmented);
}

static void test_fragments_add_up(void **state)
{
	struct websocket_input input = { 0 };
	char half[LIMIT_MESSAGE_BYTES / 2];
	struct websocket_result result;

	(void)state;
	memset(half, 'x', sizeof(half));
	assert_int_equal(take_one(&input, 0x01, half, sizeof(half)).event, WEBSOCKET_NOTHING);
	assert_int_equal(take_one(&input, 0x00, half, sizeof(half)).event, WEBSOCKET_NOTHING);
	result = take_one(&input, 0x80, "x", 1);
	assert_int_equal(result.event, WEBSOCKET_FAILED);
	assert_int_equal(result.code, WEBSOCKET_TOO_BIG);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *name;
		unsigned int code;
		size_t size;
		uint8_t frame[16];
	} rows[] = {
		{ "not masked", 1002, 7, { 0x81, 5, 'h', 'e', 'l', 'l', 'o' } },
		{ "reserved bit 1", 1002, 6, { 0xc1, 0x80 } },
		{ "reserved bit 3", 1002, 6, { 0x91, 0x80 } },
		{ "reserved opcode 3", 1002, 6, { 0x83, 0x80 } },
		{ "reserved opcode 11", 1002, 6, { 0x8b, 0x80 } },
		{ "fragmented ping", 1002, 6, { 0x09, 0x80 } },
		{ "ping of 126 bytes", 1002, 8, { 0x89, 0xfe, 0, 126 } },
		{ "continuation of nothing", 1002, 6, { 0x80, 0x80 } },
		{ "125 in two bytes", 1002, 8, { 0x81, 0xfe, 0, 125 } },
		{ "65535 in eight bytes", 1002, 14, { 0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff } },
		{ "negative length", 1002, 14, { 0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0 } },
		{ "announced giant", 1009, 10,
		  { 0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		{ "binary", 1003, 7, { 0x82, 0x81, 0, 0, 0, 0, 1 } },
		{ "close of one byte", 1002, 7, { 0x88, 0x81, 0, 0, 0, 0, 3 } },
		{ "close 1005", 1002, 8, { 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xed } },
		{ "close 999", 1002, 8, { 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe7 } },
		{ "close 5000", 1002, 8, { 0x88, 0x82, 0, 0, 0, 0, 0x13, 0x88 } },
		{ "close with bad text", 1007, 9, { 0x88, 0x83, 0, 0, 0, 0, 0x03, 0xe8, 0xff } },
		{ "text that is not UTF-8", 1007, 8, { 0x81, 0x82, 0, 0, 0, 0, 0xc0, 0x80 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct websocket_input input = { 0 };
		struct websocket_result result;
		uint8_t *copy;

		result = take(&input, rows[i].frame, rows[i].size, &copy);
		free(copy);
		if (result.event != WEBSOCKET_FAILED || result.code != rows[i].code)
			fail_msg("%s: event %d, code %u", rows[i].name, result.event, result.code);
	}
}

static void test_text_inside_text(void **state)
{
	struct websocket_input input = { 0 };

	(void)state;
	assert_int_equal(take_one(&input, 0x01, "a", 1).event, WEBSOCKET_NOTHING);
	assert_int_equal(take_one(&input, 0x81, "b", 1).code, WEBSOCKET_PROTOCOL_ERROR);
}

static void test_close(void **state)
{
	struct websocket_input input = { 0 };
	struct websocket_result result;
	uint8_t frame[4];

	(void)state;
	result = take_one(&input, 0x88, "", 0);
	assert_int_equal(result.event, WEBSOCKET_GOT_CLOSE);
	assert_int_equal(result.code, WEBSOCKET_NO_CODE);
	result = take_one(&input, 0x88, "\x03\xe8" "bye", 5);
	assert_int_equal(result.event, WEBSOCKET_GOT_CLOSE);
	assert_int_equal(result.code, WEBSOCKET_NORMAL);
	result = take_one(&input, 0x88, "\x0f\xa0", 2);
	assert_int_equal(result.event, WEBSOCKET_GOT_CLOSE);
	assert_int_equal(result.code, 4000);
	assert_int_equal(websocket_close(WEBSOCKET_GOING_AWAY, frame), 4);
	assert_memory_equal(frame, "\x88\x02\x03\xe9", 4);
}

static void test_two_in_one_read(void **state)
{
	struct websocket_input input = { 0 };
	struct websocket_result result;
	uint8_t frames[64];
	size_t first = client_frame(frames, 0x81, "one", 3);
	size_t size = first + client_frame(frames + first, 0x8a, "two", 3);

	(void)state;
	result = websocket_take(&input, frames, size);
	assert_int_equal(result.event, WEBSOCKET_GOT_TEXT);
	assert_int_equal(result.used, first);
	result = websocket_take(&input, frames + first, size - first);
	assert_int_equal(result.event, WEBSOCKET_GOT_PONG);
	assert_int_equal(result.used, size - first);
}

/* What goes out from every offset on, and its frames as a client takes them (section 5.4). */
static void check_message(const char *text, size_t length)
{
	struct websocket_message message;
	struct iovec parts[WEBSOCKET_PARTS_MAX];
	uint8_t *wire;
	size_t at = 0, got = 0, count, sent = 0;

	websocket_message_init(&message, text, length);
	wire = malloc(message.length);
	assert_non_null(wire);
	while (sent < message.length) {
		count = websocket_message_rest(&message, sent, false, parts);
		assert_in_range(count, 1, WEBSOCKET_PARTS_MAX);
		for (size_t i = 0; i < count; i++) {
			assert_true(sent + parts[i].iov_len <= message.length);
			memcpy(wire + sent, parts[i].iov_base, parts[i].iov_len);
			sent += parts[i].iov_len;
		}
	}
	while (at < message.length) {
		size_t head = 2, payload = wire[at + 1];
		bool last;

		assert_true(websocket_is_between(at));
		if (payload == 126) {
			payload = (size_t)(wire[at + 2] << 8 | wire[at + 3]);
			assert_true(payload > 125);
			head = 4;
		}
		last = at + head + payload == message.length;
		assert_true(wire[at + 1] != 127 && head + payload <= WEBSOCKET_FRAGMENT_BYTES);
		assert_int_equal(wire[at], (at ? 0 : WEBSOCKET_TEXT) | (last ? 0x80 : 0));
		assert_memory_equal(wire + at + head, text + got, payload);
		got += payload;
		at += head + payload;
	}
	assert_int_equal(at, message.length);
	assert_int_equal(got, length);
	free(wire);
}

static void test_messages_to_clients(void **state)
{
	static const size_t lengths[] = { 0, 1, 125, 126, 65531, 65532, 65533, 65534, 65535, 65536,
					  131063, 131064, 131065, 131190, 131191, 2000000 };
	char *text = malloc(2000000);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < 2000000; i++)
		text[i] = (char)('a' + i % 23);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		check_message(text, lengths[i]);
	free(text);
}

/* From any offset: the same bytes, and with one no further than the frame that it is in. */
static void test_message_from_the_middle(void **state)
{
	static const size_t offsets[] = { 0, 1, 3, 4, 5, 65535, 65536, 65537, 65540, 131071, 131072,
					  131073, 131074, 131075, 131076 };
	struct iovec all[WEBSOCKET_PARTS_MAX], parts[WEBSOCKET_PARTS_MAX];
	struct websocket_message message;
	char *text = calloc(1, 140000);
	size_t count, length;

	(void)state;
	assert_non_null(text);
	websocket_message_init(&message, text, 131064 + 100);
	assert_int_equal(message.length, 131072 + 102);
	assert_int_equal(websocket_message_rest(&message, 0, false, all), 6);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
		for (int one = 0; one < 2; one++) {
			size_t frame = offsets[i] / WEBSOCKET_FRAGMENT_BYTES;
			size_t end = one && frame < 2 ? (frame + 1) * WEBSOCKET_FRAGMENT_BYTES
						      : message.length;

			count = websocket_message_rest(&message, offsets[i], one, parts);
			length = 0;
			for (size_t n = 0; n < count; n++)
				length += parts[n].iov_len;
			assert_int_equal(length, end - offsets[i]);
			assert_true(count <= 6 - 2 * frame);
		}
	}
	assert_int_equal(websocket_message_rest(&message, message.length, false, parts), 0);
	free(text);
}

static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "", true }, { "abc", true }, { "\xc2\x80", true }, { "\xdf\xbf", true },
		{ "\xe0\xa0\x80", true }, { "\xed\x9f\xbf", true }, { "\xee\x80\x80", true },
		{ "\xef\xbf\xbf", true }, { "\xf0\x90\x80\x80", true }, { "\xf4\x8f\xbf\xbf", true },
		{ "\x80", false }, { "\xc0\xaf", false }, { "\xc1\xbf", false }, { "\xc2", false },
		{ "\xc2" "a", false }, { "\xe0\x9f\xbf", false }, { "\xed\xa0\x80", false },
		{ "\xe2\x82", false }, { "\xf0\x8f\xbf\xbf", false }, { "\xf4\x90\x80\x80", false },
		{ "\xf5\x80\x80\x80", false }, { "\xff", false }, { "a\xf0\x9f\x98", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (websocket_is_utf8((const uint8_t *)rows[i].text, strlen(rows[i].text)) != rows[i].good)
			fail_msg("row %zu", i);
}

static void test_accept_key(void **state)
{
	static const char *const bad[] = {
		"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZTEy",
		"dGhlIHNhbXBsZSBub25j!Q==", "AAAA",
	};
	char accept[ACCEPT_KEY_SIZE];

	(void)state;
	/* Section 1.3. */
	assert_int_equal(accept_key("dGhlIHNhbXBsZSBub25jZQ==", accept), 0);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_true(accept_key(bad[i], accept) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_of_the_rfc),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_fragments_add_up),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_text_inside_text),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_two_in_one_read),
		cmocka_unit_test(test_messages_to_clients),
		cmocka_unit_test(test_message_from_the_middle),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_accept_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
