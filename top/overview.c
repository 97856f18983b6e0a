/* SPDX-License-Identifier: MIT */
/* The lines above the table. */
#include "top/overview.h"

#include <stdio.h>
#include <string.h>

#include "top/table.h"
#include "top/text.h"
#include "top/units.h"
#include "top/value.h"

#define LINE_TEXT 1024
#define STALE_INTERVALS 5	/* as httpd has it */
#define GRAPH_HALF (OVERVIEW_GRAPH_ROWS / 2)

static double number_in(const struct model *model, const char *object, const char *member)
{
	double value = value_number(json_object_get(model->snapshot, object), member);

	return value > 0 ? value : 0;
}

static bool is_stale(const struct model *model, const struct feed_facts *facts)
{
	double interval_ms = value_number(model->snapshot, "interval_ms");

	return model->snapshot && !model->paused &&
	       facts->age_ms > STALE_INTERVALS * (interval_ms > 1000 ? interval_ms : 1000);
}

/* What is not as one might think, right in the first line. */
static void put_flags(struct frame *frame, const struct model *model, const struct feed_facts *facts)
{
	char age[UNITS_TEXT], text[LINE_TEXT];
	int length = 0;

	units_duration(facts->age_ms, age, sizeof(age));
	text[0] = '\0';
	if (model->paused)
		length += sprintf(text + length, " PAUSED ");
	if (model->frozen)
		length += sprintf(text + length, " ORDER FROZEN ");
	if (facts->ended)
		length += sprintf(text + length, " INPUT ENDED ");
	else if (is_stale(model, facts))
		length += sprintf(text + length, " STALE %s ", age);
	if (length)
		frame_put(frame, 0, frame->columns - length, length, STYLE_WARNING, text);
}

void overview_title(struct frame *frame, const struct model *model, const struct feed_facts *facts)
{
	json_t *hosts = json_object_get(model->snapshot, "hosts");
	double interval_ms = value_number(model->snapshot, "interval_ms");
	char text[VALUE_TEXT], when[32] = "";
	int at;

	frame_style(frame, 0, 0, frame->columns, STYLE_BAR);
	at = frame_put(frame, 0, 0, 6, STYLE_BAR, "jopil ");
	if (!model->snapshot) {
		frame_put(frame, 0, at, frame->columns - at, STYLE_BAR, "waiting for a snapshot");
	} else {
		value_text(json_object_get(model->snapshot, "host"), text, sizeof(text));
		at += frame_put(frame, 0, at, frame->columns / 3, STYLE_BAR, text);
		if (json_array_size(hosts) > 1) {
			snprintf(text, sizeof(text), " and %zu more", json_array_size(hosts) - 1);
			at += frame_put(frame, 0, at, 16, STYLE_BAR, text);
		}
		if (value_time(value_number(model->snapshot, "timestamp"), false, when, sizeof(when)))
			at += 2 + frame_put(frame, 0, at + 2, 12, STYLE_BAR, when);
		snprintf(text, sizeof(text), "  every %.1f s", interval_ms / 1000);
		if (interval_ms > 0)
			frame_put(frame, 0, at, 20, STYLE_BAR, text);
	}
	put_flags(frame, model, facts);
}

/* The largest second of the last five minutes, in bits a second. */
static double history_most(const json_t *history, double now)
{
	static const char *const names[] = { "ingress_bytes", "egress_bytes" };
	double most = now;
	json_t *value;
	size_t i;

	for (int k = 0; k < 2; k++)
		json_array_foreach(json_object_get(history, names[k]), i, value)
			if (json_number_value(value) * 8 > most)
				most = json_number_value(value) * 8;
	return most;
}

static void put_rates(struct frame *frame, const struct model *model, int row)
{
	double in = number_in(model, "rates", "ingress_bps"), out = number_in(model, "rates", "egress_bps");
	double most = history_most(json_object_get(model->snapshot, "history"), in > out ? in : out);
	char rate[UNITS_TEXT], count[UNITS_TEXT], text[64];
	int width = frame->columns, side = 24;

	units_rate(in, model->as_bytes, rate, sizeof(rate));
	units_count(number_in(model, "rates", "ingress_pps"), count, sizeof(count));
	snprintf(text, sizeof(text), "in  %9s %6sp/s", rate, count);
	frame_put(frame, row, 0, side, STYLE_IN, text);
	units_rate(out, model->as_bytes, rate, sizeof(rate));
	units_count(number_in(model, "rates", "egress_pps"), count, sizeof(count));
	snprintf(text, sizeof(text), "%9s %6sp/s out", rate, count);
	if (width < 3 * side) {
		frame_put(frame, row, side + 1, width - side - 1, STYLE_OUT, text);
		return;
	}
	frame_put_right(frame, row, width - side, side, STYLE_OUT, text);
	table_bars(frame, row, side + 1, width - 2 * side - 2, most > 0 ? in / most : 0,
		   most > 0 ? out / most : 0);
}

