// SPDX-License-Identifier: MIT
/* top without a terminal: texts, units, rows in order, filters, drilling, cells, lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "top/compose.h"
#include "top/feed.h"
#include "top/keys.h"
#include "top/model.h"
#include "top/sse.h"
#include "top/text.h"
#include "top/units.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int setup(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

/* ---- text ---- */

static void test_text(void **state)
{
	static const struct {
		const char *from, *to;
		int width;
	} rows[] = {
		{ "plain ~", "plain ~", 7 },
		{ "", "", 0 },
		{ "\x1b[31m\t\x7f", "\\x1b[31m\\x09\\x7f", 16 },
		{ "a\xe2\x80\xae" "b", "a\\u202eb", 8 },		/* right-to-left override */
		{ "\xe2\x81\xa6\xe2\x80\x8b\xc2\xad", "\\u2066\\u200b\\u00ad", 18 },
		{ "\xc2\x9b" "31m", "\\u009b31m", 9 },			/* CSI of one character */
		{ "e\xcc\x81", "e\\u0301", 7 },
		{ "\xf3\xa0\x80\x81", "\\U000e0001", 10 },
		{ "\xe6\xbc\xa2\xe5\xad\x97", "\xe6\xbc\xa2\xe5\xad\x97", 4 },
		{ "caf\xc3\xa9", "caf\xc3\xa9", 4 },
		{ "\xff\xc3", "\\xff\\xc3", 8 },
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t length = text_clean(rows[i].from, strlen(rows[i].from), text, sizeof(text));

		assert_string_equal(text, rows[i].to);
		assert_int_equal(length, strlen(rows[i].to));
		assert_int_equal(text_width(text), rows[i].width);
	}
	assert_int_equal(text_clean("a\0b", 3, text, sizeof(text)), 6);
	assert_string_equal(text, "a\\x00b");
	/* What does not fit is left out whole. */
	assert_int_equal(text_clean("ab\x01", 3, text, 6), 2);
	assert_int_equal(text_clean("\xe6\xbc\xa2", 3, text, 3), 0);
}

static void test_text_without_utf8(void **state)
{
	char text[32];

	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C"));
	text_clean("caf\xc3\xa9", 5, text, sizeof(text));
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	assert_string_equal(text, "caf\\u00e9");
}

static void test_units(void **state)
{
	static const struct {
		double value;
		const char *count, *size;
	} rows[] = {
		{ -1, "0", "0B" }, { 0, "0", "0B" }, { 999, "999", "999B" }, { 999.4, "999", "999B" },
		{ 999.5, "1.00k", "1.00kB" }, { 1000, "1.00k", "1.00kB" }, { 9994, "9.99k", "9.99kB" },
		{ 9995, "10.0k", "10.0kB" }, { 99950, "100k", "100kB" }, { 999499, "999k", "999kB" },
		{ 999500, "1.00M", "1.00MB" }, { 9007199254740992.0, "9.01P", "9.01PB" },
		{ 1e30, "1000000000000E", "1000000000000EB" },
	};
	char text[UNITS_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		units_count(rows[i].value, text, sizeof(text));
		assert_string_equal(text, rows[i].count);
		units_size(rows[i].value, text, sizeof(text));
		assert_string_equal(text, rows[i].size);
	}
	units_rate(8000, false, text, sizeof(text));
	assert_string_equal(text, "8.00kb/s");
	units_rate(8000, true, text, sizeof(text));
	assert_string_equal(text, "1.00kB/s");
}

static void test_times(void **state)
{
	static const struct {
		double value;
		const char *duration, *microseconds;
	} rows[] = {
		{ 0, "0ms", "0us" }, { 999, "999ms", "999us" }, { 1000, "1.0s", "1.00ms" },
		{ 59949, "59.9s", "59.9ms" }, { 60000, "1m00", "60.0ms" }, { 3599999, "59m59", "3.60s" },
		{ 3600000, "1h00", "3.60s" }, { 86399999, "23h59", "86.4s" }, { 86400000, "1d", "86.4s" },
	};
	char text[UNITS_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		units_duration(rows[i].value, text, sizeof(text));
		assert_string_equal(text, rows[i].duration);
		units_microseconds(rows[i].value, text, sizeof(text));
		assert_string_equal(text, rows[i].microseconds);
	}
}

/* ---- model ---- */

#define PROCESS(pid, name, rx, tx)                                                                   \
	"{\"host\":\"h\",\"pid\":" #pid ",\"command\":" name ",\"rx_bps\":" #rx ",\"tx_bps\":" #tx     \
	",\"remotes\":[{\"proto\":\"TCP\",\"remote_ip\":\"10.0.0." #pid "\",\"remote_port\":443}]}"
