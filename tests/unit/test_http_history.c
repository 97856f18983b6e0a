// SPDX-License-Identifier: MIT
/* The last hour against a naive model: all snapshots are kept, and added up anew for each question. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/percentile.h"
#include "httpd/history.h"
#include "httpd/history_answer.h"
#include "httpd/shot.h"

#define T0 1763704000000LL
#define MOMENTS 6000
#define PROCESSES 24	/* that there are; snapshots show fewer */
#define SHOWN 10
#define PROTOCOLS 3
#define BUCKETS 4

static const char *const protocols[PROTOCOLS] = { "TCP", "UDP", "0x88cc" };
static const uint32_t buckets[BUCKETS] = { 3, 40, 300, 735 };

/* What happened in one interval. */
struct moment {
	bool counts;		/* the snapshot tells of its interval */
	int64_t middle_ms, covered_ms;
	uint64_t rate[4];
	uint64_t protocol[PROTOCOLS][2];
	uint64_t process[PROCESSES][4], told[PROCESSES][4];	/* told: rows that tell it */
	uint64_t samples[BUCKETS];
	uint64_t drops[2];	/* with a reason, without one */
};

struct fixture {
	struct bounds bounds;
	struct history history;
	struct history_source source;
	struct moment *moment;
	size_t moments;
	unsigned int seed;
	bool exact;		/* snapshots have "interval" */
	int64_t now_ms, last_ms, seq;
	bool shown[PROCESSES], shown_before[PROCESSES], any_before;
	struct moment sum;	/* since the aggregator began */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	bounds_init(&f->bounds);
	history_init(&f->history, &f->bounds);
	f->source = history_memory(&f->history);
	f->moment = calloc(MOMENTS, sizeof(*f->moment));
	assert_non_null(f->moment);
	f->now_ms = T0;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	history_free(&f->history);
	assert_int_equal(f->history.keys.count, 0);
	assert_int_equal(f->history.keys.bytes, 0);
	free(f->moment);
	free(f);
	return 0;
}

static unsigned int any(struct fixture *f, unsigned int below)
{
	f->seed = f->seed * 1103515245 + 12345;
	return (f->seed >> 8) % below;
}

/* ---- snapshots ------------------------------------------------------------- */

static void take_text(struct fixture *f, const char *text)
{
	struct shot *shot;

	assert_int_equal(shot_parse((struct slice){ text, strlen(text) }, &shot), SHOT_SNAPSHOT);
	history_take(&f->history, shot);
	shot_unref(shot);
}

static void take_json(struct fixture *f, json_t *root)
{
	char *text = json_dumps(root, JSON_COMPACT);

	assert_non_null(text);
	take_text(f, text);
	free(text);
	json_decref(root);
}

static void set(json_t *object, const char *key, uint64_t value)
{
	assert_int_equal(json_object_set_new(object, key, json_integer((json_int_t)value)), 0);
}

static const char *const rate_names[4] = {
	"ingress_bytes", "egress_bytes", "ingress_packets", "egress_packets",
};
static const char *const moved_names[4] = { "tx_bytes", "rx_bytes", "tx_calls", "rx_calls" };

/* A member for each name: of the sum, or with a prefix of the interval. */
static void set_values(json_t *object, const char *prefix, const char *const *names, int count,
		       const uint64_t *value)
{
	char key[64];

	for (int i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "%s%s", prefix, names[i]);
		set(object, key, value[i]);
	}
}

