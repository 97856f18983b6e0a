/* SPDX-License-Identifier: MIT */
/* GET /metrics: the last snapshot and httpd itself, for Prometheus. */
#include "httpd/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "httpd/field.h"
#include "httpd/json_text.h"
#include "httpd/metric.h"
#include "httpd/server.h"

#define TYPE_TEXT "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_OPEN_METRICS "application/openmetrics-text"
#define LABEL_MAX 1024		/* bytes of a value; names of hosts have 512 at most */
#define US_PER_S 1e6
#define GZIP_WINDOW (15 + 16)	/* the largest, with gzip's header */
#define GZIP_MEMORY 8
#define GZIP_LEVEL 1		/* a fifth of the time of 6, for a tenth more bytes */

static void add_text(struct body *body, const char *text)
{
	body_add(body, text, strlen(text));
}

/* ---- labels ---------------------------------------------------------------- */

/* A string without escapes needs none here either. */
static void add_escaped(struct body *body, struct slice json)
{
	char value[LABEL_MAX];

	if (json.length >= 2 && json.length < LABEL_MAX && !memchr(json.data, '\\', json.length)) {
		body_add(body, json.data + 1, json.length - 2);
		return;
	}
	json_text_copy(json, value, sizeof(value));
	for (const char *c = value; *c; c++) {
		if (*c == '\n') {
			body_add(body, "\\n", 2);
			continue;
		}
		if (*c == '\\' || *c == '"')
			body_add(body, "\\", 1);
		body_add(body, c, 1);
	}
}

/* name="value"; what is null is "unknown". */
static void add_label(struct body *body, const char *name, struct slice json)
{
	add_text(body, name);
	body_add(body, "=\"", 2);
	if (json.data[0] == '"')
		add_escaped(body, json);
	else if (slice_equals(json, "null"))
		add_text(body, "unknown");
	else
		body_add(body, json.data, json.length);
	body_add(body, "\"", 1);
}

/* The labels that all cells of a row have, as they are written. */
static void row_labels(const struct metric_source *source, struct slice row, struct body *labels)
{
	labels->length = 0;
	for (const struct metric_label *label = source->labels; label->name; label++) {
		if (labels->length)
			body_add(labels, ",", 1);
		add_label(labels, label->name, json_text_member(row, label->key));
	}
}

/* ---- series ---------------------------------------------------------------- */

static void add_series(struct body *body, const char *name, struct slice labels, const char *more,
		       struct slice value)
{
	add_text(body, name);
	if (labels.length || *more) {
		body_add(body, "{", 1);
		body_add(body, labels.data, labels.length);
		if (labels.length && *more)
			body_add(body, ",", 1);
		add_text(body, more);
		body_add(body, "}", 1);
	}
	body_add(body, " ", 1);
	body_add(body, value.data, value.length);
	body_add(body, "\n", 1);
}

static bool is_number(struct slice value)
{
	return value.length && value.data[0] >= '0' && value.data[0] <= '9';
}

static void add_row(const struct metric *metric, const struct metric_source *source, struct slice row,
		    struct body *labels, struct body *body)
{
	row_labels(source, row, labels);
	for (const struct metric_cell *cell = source->cells; cell->key; cell++) {
		struct slice value = json_text_member(row, cell->key);

		if (is_number(value))
			add_series(body, metric->name, (struct slice){ labels->data, labels->length },
				   cell->labels, value);
	}
}

static void add_source(const struct shot *shot, const struct metric *metric,
		       const struct metric_source *source, struct body *labels, struct body *body)
{
	struct slice part = shot_part(shot, source->part), row;
	struct json_walk walk;

	if (part.data[0] == '{')
		add_row(metric, source, part, labels, body);
	if (part.data[0] != '[' || !json_walk_enter(&walk, part))
		return;
	while (json_walk_element(&walk, &row))
		if (row.data[0] == '{')
			add_row(metric, source, row, labels, body);
}

static void add_sources(const struct server *server, const struct metric *metric, struct body *body)
{
	struct body labels = { 0 };

	for (const struct metric_source *source = metric->sources; server->shot && source->part; source++)
		add_source(server->shot, metric, source, &labels, body);
	body->failed |= labels.failed;
	free(labels.data);
}

static void add_own(const struct server *server, const struct metric *metric, struct body *body)
{
	for (const struct metric_own *own = metric->own; own->labels; own++) {
		double value = own->value(server);

		if (isnan(value))
			continue;
		if (*own->labels)
			body_printf(body, "%s{%s} %.15g\n", metric->name, own->labels, value);
		else
			body_printf(body, "%s %.15g\n", metric->name, value);
	}
}

/* ---- the histogram --------------------------------------------------------- */