#define FLOW(ip, port)                                                                               \
	"{\"proto\":\"TCP\",\"src_ip\":\"1.1.1.1\",\"src_port\":" #port ",\"dst_ip\":\"10.0.0." #ip    \
	"\",\"dst_port\":443,\"bps\":" #port "}"
#define SNAPSHOT(rows, flows)                                                                        \
	"{\"type\":\"snapshot\",\"hosts\":[\"h\"],\"processes\":[" rows "],\"flows\":[" flows "]}"

static void take(struct model *model, const char *text)
{
	assert_int_equal(model_take(model, json_loads(text, 0, NULL)), 0);
}

/* The pids of the rows, one behind the other. */
static const char *pids(const struct model *model)
{
	static char text[128];
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < model->n_rows; i++)
		length += (size_t)sprintf(text + length, "%lld ", json_integer_value(json_object_get(
							  model->rows[i], "pid")));
	return text;
}

static void press(struct model *model, int key)
{
	keys_press(model, key);
	assert_false(model->over);
	assert_int_equal(model_update(model), 0);
}

static const char three[] = SNAPSHOT(PROCESS(1, "\"b\"", 10, 9) "," PROCESS(2, "null", 30, 0) ","
				     PROCESS(3, "\"a\"", 20, 0), FLOW(1, 50) "," FLOW(2, 60) "," FLOW(2, 70));

static void test_order(void **state)
{
	struct model model;

	(void)state;
	model_init(&model, VIEW_PROCESSES);
	assert_int_equal(model_update(&model), 0);	/* before there is a snapshot */
	press(&model, KEYS_ENTER);
	press(&model, KEYS_END);
	take(&model, three);
	assert_string_equal(pids(&model), "2 3 1 ");
	press(&model, 'r');
	assert_string_equal(pids(&model), "1 3 2 ");
	press(&model, 's');	/* by what is sent; equal ones as they came */
	assert_string_equal(pids(&model), "1 2 3 ");
	press(&model, 'S');
	press(&model, 'S');
	press(&model, 'S');	/* by name; there is none for bars */
	assert_string_equal(pids(&model), "2 3 1 ");
	press(&model, 'S');
	press(&model, 'S');	/* as they come */
	assert_string_equal(pids(&model), "1 2 3 ");
	/* All the way round there is every order once. */
	for (int i = 0; i < 10; i++)
		press(&model, 's');
	assert_int_equal(model.orders[VIEW_PROCESSES].column, -1);
	press(&model, 'S');
	assert_int_equal(model.orders[VIEW_PROCESSES].column, 9);
	model_free(&model);
}

static void test_selection_follows(void **state)
{
	struct model model;

	(void)state;
	model_init(&model, VIEW_PROCESSES);
	take(&model, three);
	press(&model, KEYS_DOWN);
	assert_int_equal(model_place(&model)->index, 1);	/* pid 3 */
	take(&model, SNAPSHOT(PROCESS(1, "\"b\"", 10, 0) "," PROCESS(3, "\"a\"", 99, 0), ""));
	assert_int_equal(model_place(&model)->index, 0);
	take(&model, SNAPSHOT(PROCESS(1, "\"b\"", 10, 0), ""));
	assert_int_equal(model_place(&model)->index, 0);
	take(&model, SNAPSHOT("", ""));
	press(&model, KEYS_DOWN);
	press(&model, KEYS_ENTER);
	assert_int_equal(model.depth, 1);
	model_free(&model);
}

static void test_filter(void **state)
{
	struct model model;

	(void)state;
	model_init(&model, VIEW_PROCESSES);
	take(&model, three);
	press(&model, '/');
	press(&model, 'A');
	assert_string_equal(pids(&model), "3 ");
	press(&model, KEYS_ESCAPE);
	assert_string_equal(pids(&model), "2 3 1 ");
	press(&model, '/');
	press(&model, '!');
	press(&model, 'a');
	press(&model, 'q');
	press(&model, KEYS_BACKSPACE);
	press(&model, KEYS_ENTER);
	assert_string_equal(pids(&model), "2 1 ");
	assert_int_equal(model.n_unfiltered, 3);
	for (int i = 0; i < 2 * MODEL_FILTER; i++)
		press(&model, i ? 'x' : '/');
	assert_int_equal(strlen(model_place(&model)->filter), MODEL_FILTER - 1);
	/* What has no room is left out whole, and goes whole. */
	press(&model, KEYS_BACKSPACE);
	press(&model, 0xe9);
	assert_int_equal(strlen(model_place(&model)->filter), MODEL_FILTER - 2);
	press(&model, KEYS_BACKSPACE);
	press(&model, 0xe9);
	assert_string_equal(model_place(&model)->filter + MODEL_FILTER - 4, "x\xc3\xa9");
	press(&model, KEYS_BACKSPACE);
	press(&model, 0x1f600);
	press(&model, KEYS_BACKSPACE);
	assert_int_equal(strlen(model_place(&model)->filter), MODEL_FILTER - 4);
	model_free(&model);
}