static json_t *protocol_rows(const struct fixture *f, const struct moment *moment)
{
	static const char *const names[] = { "bytes", "packets" };
	json_t *rows = json_array();

	for (int i = 0; i < PROTOCOLS; i++) {
		json_t *row = json_pack("{s:s}", "proto", protocols[i]);

		if (!f->sum.protocol[i][1]) {
			json_decref(row);
			continue;
		}
		set_values(row, "", names, 2, f->sum.protocol[i]);
		if (f->exact)
			set_values(row, "interval_", names, 2, moment->protocol[i]);
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *process_rows(const struct fixture *f, const struct moment *moment, bool remotes)
{
	json_t *rows = json_array();
	int values = remotes ? 2 : 4;
	char text[32];

	for (int i = 0; i < PROCESSES; i++) {
		json_t *row;

		if (!f->shown[i])
			continue;
		snprintf(text, sizeof(text), remotes ? "10.0.0.%d" : "name%d", i);
		row = remotes ? json_pack("{s:s, s:s}", "host", "h", "remote_ip", text) :
		      json_pack("{s:s, s:i, s:s}", "host", "h", "pid", i + 1, "command", text);
		set_values(row, "", moved_names, values, f->sum.process[i]);
		if (f->exact)
			set_values(row, "interval_", moved_names, values, moment->process[i]);
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *latency_rows(const struct moment *moment)
{
	json_t *pairs = json_array();

	for (int i = 0; i < BUCKETS; i++)
		if (moment->samples[i])
			json_array_append_new(pairs, json_pack("[i, I]", (int)latency_bucket_upper_us(buckets[i]),
							       (json_int_t)moment->samples[i]));
	return json_pack("[{s:s, s:s, s:s, s:n, s:o}, {s:s, s:s, s:s, s:s, s:[]}]", "host", "h", "name",
			 "tcp_rtt", "unit", "us", "network", "buckets", pairs, "host", "h", "name",
			 "tcp_rtt", "unit", "us", "network", "10.0.0.0/24", "buckets");
}

static json_t *interval_of(const struct moment *moment)
{
	json_t *interval = json_object();
	uint64_t all[4] = { 0 };

	for (int i = 0; i < PROCESSES; i++)
		for (int j = 0; j < 4; j++)
			all[j] += moment->process[i][j];
	set_values(interval, "", rate_names, 4, moment->rate);
	set_values(interval, "process_", moved_names, 4, all);
	set_values(interval, "remote_", moved_names, 2, all);
	set(interval, "connects", moment->samples[0]);
	set(interval, "accepts", moment->samples[1]);
	set(interval, "closed", moment->samples[2]);
	set(interval, "failed", moment->samples[3]);
	set(interval, "drops", moment->drops[0]);
	set(interval, "drops_unspecified", moment->drops[1]);
	return interval;
}

static void feed(struct fixture *f, const struct moment *moment, int interval_ms)
{
	const struct moment *sum = &f->sum;
	json_t *root = json_pack("{s:s, s:I, s:I, s:i}", "type", "snapshot", "timestamp",
				 (json_int_t)f->now_ms, "seq", (json_int_t)f->seq, "interval_ms", interval_ms);
	json_t *totals = json_object(), *drop = json_pack("{s:s, s:s, s:s}", "host", "h", "reason",
							  "NO_SOCKET", "proto", "UDP");

	set_values(totals, "", rate_names, 4, sum->rate);
	json_object_set_new(root, "totals", totals);
	json_object_set_new(root, "connection_table",
			    json_pack("{s:I, s:I, s:I, s:I}", "connects", (json_int_t)sum->samples[0],
				      "accepts", (json_int_t)sum->samples[1], "closed",
				      (json_int_t)sum->samples[2], "failed", (json_int_t)sum->samples[3]));
	set(drop, "packets", sum->drops[0]);
	if (f->exact) {
		json_object_set_new(root, "interval", interval_of(moment));
		set(drop, "interval_packets", moment->drops[0]);
	}
	json_object_set_new(root, "protocols", protocol_rows(f, moment));
	json_object_set_new(root, "processes", process_rows(f, moment, false));
	json_object_set_new(root, "remotes", process_rows(f, moment, true));
	json_object_set_new(root, "drops", json_pack("[o]", drop));
	json_object_set_new(root, "drops_unspecified",
			    json_pack("{s:I}", "packets", (json_int_t)sum->drops[1]));
	json_object_set_new(root, "latency", latency_rows(moment));
	take_json(f, root);
}

static void add(uint64_t *to, const uint64_t *from, size_t bytes)
{
	for (size_t i = 0; i < bytes / sizeof(*to); i++)
		to[i] += from[i];
}

static void add_to_sum(struct moment *sum, const struct moment *moment)
{
	add(sum->rate, moment->rate, sizeof(sum->rate));
	add(sum->protocol[0], moment->protocol[0], sizeof(sum->protocol));
	add(sum->process[0], moment->process[0], sizeof(sum->process));
	add(sum->told[0], moment->told[0], sizeof(sum->told));
	add(sum->samples, moment->samples, sizeof(sum->samples));
	add(sum->drops, moment->drops, sizeof(sum->drops));
	sum->covered_ms += moment->covered_ms;
}

static void make_up(struct fixture *f, struct moment *moment)
{
	unsigned int first = any(f, PROCESSES);

	for (int i = 0; i < 4; i++)
		moment->rate[i] = any(f, 1000000);
	for (int i = 0; i < PROTOCOLS; i++) {
		moment->protocol[i][1] = any(f, 3);
		moment->protocol[i][0] = moment->protocol[i][1] * (60 + any(f, 1400));
	}
	for (int i = 0; i < PROCESSES; i++)
		for (int j = 0; j < 4; j++)
			moment->process[i][j] = any(f, 3) ? any(f, 100000) : 0;
	for (int i = 0; i < BUCKETS; i++)
		moment->samples[i] = any(f, 5);
	moment->drops[0] = any(f, 4);
	moment->drops[1] = any(f, 4);
	memcpy(f->shown_before, f->shown, sizeof(f->shown));
	memset(f->shown, 0, sizeof(f->shown));
	/* Mostly the same ones, so that rows have a row before them. */
	if (any(f, 4))
		first = 3;
	for (unsigned int i = 0; i < SHOWN; i++)
		f->shown[(first + i) % PROCESSES] = true;
}

/* Passes some time: what happened, and the snapshot of it. */
static void pass(struct fixture *f, int64_t passed_ms, int interval_ms, int64_t seqs)
{
	struct moment *moment = &f->moment[f->moments++];
	bool follows = f->any_before && seqs == 1 && passed_ms > 0 && passed_ms <= 3.5 * interval_ms;

	assert_true(f->moments < MOMENTS);
	memset(moment, 0, sizeof(*moment));
	make_up(f, moment);
	f->now_ms += passed_ms;
	f->seq += seqs;
	if (f->seq == 1)
		memset(&f->sum, 0, sizeof(f->sum));
	add_to_sum(&f->sum, moment);
	moment->counts = f->exact || follows;
	moment->covered_ms = f->any_before && passed_ms > 0 && passed_ms < interval_ms ? passed_ms : interval_ms;
	moment->middle_ms = f->now_ms - moment->covered_ms / 2;
	for (int i = 0; i < PROCESSES; i++)
		if (f->shown[i] && (f->exact || f->shown_before[i]))
			memcpy(moment->told[i], moment->process[i], sizeof(moment->told[i]));
	feed(f, moment, interval_ms);
	f->any_before = true;
}

/* ---- questions ------------------------------------------------------------- */

static int ask(struct fixture *f, char *text, struct history_ask *ret_ask, const char **ret_name)
{
	static struct query query;	/* what is asked for points into it */
	static struct list_query wants;
	const char *why;

	query = (struct query){ .count = 0 };
	for (char *save = NULL, *pair = strtok_r(text, "&", &save); pair; pair = strtok_r(NULL, "&", &save)) {
		char *equals = strchr(pair, '=');

		*equals = '\0';
		query.pair[query.count++] = (struct query_pair){ pair, equals + 1 };
	}
	if (list_query_parse(&query, history_parameters, &wants, ret_name, &why))
		return -1;
	if (history_ask_read(&wants, &f->source, ret_ask, ret_name, &why))
		return -EINVAL;
	history_ask_fit(ret_ask, &f->source);
	return 0;
}

static json_t *answer(struct fixture *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static json_t *answer(struct fixture *f, const char *format, ...)
{
	struct history_ask question;
	struct body body = { 0 };
	const char *name;
	char text[256];
	va_list args;
	json_t *root;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	assert_int_equal(ask(f, text, &question, &name), 0);
	assert_in_range(history_ask_points(&question), 0, HISTORY_POINTS_MAX);
	body_printf(&body, "{\"x\":0");
	assert_int_equal(history_answer_write(&body, &question, &f->source), 0);
	body_printf(&body, "}");
	root = json_loadb(body.data, body.length, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	free(body.data);
	return root;
}

static int64_t number(const json_t *root, const char *key)
{
	assert_true(json_is_integer(json_object_get(root, key)));
	return json_integer_value(json_object_get(root, key));
}

/* The value of a step; -1: null. */
static int64_t at(const json_t *root, const char *part, const char *key, size_t step)
{
	const json_t *value = json_object_get(root, part);

	value = json_array_get(key ? json_object_get(value, key) : value, step);
	assert_non_null(value);
	return json_is_null(value) ? -1 : json_integer_value(value);
}

/* ---- the model ------------------------------------------------------------- */

/* All that is counted of that time; how many snapshots that were. */
static size_t model(const struct fixture *f, int64_t from_ms, int64_t to_ms, struct moment *ret_sum)
{
	size_t count = 0;

	memset(ret_sum, 0, sizeof(*ret_sum));
	for (size_t i = 0; i < f->moments; i++) {
		const struct moment *moment = &f->moment[i];

		if (!moment->counts || moment->middle_ms < from_ms || moment->middle_ms >= to_ms)
			continue;
		add_to_sum(ret_sum, moment);
		count++;
	}
	return count;
}

static uint64_t rank(const uint64_t samples[BUCKETS], uint32_t percent)
{
	uint64_t counts[LATENCY_BUCKETS] = { 0 }, n = 0;

	for (int i = 0; i < BUCKETS; i++) {
		counts[buckets[i]] = samples[i];
		n += samples[i];
	}
	return percentile_us(counts, n, percent);
}

static void compare_latency(const json_t *root, size_t step, const struct moment *sum)
{
	uint64_t n = sum->samples[0] + sum->samples[1] + sum->samples[2] + sum->samples[3];
	const json_t *pairs = json_array_get(json_object_get(json_object_get(root, "latency"), "buckets"), step);
	uint64_t pair_sum = 0;
	json_t *pair;
	size_t i;

	assert_int_equal(at(root, "latency", "count", step), n);
	json_array_foreach(pairs, i, pair)
		pair_sum += (uint64_t)json_integer_value(json_array_get(pair, 1));
	assert_int_equal(pair_sum, n);
	if (!n)
		return;
	assert_int_equal(at(root, "latency", "p50", step), rank(sum->samples, 50));
	assert_int_equal(at(root, "latency", "p95", step), rank(sum->samples, 95));
	assert_int_equal(at(root, "latency", "p99", step), rank(sum->samples, 99));
	assert_int_equal(at(root, "latency", "max", step), rank(sum->samples, 100));
}

static void compare_protocols(const json_t *root, size_t step, const struct moment *sum)
{
	for (int i = 0; i < PROTOCOLS; i++) {
		const json_t *protocol = json_object_get(json_object_get(root, "protocols"), protocols[i]);
		json_t *outer = protocol ? json_pack("{s:O}", "p", protocol) : NULL;

		if (outer) {
			assert_int_equal(at(outer, "p", "bytes", step), sum->protocol[i][0]);
			assert_int_equal(at(outer, "p", "packets", step), sum->protocol[i][1]);
		} else {
			assert_int_equal(sum->protocol[i][1], 0);
		}
		json_decref(outer);
	}
}

static void compare_step(const json_t *root, size_t step, const struct moment *sum, size_t count)
{
	static const char *const names[] = { "connects", "accepts", "closed", "failed" };

	assert_int_equal(at(root, "covered_ms", NULL, step), sum->covered_ms);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(at(root, "rates", rate_names[i], step), count ? (int64_t)sum->rate[i] : -1);
		assert_int_equal(at(root, "connections", names[i], step),
				 count ? (int64_t)sum->samples[i] : -1);
	}
	if (!count) {
		assert_int_equal(at(root, "latency", "count", step), -1);
		assert_int_equal(at(root, "latency", "p50", step), -1);
		return;
	}
	compare_latency(root, step, sum);
	compare_protocols(root, step, sum);
	if (json_object_get(json_object_get(root, "drops"), "NO_SOCKET"))
		assert_int_equal(at(root, "drops", "NO_SOCKET", step), sum->drops[0]);
	if (json_object_get(json_object_get(root, "drops"), "NOT_SPECIFIED"))
		assert_int_equal(at(root, "drops", "NOT_SPECIFIED", step), sum->drops[1]);
}

static void compare_rows(const struct fixture *f, const json_t *root, const char *list, int values,
			 const struct moment *sum)
{
	uint64_t rows[4] = { 0 }, told[4] = { 0 }, all[4] = { 0 };
	const json_t *array = json_object_get(root, list), *other;
	json_t *row;
	char key[32];
	size_t i;

	json_array_foreach(array, i, row)
		for (int j = 0; j < values; j++)
			rows[j] += (uint64_t)number(row, moved_names[j]);
	for (int p = 0; p < PROCESSES; p++)
		for (int j = 0; j < values; j++) {
			told[j] += sum->told[p][j];
			all[j] += sum->process[p][j];
		}
	snprintf(key, sizeof(key), "%s_other", list);
	other = json_object_get(root, key);
	for (int j = 0; j < values; j++) {
		assert_int_equal(rows[j], told[j]);
		/* Without "interval" nobody says what all have moved. */
		assert_int_equal(number(other, moved_names[j]), f->exact ? all[j] - told[j] : 0);
	}
}

static void compare(struct fixture *f, const json_t *root)
{
	int64_t from_ms = number(root, "from"), to_ms = number(root, "to"), step_ms = number(root, "step_ms");
	const json_t *times = json_object_get(root, "times");
	struct moment sum;

	assert_int_equal(json_array_size(times), (to_ms - from_ms) / step_ms);
	for (size_t i = 0; i < json_array_size(times); i++) {
		int64_t start_ms = json_integer_value(json_array_get(times, i));
		size_t count = model(f, start_ms, start_ms + step_ms, &sum);

		assert_int_equal(start_ms, from_ms + (int64_t)i * step_ms);
		compare_step(root, i, &sum, count);
	}
	model(f, from_ms, to_ms, &sum);
	compare_rows(f, root, "processes", 4, &sum);
	compare_rows(f, root, "remotes", 2, &sum);
}

static void ask_all(struct fixture *f)
{
	static const unsigned int ranges[] = { 1, 7, 60, 299, 300, 301, 900, 3600, 100000 };
	/* Longer steps may begin before what is known does. */
	static const unsigned int steps[] = { 0, 1, 3, 10, 25, 60 };

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		for (size_t j = 0; j < sizeof(steps) / sizeof(*steps); j++) {
			json_t *root = steps[j] ? answer(f, "range=%u&step=%u", ranges[i], steps[j])
						: answer(f, "range=%u", ranges[i]);

			compare(f, root);
			if (ranges[i] <= 300)
				assert_int_equal(number(root, "step_ms"), (steps[j] ? steps[j] : 1) * 1000);
			json_decref(root);
		}
	}
	json_decref(answer(f, "range=100000&step=3600"));
	json_decref(answer(f, "from=0&to=1000000000000000&step=1000000000"));
	for (int i = 0; i < 20; i++) {
		int64_t from_ms = f->now_ms - any(f, 3500000);
		json_t *root = answer(f, "from=%lld&to=%lld&step=%u", (long long)from_ms,
				      (long long)from_ms + 1 + any(f, 1000000), 1 + any(f, 50));

		compare(f, root);
		json_decref(root);
	}
}

/* ---- tests ----------------------------------------------------------------- */

static void run_random(struct fixture *f, unsigned int seed)
{
	f->seed = seed;
	for (int i = 0; i < 4200; i++) {
		unsigned int what = any(f, 400);
		int64_t jitter_ms = (int64_t)any(f, 30) - 15;

		if (what == 0)
			pass(f, 4000 + any(f, 60000), 1000, 1);	/* nothing came for a while */
		else if (what == 1)
			pass(f, 1000, 1000, 1 - f->seq);	/* another aggregator */
		else if (what == 2)
			pass(f, 2000 + jitter_ms, 1000, 2);	/* one was lost */
		else if (what == 3)
			pass(f, -(int64_t)any(f, 5000), 1000, 1);	/* the clock steps back */
		else
			pass(f, 1000 + jitter_ms, 1000, 1);
		if (i % 2000 == 100)
			ask_all(f);
	}
	ask_all(f);
}

static void test_model_exact(void **state)
{
	struct fixture *f = *state;

	f->exact = true;
	run_random(f, 11);
}

static void test_model_differences(void **state)
{
	run_random(*state, 2);
}

static void test_short_and_long_intervals(void **state)
{
	struct fixture *f = *state;
	json_t *root;

	f->exact = true;
	for (int i = 0; i < 500; i++)
		pass(f, 100, 100, 1);
	root = answer(f, "range=60");
	assert_int_equal(number(root, "step_ms"), 1000);
	compare(f, root);
	json_decref(root);
	for (int i = 0; i < 300; i++)
		pass(f, 5000, 5000, 1);
	root = answer(f, "range=60&step=1");
	assert_int_equal(number(root, "step_ms"), 5000);
	assert_true(json_is_true(json_object_get(root, "widened")));
	compare(f, root);
	for (size_t i = 0; i < json_array_size(json_object_get(root, "times")); i++)
		assert_int_not_equal(at(root, "rates", "ingress_bytes", i), -1);
	json_decref(root);
}

/* Seconds that come a little early or late are still one a step. */
static void test_steady_seconds(void **state)
{
	struct fixture *f = *state;
	json_t *root;

	f->exact = true;
	f->seed = 5;
	f->now_ms += 497;
	for (int i = 0; i < 1000; i++) {
		int64_t jitter_ms = (int64_t)any(f, 200) - 100;

		pass(f, T0 + 497 + (i + 1) * 1000 + jitter_ms - f->now_ms, 1000, 1);
	}
	root = answer(f, "range=300&what=rates");
	for (size_t i = 0; i < json_array_size(json_object_get(root, "times")); i++)
		assert_int_not_equal(at(root, "rates", "ingress_bytes", i), -1);
	assert_int_equal(json_array_size(json_object_get(root, "times")), 300);
	json_decref(root);
}

static void test_stood_still(void **state)
{
	struct fixture *f = *state;
	json_t *root;

	f->exact = true;
	for (int i = 0; i < 10; i++)
		pass(f, 1000, 1000, 1);
	pass(f, 30000, 30000, 1);	/* counted, but nobody knows when */
	f->moment[f->moments - 1].counts = false;
	pass(f, 1000, 1000, 1);
	f->moment[f->moments - 1].counts = true;
	root = answer(f, "range=60");
	compare(f, root);
	assert_int_equal(at(root, "rates", "ingress_bytes", 40), -1);
	json_decref(root);
}

static void test_far_back(void **state)
{
	struct fixture *f = *state;
	json_t *root;

	f->exact = true;
	for (int i = 0; i < 100; i++)
		pass(f, 1000, 1000, 1);
	f->moments = 0;
	pass(f, -40000, 1000, 1);
	root = answer(f, "range=3600");
	compare(f, root);
	assert_int_equal(number(root, "oldest"), f->now_ms - 1000);
	json_decref(root);
}

static void test_nothing(void **state)
{
	static const char bare[] = "{\"type\":\"snapshot\",\"timestamp\":1763704000000,\"seq\":%d,\"interval_ms\":1000}";
	struct fixture *f = *state;
	char text[128];
	json_t *root = answer(f, "range=300");

	assert_int_equal(json_array_size(json_object_get(root, "times")), 0);
	assert_true(json_is_null(json_object_get(root, "oldest")));
	json_decref(root);
	take_text(f, "{\"type\":\"snapshot\"}");
	take_text(f, "{\"type\":\"snapshot\",\"timestamp\":\"x\",\"totals\":[],\"processes\":{},\"latency\":7}");
	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), bare, i);
		take_text(f, text);
	}
	root = answer(f, "range=300&what=rates,protocols,process&pid=3");
	assert_int_equal(json_array_size(json_object_get(root, "known")), 0);
	json_decref(root);
}

static void test_one_process(void **state)
{
	struct fixture *f = *state;
	json_t *root, *remote;

	f->exact = true;
	for (int i = 0; i < 50; i++)
		pass(f, 1000, 1000, 1);
	root = answer(f, "range=50&what=process,processes&pid=4");
	remote = answer(f, "range=50&what=remote,remotes&ip=10.0.0.3");
	assert_int_equal(number(json_object_get(root, "process"), "matched"), 1);
	for (size_t i = 0; i < 50; i++) {
		const struct moment *moment = &f->moment[i];
		bool unsure = !moment->told[3][0];	/* it may be among others */

		assert_int_equal(at(root, "process", "tx_bytes", i), unsure ? -1 : (int64_t)moment->told[3][0]);
		assert_int_equal(at(remote, "remote", "tx_bytes", i), unsure ? -1 : (int64_t)moment->told[3][0]);
	}
	assert_int_equal(json_array_size(json_object_get(root, "processes")), 1);
	json_decref(root);
	json_decref(remote);
	root = answer(f, "range=50&what=process,processes&command=nobody");
	assert_int_equal(number(json_object_get(root, "process"), "matched"), 0);
	assert_int_equal(number(root, "processes_matched"), 0);
	json_decref(root);
}

static void test_bad_questions(void **state)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{ "from=x", "from" }, { "from=-5", "from" }, { "to=1e3", "to" }, { "range=0", "range" },
		{ "from=5&range=3", "range" }, { "from=5&to=5", "from" }, { "from=6&to=5", "from" },
		{ "step=0", "step" }, { "step=", "step" }, { "what=", "what" }, { "what=rates,", "what" },
		{ "what=rates,x", "what" }, { "what=Rates", "what" }, { "what=process", "what" },
		{ "what=process&ip=10.0.0.1", "what" }, { "what=remote&pid=1", "what" }, { "pid=0", "pid" },
		{ "ip=10.0.0", "ip" }, { "limit=0", "limit" }, { "x=1", "x" }, { "from=1&from=2", "from" },
		{ "from=99999999999999999999", "from" },
	};
	struct history_ask question;
	const char *name;
	char text[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(text, sizeof(text), "%s", rows[i].text);
		assert_int_not_equal(ask(*state, text, &question, &name), 0);
		assert_string_equal(name, rows[i].name);
	}
}

