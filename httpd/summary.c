/* SPDX-License-Identifier: MIT */
/* What the last seconds had, of everybody or of one process: connections, drops. */
#include "httpd/summary.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "httpd/api.h"
#include "httpd/ledger.h"

#define DURATION_DEFAULT 60
#define DURATION_MAX 1000000000	/* seconds; what is kept is an hour */
#define GROUPS_MAX 100		/* rows of a list in an answer, the largest */
#define MESSAGE_MAX 256
#define TIME_SIZE 32
#define COMMAND_MAX 64

static const char *const by_pid[] = { "pid", NULL };
static const char *const by_command[] = { "command", NULL };
static const char *const by_duration[] = { "duration", NULL };

static const char duration_help[] = "seconds to look back, 1 to 1000000000 (default 60)";

const struct parameter summary_parameters[] = {
	{ "pid", PARAMETER_NUMBER, "the process, 1 to 2147483647", .keys = by_pid,
	  .min = 1, .max = INT32_MAX, .empty_is_none = true },
	{ "command", PARAMETER_TEXT, "the name of the process, 1 to 64 bytes", .keys = by_command,
	  .max = COMMAND_MAX, .empty_is_none = true },
	{ "process_name", PARAMETER_TEXT, "the same as command", .keys = by_command,
	  .max = COMMAND_MAX, .empty_is_none = true },
	{ "duration", PARAMETER_NUMBER, duration_help, .keys = by_duration,
	  .min = 1, .max = DURATION_MAX, .preset = DURATION_DEFAULT },
	{ "duration_seconds", PARAMETER_NUMBER, duration_help, .keys = by_duration,
	  .min = 1, .max = DURATION_MAX, .preset = DURATION_DEFAULT, .empty_is_none = true },
	{ .name = NULL },
};

/* ---- the question ---------------------------------------------------------- */

static const struct filter *find(const struct list_query *wants, const char *const *keys)
{
	for (size_t i = 0; i < wants->filter_count; i++)
		if (wants->filter[i].parameter->keys == keys)
			return &wants->filter[i];
	return NULL;
}

/* The name of a parameter that contradicts another one; NULL if none does. */
static const char *find_contradiction(const struct list_query *wants)
{
	for (size_t i = 0; i < wants->filter_count; i++) {
		const struct filter *filter = &wants->filter[i];
		const struct filter *first = find(wants, filter->parameter->keys);

		if (strcmp(first->text, filter->text))
			return filter->parameter->name;
	}
	return NULL;
}

static struct ledger_ask read_question(const struct list_query *wants)
{
	const struct filter *pid = find(wants, by_pid), *command = find(wants, by_command);
	const struct filter *duration = find(wants, by_duration);

	return (struct ledger_ask){
		.who = { pid ? (uint32_t)pid->number : 0, command ? command->text : NULL },
		.seconds = duration ? (uint64_t)duration->number : DURATION_DEFAULT,
	};
}

/* ---- groups of rows -------------------------------------------------------- */

/* Which bytes of a key make a group: 0xff in those that count. */
static struct ledger_key mask_destination(void)
{
	struct ledger_key mask = { .port = 0xffff, .kind = 0xff, .ingress = 0xff, .has_port = 0xff,
				   .family = 0xff };

	memset(mask.ip, 0xff, sizeof(mask.ip));
	memset(mask.proto, 0xff, sizeof(mask.proto));
	return mask;
}

static struct ledger_key mask_protocol(void)
{
	struct ledger_key mask = { .kind = 0xff };

	memset(mask.proto, 0xff, sizeof(mask.proto));
	return mask;
}

static struct ledger_key mask_process(void)
{
	struct ledger_key mask = { .kind = 0xff, .pid = UINT32_MAX };

	memset(mask.name, 0xff, sizeof(mask.name));
	return mask;
}

static struct ledger_key mask_reason(void)
{
	struct ledger_key mask = { .kind = 0xff };