/* One second as a column of cells that grows away from the middle; thirds of a cell. */
static void graph_column(struct frame *frame, int row, int column, double share, int step,
			 enum style style)
{
	static const char *const up[] = { ".", ":", "|" }, *const down[] = { "'", ":", "|" };
	int thirds = share > 0 ? (int)(share * 3 * GRAPH_HALF + 0.5) : 0;

	if (share > 0 && !thirds)
		thirds = 1;
	for (int i = 0; i < GRAPH_HALF && thirds > 0; i++, thirds -= 3)
		frame_put(frame, row + i * step, column, 1, style,
			  (step < 0 ? up : down)[thirds > 2 ? 2 : thirds - 1]);
}

/* The last seconds, the newest at the right: in upwards, out downwards. */
static void put_graph(struct frame *frame, const struct model *model, int row)
{
	json_t *history = json_object_get(model->snapshot, "history");
	json_t *in = json_object_get(history, "ingress_bytes");
	json_t *out = json_object_get(history, "egress_bytes");
	double most = history_most(history, 0) / 8;
	size_t n = json_array_size(in);

	for (int i = 0; i < frame->columns && (size_t)i < n && most > 0; i++) {
		int column = frame->columns - 1 - i;
		size_t at = n - 1 - (size_t)i;

		graph_column(frame, row + GRAPH_HALF - 1, column,
			     json_number_value(json_array_get(in, at)) / most, -1, STYLE_IN);
		graph_column(frame, row + GRAPH_HALF, column,
			     json_number_value(json_array_get(out, at)) / most, 1, STYLE_OUT);
	}
}

/* The most telling ones first: what has no room is left out. */
static void put_totals(struct frame *frame, const struct model *model, int row)
{
	static const struct {
		const char *label, *object, *member;
		void (*format)(double value, char *ret_text, size_t size);
	} parts[] = {
		{ "all in ", "totals", "ingress_bytes", units_size },
		{ "  out ", "totals", "egress_bytes", units_size },
		{ "  flows ", "flow_table", "active", units_count },
		{ "  open ", "connection_table", "open", units_count },
		{ "  failed ", "interval", "failed", units_count },
		{ "  dropped ", "interval", "drops", units_count },
		{ "  packets ", "totals", "packets", units_count },
	};
	char number[UNITS_TEXT];
	int at = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		parts[i].format(number_in(model, parts[i].object, parts[i].member), number, sizeof(number));
		if (at + text_width(parts[i].label) + text_width(number) > frame->columns)
			break;
		at += frame_put(frame, row, at, frame->columns - at, STYLE_FAINT, parts[i].label);
		at += frame_put(frame, row, at, frame->columns - at, STYLE_PLAIN, number);
	}
}

static void put_losses(struct frame *frame, const struct model *model, const struct feed_facts *facts,
		       int row)
{
	char text[LINE_TEXT] = "", name[64], number[UNITS_TEXT];
	size_t length = 0;
	const char *member;
	json_t *value;

	if (facts->trouble)
		length = (size_t)snprintf(text, sizeof(text), "  %.300s", facts->trouble);
	if (facts->unread)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "  unread lines %llu",
					   facts->unread);
	json_object_foreach(json_object_get(model->snapshot, "losses"), member, value) {
		if (json_number_value(value) <= 0 || length + sizeof(name) + sizeof(number) > sizeof(text))
			continue;
		text_clean(member, strlen(member), name, sizeof(name));
		units_count(json_number_value(value), number, sizeof(number));
		length += (size_t)snprintf(text + length, sizeof(text) - length, "  %s %s", name, number);
	}
	if (length)
		frame_put(frame, row, 0, frame->columns, STYLE_WARNING, text + 2);
	else if (model->snapshot)
		frame_put(frame, row, 0, frame->columns, STYLE_FAINT, "nothing lost");
}

int overview_put(struct frame *frame, const struct model *model, const struct feed_facts *facts,
		 bool graph)
{
	int row = 0;

	overview_title(frame, model, facts);
	put_rates(frame, model, ++row);
	if (graph) {
		put_graph(frame, model, row + 1);
		row += OVERVIEW_GRAPH_ROWS;
	}
	put_totals(frame, model, ++row);
	put_losses(frame, model, facts, ++row);
	return row + 1;
}