/* ---- limits ---------------------------------------------------------------- */

/* A snapshot with many processes and remotes, each of which moves 3 bytes, the first one 9. */
static void feed_crowd(struct fixture *f, unsigned int rows, unsigned int first)
{
	struct body body = { 0 };
	char *text;

	f->now_ms += 1000;
	body_printf(&body, "{\"type\":\"snapshot\",\"timestamp\":%lld,\"seq\":%lld,\"interval_ms\":1000,"
		    "\"interval\":{\"process_tx_bytes\":%u,\"remote_rx_bytes\":%u},\"processes\":[",
		    (long long)f->now_ms, (long long)++f->seq, rows * 3 + 6, rows * 3);
	for (unsigned int i = 0; i < rows; i++)
		body_printf(&body, "%s{\"host\":\"h\",\"pid\":%u,\"command\":\"c\",\"interval_tx_bytes\":%d}",
			    i ? "," : "", first + i, i ? 3 : 9);
	body_printf(&body, "],\"remotes\":[");
	for (unsigned int i = 0; i < rows; i++)
		body_printf(&body, "%s{\"host\":\"h\",\"remote_ip\":\"10.%u.%u.%u\",\"interval_rx_bytes\":3}",
			    i ? "," : "", (first + i) >> 16 & 255, (first + i) >> 8 & 255, (first + i) & 255);
	body_printf(&body, "]}");
	text = strndup(body.data, body.length);
	take_text(f, text);
	free(text);
	free(body.data);
}

