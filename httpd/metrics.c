/* SPDX-License-Identifier: MIT */
/* GET /metrics: counters for Prometheus, kept so that they never go back. */
#include "httpd/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/version.h"
#include "httpd/json_text.h"
#include "httpd/server.h"

#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"
#define VALUE_MAX 128	/* bytes of a label's value, before escaping */
#define US_PER_S 1e6

static const struct {
	const char *name, *help;
	const char *other;	/* labels of the row for what found no place */
} families[FAMILY_COUNT] = {
	[FAMILY_PACKETS] = { "jopil_packets_total", "Packets seen on an interface.",
			     "host=\"other\",interface=\"other\",direction=\"other\"" },
	[FAMILY_BYTES] = { "jopil_bytes_total", "Bytes of the packets seen on an interface.",
			   "host=\"other\",interface=\"other\",direction=\"other\"" },
	[FAMILY_PROTOCOL_PACKETS] = { "jopil_protocol_packets_total", "Packets by protocol.",
				      "proto=\"other\"" },
	[FAMILY_PROTOCOL_BYTES] = { "jopil_protocol_bytes_total", "Bytes by protocol.",
				    "proto=\"other\"" },
	[FAMILY_DROPS] = { "jopil_drops_total", "Packets dropped by the kernel.",
			   "reason=\"other\",proto=\"other\"" },
	[FAMILY_TRANSMIT] = { "jopil_process_transmit_bytes_total", "Bytes sent by processes.",
			      "command=\"other\"" },
	[FAMILY_RECEIVE] = { "jopil_process_receive_bytes_total", "Bytes received by processes.",
			     "command=\"other\"" },
	[FAMILY_OPENED] = { "jopil_connections_opened_total", "Connections begun or accepted.",
			    "direction=\"other\"" },
	[FAMILY_CLOSED] = { "jopil_connections_closed_total", "Connections that ended.", "" },
	[FAMILY_FAILED] = { "jopil_connections_failed_total", "Connections that failed.", "" },
	[FAMILY_LOSSES] = { "jopil_losses_total", "What jopil itself could not count in full.",
			    "cause=\"other\"" },
};

static const double bounds_us[METRICS_BOUNDS] = {
	100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000,
	2500000, 5000000, 10000000,
};

/* ---- counting -------------------------------------------------------------- */

/* The place of a hash, or the free one where it would stand. */
static struct metrics_row *find_row(struct metrics *metrics, uint64_t hash)
{
	size_t at = hash % METRICS_ROWS;

	while (metrics->row[at].hash && metrics->row[at].hash != hash)
		at = (at + 1) % METRICS_ROWS;
	return &metrics->row[at];
}

/* Keeps the rows that one of the last so many snapshots showed. */
static void keep_rows(struct metrics *metrics, struct metrics_row *copy, uint64_t snapshots)
{
	memcpy(copy, metrics->row, sizeof(metrics->row));
	memset(metrics->row, 0, sizeof(metrics->row));
	metrics->row_count = 0;
	for (size_t i = 0; i < METRICS_ROWS; i++) {
		if (!copy[i].hash || metrics->snapshots - copy[i].seen >= snapshots)
			continue;
		*find_row(metrics, copy[i].hash) = copy[i];
		metrics->row_count++;
	}
}

/* Forgets rows not seen for long, for ever shorter times until half of the places are free. */
static void make_room(struct metrics *metrics)
{
	struct metrics_row *copy = malloc(sizeof(metrics->row));

	for (uint64_t n = 4096; copy && n && metrics->row_count > METRICS_ROWS / 2; n /= 2)
		keep_rows(metrics, copy, n);
	free(copy);
}

/* How much more the row says than before; one that says less has begun anew. */
static double advance(struct metrics *metrics, uint64_t hash, double value)
{
	struct metrics_row *row;
	double before;

	hash += !hash;
	row = find_row(metrics, hash);
	if (!row->hash && metrics->row_count >= METRICS_ROWS / 4 * 3) {
		make_room(metrics);
		row = find_row(metrics, hash);
	}
	if (!row->hash) {
		if (metrics->row_count >= METRICS_ROWS / 4 * 3) {
			metrics->rows_lost++;
			return 0;
		}
		metrics->row_count++;
		row->hash = hash;
	}
	row->seen = metrics->snapshots;
	before = row->last;
	row->last = value;
	return value < before ? value : value - before;
}

static struct metrics_series *find_series(struct metrics *metrics, enum metrics_family family,
					  const char *labels)
{
	struct metrics_series *series = metrics->series[family];
	uint64_t *count = &metrics->series_count[family];

	for (uint64_t i = 0; i < *count; i++)
		if (!strcmp(series[i].labels, labels))
			return &series[i];
	if (*count == METRICS_SERIES_MAX || !strcmp(labels, families[family].other))
		return &series[METRICS_SERIES_MAX];
	snprintf(series[*count].labels, sizeof(series->labels), "%s", labels);
	return &series[(*count)++];
}