static void test_drill(void **state)
{
	struct model model;

	(void)state;
	model_init(&model, VIEW_PROCESSES);
	take(&model, three);
	press(&model, KEYS_ENTER);
	assert_int_equal(model_place(&model)->view, VIEW_PROCESS_REMOTES);
	assert_int_equal(model.n_rows, 1);
	press(&model, KEYS_ENTER);
	assert_int_equal(model_place(&model)->view, VIEW_FLOWS);
	assert_int_equal(model.n_rows, 2);
	press(&model, KEYS_ENTER);
	assert_int_equal(json_integer_value(json_object_get(model_details(&model), "src_port")), 70);
	assert_false(model.gone);
	take(&model, SNAPSHOT("", ""));
	assert_true(model.gone);
	assert_int_equal(json_integer_value(json_object_get(model_details(&model), "src_port")), 70);
	press(&model, KEYS_ESCAPE);
	assert_int_equal(model.n_rows, 0);
	press(&model, KEYS_ESCAPE);
	press(&model, KEYS_ESCAPE);
	press(&model, KEYS_ESCAPE);
	assert_int_equal(model.depth, 1);
	model_free(&model);
}

static void test_frozen(void **state)
{
	struct model model;

	(void)state;
	model_init(&model, VIEW_PROCESSES);
	take(&model, three);
	press(&model, 'f');
	take(&model, SNAPSHOT(PROCESS(7, "\"n\"", 999, 0) "," PROCESS(1, "\"b\"", 99, 0) ","
			      PROCESS(2, "null", 1, 0) "," PROCESS(3, "\"a\"", 2, 0), ""));
	assert_string_equal(pids(&model), "2 3 1 7 ");
	press(&model, 'f');
	assert_string_equal(pids(&model), "7 1 3 2 ");
	model_free(&model);
}

/* Whatever is not as the aggregator writes it: no crash, no row. */
static void test_foreign(void **state)
{
	static const char *const texts[] = {
		"{\"type\":\"snapshot\"}",
		"{\"type\":\"snapshot\",\"processes\":{},\"hosts\":3,\"losses\":[],\"history\":7,\"rates\":null}",
		"{\"type\":\"snapshot\",\"processes\":[1,null,[],\"x\",{}],\"history\":{\"ingress_bytes\":[\"x\",{}]}}",
		"{\"type\":\"snapshot\",\"processes\":[{\"pid\":[],\"command\":{},\"rx_bps\":\"x\",\"tx_bps\":1e308,"
		"\"remotes\":[5]}],\"timestamp\":1e300,\"interval_ms\":-5}",
	};
	struct frame frame = { 0 };
	struct feed_facts facts = { 0 };
	struct model model;

	(void)state;
	model_init(&model, VIEW_PROCESSES);
	take(&model, "[]");
	for (size_t i = 0; i < COUNT(texts); i++) {
		take(&model, texts[i]);
		for (int key = '1'; key <= '9'; key++) {
			press(&model, key);
			press(&model, KEYS_ENTER);
			assert_int_equal(frame_init(&frame, 60, 200), 0);
			compose_screen(&frame, &model, &facts);
		}
	}
	frame_free(&frame);
	model_free(&model);
}

/* ---- the picture ---- */

static void test_cells(void **state)
{
	struct frame frame = { 0 };
	char line[64];

	(void)state;
	assert_int_equal(frame_init(&frame, 1, 8), 0);
	assert_int_equal(frame_put(&frame, 0, 0, 4, STYLE_PLAIN, "abcdef"), 4);
	frame_put_right(&frame, 0, 4, 4, STYLE_PLAIN, "x");
	frame_line(&frame, 0, line, sizeof(line));
	assert_string_equal(line, "abc~   x");
	/* Half of a wide character is none. */
	frame_init(&frame, 1, 8);
	assert_int_equal(frame_put(&frame, 0, 0, 4, STYLE_PLAIN, "a\xe6\xbc\xa2\xe5\xad\x97"), 4);
	frame_line(&frame, 0, line, sizeof(line));
	assert_string_equal(line, "a\xe6\xbc\xa2~");
	frame_put(&frame, 0, 2, 1, STYLE_PLAIN, "b");
	frame_line(&frame, 0, line, sizeof(line));
	assert_string_equal(line, "a b~");
	frame_put(&frame, 0, 0, 8, STYLE_PLAIN, "a\xe6\xbc\xa2");
	frame_put(&frame, 0, 1, 1, STYLE_PLAIN, "b");
	frame_line(&frame, 0, line, sizeof(line));
	assert_string_equal(line, "ab ~");
	assert_int_equal(frame_put(&frame, 0, 20, 4, STYLE_PLAIN, "x"), 0);
	assert_int_equal(frame_put(&frame, 5, 0, 4, STYLE_PLAIN, "x"), 1);
	frame_free(&frame);
}