static uint64_t sum_of_rows(const json_t *root, const char *list, const char *key)
{
	uint64_t sum = 0;
	char other[64];
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(root, list), i, row)
		sum += (uint64_t)number(row, key);
	snprintf(other, sizeof(other), "%s_other", list);
	return sum + (uint64_t)number(json_object_get(root, other), key);
}

/* Memory as history.h adds it up: rows of 40 bytes, buckets, keys. */
static size_t memory_of(const struct history *history)
{
	size_t bytes = history->keys.bytes + history->keys.room * sizeof(struct history_key);

	for (int tier = 0; tier < HISTORY_TIERS; tier++)
		for (int64_t i = 0; history->tier[tier].slot && i < history_slots(tier); i++) {
			const struct history_slot *slot = &history->tier[tier].slot[i];

			bytes += sizeof(*slot) + slot->buckets * sizeof(struct history_bucket);
			for (int kind = 0; kind < HISTORY_KINDS; kind++)
				bytes += slot->list[kind].count * sizeof(struct history_row);
		}
	return bytes;
}

/* 100000 different processes and remotes, a hundred a second, none of which comes again. */
static void test_many_keys(void **state)
{
	struct fixture *f = *state;
	json_t *root;

	for (unsigned int i = 0; i < 1000; i++)
		feed_crowd(f, 100, 1 + i * 100);
	assert_in_range(f->history.keys.count, 1, f->bounds.row[BOUND_HISTORY_KEYS].limit);
	assert_in_range(memory_of(&f->history), 1, 32 * 1024 * 1024);
	root = answer(f, "range=3600&limit=10000&what=processes,remotes");
	assert_int_equal(sum_of_rows(root, "processes", "tx_bytes"), 1000 * 306);
	assert_int_equal(sum_of_rows(root, "remotes", "rx_bytes"), 1000 * 300);
	json_decref(root);
	/* The last seconds are there one by one. */
	root = answer(f, "range=10&limit=10000&what=processes");
	assert_int_equal(number(root, "processes_matched"), 1000);
	assert_int_equal(number(json_object_get(root, "processes_other"), "tx_bytes"), 0);
	json_decref(root);
}

