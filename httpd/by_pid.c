/* SPDX-License-Identifier: MIT */
/* Lists grouped by process, as clients of other monitors want them. */
#include "httpd/by_pid.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/options.h"
#include "httpd/api.h"
#include "httpd/json_text.h"
#include "httpd/owners.h"

#define PER_PID_DEFAULT 100
#define PER_PID_MAX 1000
#define EVENTS_MAX 1000
#define TIME_SIZE 32
#define ERROR_MAX 4095	/* MAX_ERRNO of the kernel */

const struct parameter by_pid_parameters[] = {
	{ "pid", PARAMETER_NUMBER, "the process, 1 to 2147483647",
	  .keys = (const char *const[]){ "pid", NULL }, .min = 1, .max = INT32_MAX,
	  .empty_is_none = true },
	{ "limit", PARAMETER_LIMIT, "at most so many rows of a process, 1 to 1000 (default 100)",
	  .min = 1, .max = PER_PID_MAX, .preset = PER_PID_DEFAULT, .empty_is_none = true },
	{ .name = NULL },
};

/* One row of an answer. */
struct event {
	uint32_t pid;		/* 0 = not known */
	const char *command;	/* of a drop: its owner's; NULL = the row's */
	struct slice row;
	size_t order;
};

struct events {
	struct event *event;
	size_t count;		/* shown */
	size_t total;		/* that there would be */
	size_t pids;
};

/* ---- which rows, in which order -------------------------------------------- */

static int compare(const void *left, const void *right)
{
	const struct event *a = left, *b = right;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* Groups by pid, and keeps as many as may be shown. */
static void group(struct events *events, size_t limit)
{
	size_t used = 0, same = 0;

	events->total = events->count;
	if (events->count)
		qsort(events->event, events->count, sizeof(*events->event), compare);
	for (size_t i = 0; i < events->count && used < EVENTS_MAX; i++) {
		bool is_first = !i || events->event[i].pid != events->event[i - 1].pid;

		same = is_first ? 1 : same + 1;
		events->pids += is_first;
		if (same <= limit)
			events->event[used++] = events->event[i];
	}
	events->count = used;
}

static uint32_t pid_of(struct slice row)
{
	double pid = json_text_number(json_text_member(row, "pid"));

	return pid >= 1 && pid <= INT32_MAX ? (uint32_t)pid : 0;
}

/* All rows of the snapshot's list, or those of one pid. owners NULL: rows say their pid. */
static int collect(const struct server *server, const char *key, const struct owners *owners,
		   const struct list_query *wants, struct events *ret_events)
{
	struct list_query all = { .limit = LIST_LIMIT_MAX };
	uint32_t wanted = wants->filter_count ? (uint32_t)wants->filter[0].number : 0;
	struct events events = { 0 };
	struct list list;

	if (list_select(&all, shot_part(server->shot, key), &list))
		return -ENOMEM;
	events.event = calloc(list.matched + 1, sizeof(*events.event));
	for (size_t i = 0; events.event && i < list.matched; i++) {
		struct event event = { .row = list.rows[i].text, .order = i };
		const struct owner *owner = owners ? owners_find(owners, event.row) : NULL;

		event.pid = owner ? owner->pid : pid_of(event.row);
		event.command = owner ? owner->command : NULL;
		if (event.row.data[0] == '{' && (!wanted || event.pid == wanted))
			events.event[events.count++] = event;
	}
	free(list.rows);
	if (!events.event)
		return -ENOMEM;
	group(&events, wants->limit_given ? wants->limit : PER_PID_DEFAULT);
	*ret_events = events;
	return 0;
}

/* ---- parts of a row -------------------------------------------------------- */

static void add_slice(struct body *body, struct slice slice)
{
	body_add(body, slice.data, slice.length);
}

static void write_text(struct body *body, const char *text)
{
	body_add(body, "\"", 1);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ')
			body_printf(body, "\\u%04x", (unsigned char)*text);
		else
			body_add(body, text, 1);
	}
	body_add(body, "\"", 1);
}