	memset(mask.name, 0xff, sizeof(mask.name));
	return mask;
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static int put_destination(json_t *row, const struct ledger_key *key)
{
	char ip[INET6_ADDRSTRLEN] = "";

	if (key->family)
		inet_ntop(key->family, key->ip, ip, sizeof(ip));
	return json_object_set_new(row, "dst_ip", text_or_null(ip)) |
	       json_object_set_new(row, "dst_port", key->has_port ? json_integer(key->port)
								  : json_null()) |
	       json_object_set_new(row, "proto", text_or_null(key->proto));
}

static int put_connect_destination(json_t *row, const struct ledger_key *key)
{
	return put_destination(row, key) |
	       json_object_set_new(row, "direction",
				   json_string(key->ingress ? "ingress" : "egress"));
}

static int put_protocol(json_t *row, const struct ledger_key *key)
{
	return json_object_set_new(row, "proto", text_or_null(key->proto));
}

static int put_process(json_t *row, const struct ledger_key *key)
{
	return json_object_set_new(row, "pid", key->pid ? json_integer(key->pid) : json_null()) |
	       json_object_set_new(row, "command", text_or_null(key->name));
}

static int put_reason(json_t *row, const struct ledger_key *key)
{
	return json_object_set_new(row, "reason", text_or_null(key->name));
}

/* One list of an answer. */
struct grouping {
	const char *name;
	enum ledger_kind kind;
	struct ledger_key (*mask)(void);
	int (*put)(json_t *row, const struct ledger_key *key);
	const char *count, *other;	/* what the numbers are called; other NULL: not told */
};

static json_t *make_row(const struct grouping *grouping, const struct ledger_row *group)
{
	json_t *row = json_object();
	int failed = grouping->put(row, &group->key);

	failed |= json_object_set_new(row, grouping->count, json_integer((json_int_t)group->count));
	if (grouping->other)
		failed |= json_object_set_new(row, grouping->other,
					      json_integer((json_int_t)group->other));
	if (failed) {
		json_decref(row);
		return NULL;
	}
	return row;
}

/* The largest groups; NULL without memory. */
static json_t *make_groups(const struct grouping *grouping, const struct ledger *ledger,
			   const struct ledger_ask *ask)
{
	struct ledger_key mask = grouping->mask();
	struct ledger_row *groups;
	json_t *array = json_array();
	size_t count;

	if (ledger_group(ledger, ask, grouping->kind, &mask, GROUPS_MAX, &groups, &count)) {
		json_decref(array);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		if (json_array_append_new(array, make_row(grouping, &groups[i]))) {
			json_decref(array);
			array = NULL;
			break;
		}
	}
	free(groups);
	return array;
}

/* ---- the answer ------------------------------------------------------------ */

static int set_number(json_t *answer, const char *name, uint64_t number)
{
	return json_object_set_new(answer, name, json_integer((json_int_t)number));
}

static int set_text(json_t *answer, const char *name, const char *text)
{
	return json_object_set_new(answer, name, json_string(text));
}

static int set_query(json_t *answer, const struct ledger_ask *ask)
{
	const struct ledger_who *who = &ask->who;
	json_t *query = json_object();
	int failed;

	failed = json_object_set_new(query, "pid", who->pid ? json_integer(who->pid) : json_null());
	failed |= json_object_set_new(query, "command", text_or_null(who->command ? who->command : ""));
	failed |= set_number(query, "duration", ask->seconds);
	return failed | json_object_set_new(answer, "query", query);
}

static void format_now(char text[TIME_SIZE])
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* "Found 5 connection attempts from PID 7 over 60 seconds" */
static void format_message(char text[MESSAGE_MAX], uint64_t count, const char *what,
			   const struct ledger_ask *ask)
{
	const struct ledger_who *who = &ask->who;
	char from[MESSAGE_MAX / 2] = "";

	if (who->pid && who->command)
		snprintf(from, sizeof(from), " from PID %" PRIu32 " and command '%s'", who->pid,
			 who->command);
	else if (who->pid)
		snprintf(from, sizeof(from), " from PID %" PRIu32, who->pid);
	else if (who->command)
		snprintf(from, sizeof(from), " from command '%s'", who->command);
	snprintf(text, MESSAGE_MAX, "Found %" PRIu64 " %s%s over %" PRIu64 " seconds", count, what,
		 from, ask->seconds);
}

/* What both answers begin with; not 0 without memory. */
static int set_head(json_t *answer, const struct server *server, const struct ledger_ask *ask,
		    const struct ledger_sum *sum, uint64_t count, const char *what)
{
	char now[TIME_SIZE], message[MESSAGE_MAX];
	const struct ledger_who *who = &ask->who;
	int failed;

	format_now(now);
	format_message(message, count, what, ask);
	failed = set_number(answer, "timestamp", (uint64_t)server->shot->timestamp_ms);
	failed |= json_object_set_new(answer, "stale", json_boolean(server_is_stale(server)));
	failed |= set_number(answer, "count", count);
	failed |= set_number(answer, "total", count);
	failed |= set_number(answer, "pid", who->pid);
	failed |= set_text(answer, "command", who->command ? who->command : "");
	failed |= set_number(answer, "duration", ask->seconds);
	failed |= set_number(answer, "duration_seconds", ask->seconds);
	failed |= set_text(answer, "query_time", now);
	failed |= set_text(answer, "message", message);
	failed |= set_query(answer, ask);
	failed |= set_number(answer, "since", (uint64_t)sum->since_ms);
	return failed | set_number(answer, "until", (uint64_t)sum->until_ms);
}

static int set_groups(json_t *answer, const struct grouping *groupings, size_t count,
		      const struct ledger *ledger, const struct ledger_ask *ask)
{
	int failed = 0;

	for (size_t i = 0; i < count; i++)
		failed |= json_object_set_new(answer, groupings[i].name,
					      make_groups(&groupings[i], ledger, ask));
	return failed;
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static int set_connections(json_t *answer, const struct server *server,
			   const struct ledger_ask *ask, const struct ledger_sum *sum)
{
	static const struct grouping groupings[] = {
		{ "by_destination", LEDGER_CONNECT, mask_destination, put_connect_destination,
		  "opened", "failed" },
		{ "by_protocol", LEDGER_CONNECT, mask_protocol, put_protocol, "opened", "failed" },
		{ "by_process", LEDGER_CONNECT, mask_process, put_process, "opened", "failed" },
	};
	int failed = set_head(answer, server, ask, sum, sum->begun, "connection attempts");

	failed |= set_number(answer, "total_attempts", sum->begun);
	failed |= set_number(answer, "begun", sum->begun);
	failed |= set_number(answer, "accepted", sum->accepted);
	failed |= set_number(answer, "failed", sum->failed);
	failed |= json_object_set_new(answer, "complete", json_boolean(!sum->left_out));
	failed |= set_number(answer, "left_out", sum->left_out);
	return failed | set_groups(answer, groupings, COUNT(groupings), &server->ledger, ask);
}

static json_t *amount(uint64_t packets, uint64_t bytes)
{
	return json_pack("{s:I,s:I}", "packets", (json_int_t)packets, "bytes", (json_int_t)bytes);
}

/*
 * Of everybody the counters say it all. Whose a drop is, is known of those drops only
 * that have a row in drop_flows which belongs to a connection or flow of somebody.
 */
static int set_drops(json_t *answer, const struct server *server, const struct ledger_ask *ask,
		     const struct ledger_sum *sum)
{
	static const struct grouping groupings[] = {
		{ "by_reason", LEDGER_DROP, mask_reason, put_reason, "packets", "bytes" },
		{ "by_protocol", LEDGER_DROP, mask_protocol, put_protocol, "packets", "bytes" },
		{ "by_destination", LEDGER_DROP_FLOW, mask_destination, put_destination, "packets",
		  NULL },
		{ "by_process", LEDGER_DROP_FLOW, mask_process, put_process, "packets", NULL },
	};
	bool of_all = !ask->who.pid && !ask->who.command;
	uint64_t count = of_all ? sum->drops : sum->drop_flows;
	int failed = set_head(answer, server, ask, sum, count, "packet drops");

	failed |= set_number(answer, "total_drops", count);
	failed |= json_object_set_new(answer, "bytes", of_all ? json_integer((json_int_t)sum->drop_bytes)
							      : json_null());
	failed |= json_object_set_new(answer, "unspecified", of_all ?
				      amount(sum->unspecified, sum->unspecified_bytes) : json_null());
	failed |= set_number(answer, "with_flow", sum->drop_flows);
	failed |= json_object_set_new(answer, "complete", json_boolean(of_all || sum->all_owned));
	return failed | set_groups(answer, groupings, COUNT(groupings), &server->ledger, ask);
}

static enum MHD_Result reply_json(struct request *request, json_t *answer, bool failed)
{
	char *text = failed ? NULL : json_dumps(answer, JSON_COMPACT);
	struct body body = { .failed = !text };

	if (text)
		body_printf(&body, "%s\n", text);
	free(text);
	json_decref(answer);
	return reply_body(request, MHD_HTTP_OK, &body, TYPE_JSON, CACHE_NEVER);
}

static enum MHD_Result summarize(struct server *server, struct request *request,
				 int (*set)(json_t *answer, const struct server *server,
					    const struct ledger_ask *ask,
					    const struct ledger_sum *sum))
{
	const char *name = find_contradiction(request->wants);
	struct ledger_ask ask;
	struct ledger_sum sum;
	json_t *answer;

	if (name)
		return reply_problem(request, MHD_HTTP_BAD_REQUEST, NULL,
				     "%s: says something else than another parameter does", name);
	if (!server->shot)
		return api_waiting(request);
	ask = read_question(request->wants);
	ledger_sum(&server->ledger, &ask, &sum);
	answer = json_object();
	return reply_json(request, answer, set(answer, server, &ask, &sum) != 0);
}

enum MHD_Result summary_connections(struct server *server, struct request *request)
{
	return summarize(server, request, set_connections);
}

enum MHD_Result summary_drops(struct server *server, struct request *request)
{
	return summarize(server, request, set_drops);
}