/* More rows than a slot keeps, for hours: keys run out, and no sum is less for it. */
static void test_crowds(void **state)
{
	struct fixture *f = *state;
	uint64_t hits = 0;
	json_t *root;

	for (unsigned int i = 0; i < 1500; i++)
		feed_crowd(f, 300, 1 + i * 300);
	hits = f->bounds.row[BOUND_HISTORY_KEYS].hits;
	assert_int_not_equal(hits, 0);
	assert_int_not_equal(f->bounds.row[BOUND_HISTORY_ROWS].hits, 0);
	assert_in_range(f->history.keys.count, 1, f->bounds.row[BOUND_HISTORY_KEYS].limit);
	assert_in_range(memory_of(&f->history), 1, 32 * 1024 * 1024);
	root = answer(f, "range=300&limit=10000&what=processes,remotes");
	assert_int_equal(sum_of_rows(root, "processes", "tx_bytes"), 300 * 906);
	assert_int_equal(sum_of_rows(root, "remotes", "rx_bytes"), 300 * 900);
	json_decref(root);
	root = answer(f, "range=3600&limit=3&what=processes,remotes");
	assert_int_equal(sum_of_rows(root, "processes", "tx_bytes") % 906, 0);
	assert_int_equal(json_array_size(json_object_get(root, "processes")), 3);
	json_decref(root);
}