/* The last bucket stands for all that is above the others. */
static void add_bucket(struct body *body, const char *name, struct slice host, struct slice bucket,
		       bool is_last, uint64_t *sum)
{
	struct slice upper, count;
	struct json_walk walk;

	if (!json_walk_enter(&walk, bucket) || !json_walk_element(&walk, &upper) ||
	    !json_walk_element(&walk, &count) || !is_number(upper) || !is_number(count))
		return;
	*sum += strtoull(count.data, NULL, 10);
	body_printf(body, "%s_bucket{", name);
	body_add(body, host.data, host.length);
	if (is_last)
		body_printf(body, ",le=\"+Inf\"} %" PRIu64 "\n", *sum);
	else
		body_printf(body, ",le=\"%.6f\"} %" PRIu64 "\n", json_text_number(upper) / US_PER_S, *sum);
}

static void add_histogram(struct body *body, const char *name, struct slice host, struct slice row)
{
	struct slice buckets = json_text_member(row, "buckets"), bucket, next;
	struct json_walk walk;
	uint64_t sum = 0;
	bool more;

	if (buckets.data[0] != '[' || !json_walk_enter(&walk, buckets) ||
	    !json_walk_element(&walk, &bucket))
		return;
	do {
		more = json_walk_element(&walk, &next);
		add_bucket(body, name, host, bucket, !more, &sum);
		bucket = next;
	} while (more);
	body_printf(body, "%s_sum{", name);
	body_add(body, host.data, host.length);
	body_printf(body, "} %.15g\n%s_count{",
		    json_text_number(json_text_member(row, "sum")) / US_PER_S, name);
	body_add(body, host.data, host.length);
	body_printf(body, "} %" PRIu64 "\n", sum);
}

void metrics_write_rtt(const struct server *server, const struct metric *metric, struct body *body)
{
	struct slice part, row;
	struct json_walk walk;

	if (!server->shot)
		return;
	part = shot_part(server->shot, "series_latency");
	if (part.data[0] != '[' || !json_walk_enter(&walk, part))
		return;
	while (json_walk_element(&walk, &row)) {
		struct body host = { 0 };

		if (row.data[0] != '{' || !json_text_is(json_text_member(row, "name"), "tcp_rtt"))
			continue;
		add_label(&host, "host", json_text_member(row, "host"));
		add_histogram(body, metric->name, (struct slice){ host.data, host.length }, row);
		body->failed |= host.failed;
		free(host.data);
	}
}

/* ---- the whole ------------------------------------------------------------- */

/* OpenMetrics calls the family of x_total x. */
static void add_head(const struct metric *metric, bool open_metrics, struct body *body)
{
	static const char *const types[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
	};
	size_t length = strlen(metric->name);

	if (open_metrics && metric->type == METRIC_COUNTER)
		length -= strlen("_total");
	body_printf(body, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)length, metric->name, metric->help,
		    (int)length, metric->name, types[metric->type]);
}

void metrics_write(const struct server *server, bool open_metrics, struct body *body)
{
	for (const struct metric *metric = metric_table; metric->name; metric++) {
		add_head(metric, open_metrics, body);
		if (metric->sources)
			add_sources(server, metric, body);
		else if (metric->own)
			add_own(server, metric, body);
		else
			metric->write(server, metric, body);
	}
	if (open_metrics)
		add_text(body, "# EOF\n");
}

/* In place of the text its gzip form; false, and the text stays, if there is no memory for it. */
static bool compress_body(struct body *body)
{
	z_stream stream = { .next_in = (Bytef *)body->data, .avail_in = (uInt)body->length };
	struct body packed = { 0 };
	bool done;

	if (body->failed || deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
					 Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	packed.room = deflateBound(&stream, (uLong)body->length);
	packed.data = malloc(packed.room);
	stream.next_out = (Bytef *)packed.data;
	stream.avail_out = packed.data ? (uInt)packed.room : 0;
	done = packed.data && deflate(&stream, Z_FINISH) == Z_STREAM_END;
	packed.length = stream.total_out;
	deflateEnd(&stream);
	free(done ? body->data : packed.data);
	if (done)
		*body = packed;
	return done;
}

enum MHD_Result metrics_answer(struct server *server, struct request *request)
{
	bool open_metrics = field_takes_type(request_field(request, "Accept"), TYPE_OPEN_METRICS);
	struct reply_field fields[] = {
		{ "Vary", "Accept, Accept-Encoding" },
		{ NULL, NULL },
		{ NULL, NULL },
	};
	struct body body = { 0 };

	metrics_write(server, open_metrics, &body);
	if (field_takes_gzip(request_field(request, "Accept-Encoding")) && compress_body(&body))
		fields[1] = (struct reply_field){ "Content-Encoding", "gzip" };
	return reply_body_with(request, MHD_HTTP_OK, &body,
			       open_metrics ? TYPE_OPEN_METRICS "; version=1.0.0; charset=utf-8" : TYPE_TEXT,
			       CACHE_NEVER, fields);
}