/* In any size: nothing outside of the picture (the sanitizers look), the foot in the last line. */
static void test_sizes(void **state)
{
	struct frame frame = { 0 };
	struct feed_facts facts = { .ended = true, .trouble = "trouble", .unread = 3 };
	struct model model;
	char line[FRAME_COLUMNS_MAX * 5];

	(void)state;
	model_init(&model, VIEW_PROCESSES);
	for (int with = 0; with < 2; with++) {
		if (with)
			take(&model, three);
		for (int rows = 1; rows < 64; rows++)
			for (int columns = 1; columns < 220; columns += 7) {
				assert_int_equal(frame_init(&frame, rows, columns), 0);
				compose_screen(&frame, &model, &facts);
				frame_line(&frame, rows - 1, line, sizeof(line));
				if (rows > 2 && columns > 80)
					assert_non_null(strstr(line, "? help"));
			}
	}
	frame_free(&frame);
	model_free(&model);
}

static void test_help_lists_every_key(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct keys_help *help; (help = keys_help_row(n)); n++)
		assert_true(help->what[0]);
	assert_true(n > 10);
}

/* ---- lines ---- */

static void test_feed(void **state)
{
	static const char lines[] = "{\"type\":\"hello\",\"tool\":\"snapshot\"}\n"
				    "{\"type\":\"snapshot\",\"seq\":1}\nnot json\n"
				    "{ \"seq\" : 2 , \"type\" : \"snapshot\" }\n"
				    "{\"type\":\"recorder\",\"why\":\"full\"}\n"
				    "{\"type\":\"status\",\"stale\":true}\n"
				    "{\"type\":\"snapshot\",\"seq\":3}";
	struct feed feed;
	const char *line;
	size_t length, seq = 0;
	bool stale = false;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	feed_init(&feed, fds[0]);
	/* A byte at a time: what is not whole is no line. */
	for (size_t i = 0; i < sizeof(lines); i++) {
		if (i < sizeof(lines) - 1)
			assert_int_equal(write(fds[1], lines + i, 1), 1);
		else
			close(fds[1]);
		assert_int_equal(feed_fill(&feed), 0);
		stale |= feed.connect[0] != '\0';
		while ((line = feed_next(&feed, &length))) {
			json_t *value = feed_parse(&feed, line, length);

			assert_string_equal(feed.connect, "");
			assert_int_equal(json_integer_value(json_object_get(value, "seq")), ++seq);
			json_decref(value);
		}
	}
	assert_int_equal(seq, 3);
	assert_true(feed.ended);
	assert_true(stale);
	assert_int_equal(feed.unread, 0);
	assert_null(feed_parse(&feed, "{\"type\":\"flow\"}", 15));
	assert_null(feed_parse(&feed, "[]", 2));
	assert_int_equal(feed.unread, 2);
	assert_string_equal(feed.recorder, "recorder: full");
	assert_null(feed_next(&feed, &length));
	feed_free(&feed);
	close(fds[0]);
}

static void test_sse(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{ "data: {}\n\n", "{} \n" },
		{ "event: snapshot\nid: 1\ndata:{\"a\":\ndata: 1}\n\n", "{\"a\": 1} \n" },
		{ ": ping\n\n\n", "" },
		{ "retry: 1\r\n\r\ndata: x\r\n\r\n", "x \n" },
		{ "data: x\r\r", "x \n" },
		{ "datax: y\ndat: y\ndata\n\ndata:  z\n\n", " z \n" },
		{ "data: open", "open" },
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t step = 1; step < 9; step++) {
			struct sse sse = { 0 };
			size_t n = 0, length = strlen(rows[i].from);

			for (size_t at = 0; at < length; at += step)
				n += sse_lines(&sse, rows[i].from + at, length - at < step ? length - at : step,
					       text + n);
			text[n] = '\0';
			assert_string_equal(text, rows[i].to);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_without_utf8),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_selection_follows),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_drill),
		cmocka_unit_test(test_frozen),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_help_lists_every_key),
		cmocka_unit_test(test_feed),
		cmocka_unit_test(test_sse),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