/* The row that the text identity names now says value (no number: nothing). */
static void note(struct metrics *metrics, enum metrics_family family, const char *labels,
		 const char *identity, struct slice text)
{
	double value = json_text_number(text);
	uint64_t hash = slice_hash(SLICE_HASH + family, (struct slice){ labels, strlen(labels) });

	if (!(value >= 0))
		return;
	hash = slice_hash(hash, (struct slice){ identity, strlen(identity) });
	find_series(metrics, family, labels)->value += advance(metrics, hash, value);
}

/* Writes name="value" with the value escaped, the string in JSON as text. */
static void add_label(char labels[METRICS_LABELS_MAX], const char *name, struct slice json)
{
	char value[VALUE_MAX];
	size_t used = strlen(labels);

	if (!json_text_copy(json, value, sizeof(value)))
		strcpy(value, "unknown");
	used += (size_t)snprintf(labels + used, METRICS_LABELS_MAX - used, "%s%s=\"",
				 used ? "," : "", name);
	for (const char *c = value; *c && used < METRICS_LABELS_MAX - 32; c++) {
		if (strchr("\\\"\n", *c))
			labels[used++] = '\\';
		labels[used++] = (char)(*c == '\n' ? 'n' : *c);
	}
	labels[used++] = '"';
	labels[used] = '\0';
}

static void take_interface(void *closure, struct slice row)
{
	static const char *const directions[] = { "ingress", "egress" };
	char labels[METRICS_LABELS_MAX], key[32];

	for (size_t i = 0; i < 2; i++) {
		struct slice direction;

		labels[0] = '\0';
		add_label(labels, "host", json_text_member(row, "host"));
		add_label(labels, "interface", json_text_member(row, "ifname"));
		snprintf(key, sizeof(key), "\"%s\"", directions[i]);
		direction = (struct slice){ key, strlen(key) };
		add_label(labels, "direction", direction);
		snprintf(key, sizeof(key), "%s_packets", directions[i]);
		note(closure, FAMILY_PACKETS, labels, "", json_text_member(row, key));
		snprintf(key, sizeof(key), "%s_bytes", directions[i]);
		note(closure, FAMILY_BYTES, labels, "", json_text_member(row, key));
	}
}

static void take_protocol(void *closure, struct slice row)
{
	char labels[METRICS_LABELS_MAX] = "";

	add_label(labels, "proto", json_text_member(row, "proto"));
	note(closure, FAMILY_PROTOCOL_PACKETS, labels, "", json_text_member(row, "packets"));
	note(closure, FAMILY_PROTOCOL_BYTES, labels, "", json_text_member(row, "bytes"));
}

static void take_drop(void *closure, struct slice row)
{
	char labels[METRICS_LABELS_MAX] = "", host[METRICS_LABELS_MAX] = "";

	add_label(labels, "reason", json_text_member(row, "reason"));
	add_label(labels, "proto", json_text_member(row, "proto"));
	add_label(host, "host", json_text_member(row, "host"));
	note(closure, FAMILY_DROPS, labels, host, json_text_member(row, "packets"));
}

static void take_process(void *closure, struct slice row)
{
	char labels[METRICS_LABELS_MAX] = "", identity[METRICS_LABELS_MAX] = "";
	struct slice pid = json_text_member(row, "pid");
	size_t used;

	add_label(labels, "command", json_text_member(row, "command"));
	add_label(identity, "host", json_text_member(row, "host"));
	used = strlen(identity);
	snprintf(identity + used, sizeof(identity) - used, "%.*s",
		 (int)(pid.length < 16 ? pid.length : 16), pid.data);
	note(closure, FAMILY_TRANSMIT, labels, identity, json_text_member(row, "tx_bytes"));
	note(closure, FAMILY_RECEIVE, labels, identity, json_text_member(row, "rx_bytes"));
}

static void take_bucket(struct metrics *metrics, struct slice bucket)
{
	struct slice upper, count;
	struct json_walk walk;
	double us, samples;
	size_t i = 0;

	if (!json_walk_enter(&walk, bucket) || !json_walk_element(&walk, &upper) ||
	    !json_walk_element(&walk, &count))
		return;
	us = json_text_number(upper);
	samples = json_text_number(count);
	if (!(us >= 0 && samples >= 0 && samples < 1e15))
		return;
	while (i < METRICS_BOUNDS && us > bounds_us[i])
		i++;
	metrics->rtt[i] += (uint64_t)samples;
	metrics->rtt_sum_us += us * samples;
}

static void take_latency(void *closure, struct slice row)
{
	struct slice buckets = json_text_member(row, "buckets"), bucket;
	struct json_walk walk;

	if (!json_text_is(json_text_member(row, "name"), "tcp_rtt") ||
	    !slice_equals(json_text_member(row, "network"), "null") || buckets.data[0] != '[' ||
	    !json_walk_enter(&walk, buckets))
		return;
	while (json_walk_element(&walk, &bucket))
		take_bucket(closure, bucket);
}

static void take_connections(struct metrics *metrics, struct slice table)
{
	note(metrics, FAMILY_OPENED, "direction=\"egress\"", "",
	     json_text_member(table, "connects"));
	note(metrics, FAMILY_OPENED, "direction=\"ingress\"", "",
	     json_text_member(table, "accepts"));
	note(metrics, FAMILY_CLOSED, "", "", json_text_member(table, "closed"));
	note(metrics, FAMILY_FAILED, "", "", json_text_member(table, "failed"));
}