/* Unix time in ms of the first of the members that has one; 0 = none has. */
static int64_t time_of(struct slice row, const char *first, const char *second)
{
	double ms = json_text_number(json_text_member(row, first));

	if (!(ms > 0) && second)
		ms = json_text_number(json_text_member(row, second));
	return ms > 0 && ms < 1e14 ? (int64_t)ms : 0;
}

static void format_time(int64_t ms, char text[TIME_SIZE])
{
	time_t seconds = ms / 1000;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void write_pid(struct body *body, const struct event *event)
{
	struct slice command = json_text_member(event->row, "command");

	body_printf(body, "{\"pid\":%" PRIu32 ",\"command\":", event->pid);
	if (event->command)
		write_text(body, event->command);
	else if (command.data[0] == '"')
		add_slice(body, command);
	else
		body_add(body, "\"\"", 2);
}

/* "10.0.0.2:443", "[fd00::2]:443"; an address has nothing that needs an escape. */
static void write_destination(struct body *body, struct slice row)
{
	struct slice ip = json_text_member(row, "dst_ip"), port = json_text_member(row, "dst_port");
	bool is_v6 = memchr(ip.data, ':', ip.length);

	body_add(body, "\"", 1);
	if (ip.data[0] == '"') {
		body_add(body, "[", is_v6);
		body_add(body, ip.data + 1, ip.length - 2);
		body_add(body, "]", is_v6);
	}
	if (port.data[0] != 'n') {
		body_add(body, ":", 1);
		add_slice(body, port);
	}
	body_add(body, "\"", 1);
}

/* What connect() returned, or would have: the number of the error, negative. */
static int return_code(struct slice row)
{
	static const struct {
		const char *reason;
		int code;
	} codes[] = {
		{ "refused", -ECONNREFUSED }, { "timed_out", -ETIMEDOUT }, { "reset", -ECONNRESET },
		{ "unreachable", -EHOSTUNREACH }, { "aborted", -ECONNABORTED },
	};
	struct slice reason = json_text_member(row, "reason"), state = json_text_member(row, "state");
	char text[TIME_SIZE];
	uint64_t number;

	if (json_text_is(state, "connecting"))
		return -EINPROGRESS;
	if (!json_text_is(state, "failed"))
		return 0;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (json_text_is(reason, codes[i].reason))
			return codes[i].code;
	if (json_text_copy(reason, text, sizeof(text)) && !strncmp(text, "error_", 6) &&
	    !options_number(text + 6, 1, ERROR_MAX, false, &number))
		return -(int)number;
	return -EIO;
}

/* ---- rows ------------------------------------------------------------------ */

/* The row as it was written, open for more members. */
static void write_whole(struct body *body, const struct event *event, const char *const *without)
{
	struct slice key, value;
	struct json_walk walk;

	write_pid(body, event);
	json_walk_enter(&walk, event->row);
	while (json_walk_member(&walk, &key, &value)) {
		bool is_written = slice_equals(key, "pid") || slice_equals(key, "command");

		for (const char *const *name = without; *name; name++)
			is_written |= slice_equals(key, *name);
		if (is_written)
			continue;
		body_add(body, ",\"", 2);
		add_slice(body, key);
		body_add(body, "\":", 2);
		add_slice(body, value);
	}
}

static void write_seconds(struct body *body, int64_t ms)
{
	body_printf(body, ",\"timestamp\":%" PRId64 ".%03d}", ms / 1000, (int)(ms % 1000));
}

static void write_when(struct body *body, int64_t ms)
{
	char text[TIME_SIZE];

	format_time(ms, text);
	body_printf(body, ",\"timestamp\":\"%s\"}", text);
}

static void write_connection_members(struct body *body, struct slice row)
{
	body_printf(body, ",\"destination\":");
	write_destination(body, row);
	body_printf(body, ",\"protocol\":");
	add_slice(body, json_text_member(row, "proto"));
	body_printf(body, ",\"return_code\":%d", return_code(row));
}

static void write_connection(struct body *body, const struct event *event, bool whole)
{
	static const char *const without[] = { "destination", "protocol", "return_code", "timestamp",
					       NULL };
	int64_t ms = time_of(event->row, "started", "ended");

	if (whole)
		write_whole(body, event, without);
	else
		write_pid(body, event);
	write_connection_members(body, event->row);
	if (whole)
		write_seconds(body, ms);
	else
		write_when(body, ms);
}

static void write_drop(struct body *body, const struct event *event, bool whole)
{
	static const char *const without[] = { "timestamp", NULL };
	double packets = json_text_number(json_text_member(event->row, "packets"));
	double bytes = json_text_number(json_text_member(event->row, "bytes"));
	int64_t ms = time_of(event->row, "last", NULL);

	if (whole) {
		write_whole(body, event, without);
		write_seconds(body, ms);
		return;
	}
	write_pid(body, event);
	body_printf(body, ",\"drop_reason\":");
	add_slice(body, json_text_member(event->row, "reason"));
	body_printf(body, ",\"skb_length\":%.0f", packets >= 1 && bytes >= 0 ? bytes / packets : 0);
	write_when(body, ms);
}

/* ---- answers --------------------------------------------------------------- */

static void write_groups(struct body *body, const char *name, const struct events *events,
			 bool whole, void (*write)(struct body *body, const struct event *event,
						   bool whole))
{
	body_printf(body, ",\"%s\":{", name);
	for (size_t i = 0; i < events->count; i++) {
		const struct event *event = &events->event[i];
		bool is_first = !i || event[-1].pid != event->pid;

		if (is_first)
			body_printf(body, "%s\"%" PRIu32 "\":[", i ? "]," : "", event->pid);
		else
			body_add(body, ",", 1);
		write(body, event, whole);
	}
	body_add(body, "]", events->count > 0);
	body_add(body, "}", 1);
}

static enum MHD_Result answer(struct server *server, struct request *request,
			      const struct events *events, const char *name, const char *what,
			      void (*write)(struct body *body, const struct event *event, bool whole))
{
	bool truncated = events->count < events->total;
	struct body body = { 0 };
	char now[TIME_SIZE];

	format_time((int64_t)time(NULL) * 1000, now);
	api_begin(server, &body);
	body_printf(&body, ",\"total_pids\":%zu,\"total_events\":%zu,\"total\":%zu,\"truncated\":%s",
		    events->pids, events->count, events->total, truncated ? "true" : "false");
	body_printf(&body, ",\"query_time\":\"%s\",\"message\":\"Found %zu %s across %zu processes%s\"",
		    now, events->count, what, events->pids,
		    truncated ? " (results truncated due to limit)" : "");
	write_groups(&body, "events_by_pid", events, true, write);
	write_groups(&body, name, events, false, write);
	return api_end(request, &body);
}

enum MHD_Result by_pid_connections(struct server *server, struct request *request)
{
	enum MHD_Result result;
	struct events events;

	if (!server->shot)
		return api_waiting(request);
	if (collect(server, "connections", NULL, request->wants, &events))
		return MHD_NO;
	result = answer(server, request, &events, "connections", "connections", write_connection);
	free(events.event);
	return result;
}

enum MHD_Result by_pid_drops(struct server *server, struct request *request)
{
	enum MHD_Result result = MHD_NO;
	struct owners owners;
	struct events events;

	if (!server->shot)
		return api_waiting(request);
	owners_make(server->shot, &owners);
	if (!collect(server, "drop_flows", &owners, request->wants, &events)) {
		result = answer(server, request, &events, "drops", "packet drops", write_drop);
		free(events.event);
	}
	owners_free(&owners);
	return result;
}