static void test_long_names(void **state)
{
	struct fixture *f = *state;
	size_t size = 4 * HISTORY_KEY_MAX;
	char *text = malloc(size), *name = malloc(size);
	json_t *root;

	assert_non_null(text);
	assert_non_null(name);
	memset(name, 'x', HISTORY_KEY_MAX);
	name[HISTORY_KEY_MAX] = '\0';
	snprintf(text, size, "{\"type\":\"snapshot\",\"timestamp\":%lld,\"interval_ms\":1000,\"interval\":"
		 "{\"process_tx_bytes\":12},\"protocols\":[{\"proto\":\"%s\",\"interval_bytes\":5,\"interval_packets\":1},"
		 "{\"proto\":\"other\",\"interval_bytes\":2,\"interval_packets\":1},{\"proto\":null,\"interval_bytes\":1}],"
		 "\"processes\":[{\"host\":\"%s\",\"pid\":1,\"command\":\"\\u0022<img>\",\"interval_tx_bytes\":4},"
		 "{\"host\":\"\",\"pid\":null,\"command\":\"\\u0022<img>\",\"interval_tx_bytes\":7}]}", T0, name, name);
	take_text(f, text);
	root = answer(f, "range=10");
	assert_int_equal(json_object_size(json_object_get(root, "protocols")), 1);
	assert_int_equal(at(json_object_get(root, "protocols"), "other", "bytes",
			    json_array_size(json_object_get(root, "times")) - 1), 8);
	assert_int_equal(json_array_size(json_object_get(root, "processes")), 1);
	assert_int_equal(number(json_object_get(root, "processes_other"), "tx_bytes"), 5);
	assert_int_equal(f->bounds.row[BOUND_HISTORY_KEY_BYTES].hits, 2);
	json_decref(root);
	free(text);
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_model_exact, setup, teardown),
		cmocka_unit_test_setup_teardown(test_model_differences, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_and_long_intervals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steady_seconds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stood_still, setup, teardown),
		cmocka_unit_test_setup_teardown(test_far_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_questions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crowds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_names, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