static void take_losses(struct metrics *metrics, struct slice losses)
{
	struct slice key, value;
	struct json_walk walk;

	if (losses.data[0] != '{' || !json_walk_enter(&walk, losses))
		return;
	while (json_walk_member(&walk, &key, &value)) {
		char labels[METRICS_LABELS_MAX] = "";

		/* The walk gives keys without their quotes, which stand around them. */
		add_label(labels, "cause", (struct slice){ key.data - 1, key.length + 2 });
		note(metrics, FAMILY_LOSSES, labels, "", value);
	}
}

void metrics_take(struct metrics **metrics, const struct shot *shot)
{
	if (!*metrics)
		*metrics = calloc(1, sizeof(**metrics));
	if (!*metrics)
		return;
	(*metrics)->snapshots++;
	shot_each(shot, "interfaces", take_interface, *metrics);
	shot_each(shot, "protocols", take_protocol, *metrics);
	shot_each(shot, "drops", take_drop, *metrics);
	shot_each(shot, "processes", take_process, *metrics);
	shot_each(shot, "latency", take_latency, *metrics);
	note(*metrics, FAMILY_DROPS, "reason=\"NOT_SPECIFIED\",proto=\"unknown\"", "",
	     json_text_member(shot_part(shot, "drops_unspecified"), "packets"));
	take_connections(*metrics, shot_part(shot, "connection_table"));
	take_losses(*metrics, shot_part(shot, "losses"));
}

/* ---- writing --------------------------------------------------------------- */

static void write_head(struct body *body, const char *name, const char *type, const char *help)
{
	body_printf(body, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_series(struct body *body, const char *name, const char *labels, double value)
{
	if (*labels)
		body_printf(body, "%s{%s} %.17g\n", name, labels, value);
	else
		body_printf(body, "%s %.17g\n", name, value);
}

static void write_family(const struct metrics *metrics, enum metrics_family family,
			 struct body *body)
{
	const struct metrics_series *series = metrics->series[family];

	write_head(body, families[family].name, "counter", families[family].help);
	for (uint64_t i = 0; i < metrics->series_count[family]; i++)
		write_series(body, families[family].name, series[i].labels, series[i].value);
	if (series[METRICS_SERIES_MAX].value > 0 || !*families[family].other)
		write_series(body, families[family].name, families[family].other,
			     series[METRICS_SERIES_MAX].value);
}

static void write_rtt(const struct metrics *metrics, struct body *body)
{
	uint64_t sum = 0;

	write_head(body, "jopil_tcp_rtt_seconds", "histogram",
		   "Smoothed round-trip times of TCP, of all sockets.");
	for (size_t i = 0; i < METRICS_BOUNDS; i++) {
		sum += metrics->rtt[i];
		body_printf(body, "jopil_tcp_rtt_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
			    bounds_us[i] / US_PER_S, sum);
	}
	sum += metrics->rtt[METRICS_BOUNDS];
	body_printf(body, "jopil_tcp_rtt_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", sum);
	body_printf(body, "jopil_tcp_rtt_seconds_sum %.17g\njopil_tcp_rtt_seconds_count %" PRIu64
		    "\n", metrics->rtt_sum_us / US_PER_S, sum);
}

static void write_gauges(const struct server *server, struct body *body)
{
	struct slice table = shot_part(server->shot, "connection_table");
	double active = json_text_number(json_text_member(table, "active"));
	double open = json_text_number(json_text_member(table, "open"));

	if (open >= 0 && active >= open) {
		write_head(body, "jopil_connections", "gauge", "Connections that are known now.");
		write_series(body, "jopil_connections", "state=\"open\"", open);
		write_series(body, "jopil_connections", "state=\"other\"", active - open);
	}
	write_head(body, "jopil_snapshot_age_seconds", "gauge", "Since the last snapshot came.");
	write_series(body, "jopil_snapshot_age_seconds", "",
		     (double)(server_now_ms() - server->snapshot_ms) / 1e3);
}

enum MHD_Result metrics_answer(struct server *server, struct request *request)
{
	struct body body = { 0 };

	write_head(&body, "jopil_build_info", "gauge", "The version that runs; always 1.");
	write_series(&body, "jopil_build_info", "version=\"" JOPIL_VERSION "\"", 1);
	if (server->shot)
		write_gauges(server, &body);
	if (server->metrics) {
		for (enum metrics_family family = 0; family < FAMILY_COUNT; family++)
			write_family(server->metrics, family, &body);
		write_rtt(server->metrics, &body);
		write_head(&body, "jopil_metrics_rows_lost_total", "counter",
			   "Rows of snapshots that found no place in any series.");
		write_series(&body, "jopil_metrics_rows_lost_total", "",
			     (double)server->metrics->rows_lost);
	}
	return reply_body(request, MHD_HTTP_OK, &body, TYPE_METRICS, CACHE_NEVER);
}
