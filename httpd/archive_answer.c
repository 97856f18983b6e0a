/* SPDX-License-Identifier: MIT */
/* Requests that are answered from the recorder's database. */
#include "httpd/archive_answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/questions.h"
#include "httpd/routes.h"
#include "httpd/server.h"

/* ---- waiting --------------------------------------------------------------- */

static const struct reply_field soon[] = { { "Retry-After", "1" }, { NULL, NULL } };
static const struct reply_field later[] = { { "Retry-After", "5" }, { NULL, NULL } };

static const struct archive_entry *refuse(struct request *request, const struct archive_entry *entry,
					  enum MHD_Result *ret_result)
{
	if (entry->state == ARCHIVE_LATE)
		*ret_result = reply_problem(request, MHD_HTTP_GATEWAY_TIMEOUT, NULL, "the database: %s",
					    entry->why);
	else
		*ret_result = reply_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, later,
					    "the database: %s", entry->why);
	return NULL;
}

static void wait_for(struct request *request, struct archive_entry *entry)
{
	request->asked = entry;
	request->waits = true;
	LIST_INSERT_HEAD(&entry->waiters, request, waiting);
	MHD_suspend_connection(request->connection);
}

const struct archive_entry *archive_get(struct server *server, struct request *request,
					const struct archive_question *question,
					enum MHD_Result *ret_result)
{
	struct archive_entry *entry = request->asked;

	if (!server->archive.enabled) {
		*ret_result = reply_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
					    "there is no database; start httpd with --db FILE");
		return NULL;
	}
	if (!entry) {
		entry = archive_join(&server->archive, question, server_now_ms());
		if (!entry) {
			*ret_result = reply_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, soon,
						    "the database is asked too much; try again");
			return NULL;
		}
		if (!archive_is_done(entry)) {
			wait_for(request, entry);
			*ret_result = MHD_YES;
			return NULL;
		}
		request->asked = entry;
	}
	return entry->state == ARCHIVE_ANSWERED ? entry : refuse(request, entry, ret_result);
}

void archive_left(struct server *server, struct request *request)
{
	if (request->waits)
		LIST_REMOVE(request, waiting);
	request->waits = false;
	if (request->asked)
		archive_leave(&server->archive, request->asked);
	request->asked = NULL;
}

static void wake(void *closure, struct archive_entry *entry)
{
	struct request *request;

	(void)closure;
	while ((request = LIST_FIRST(&entry->waiters))) {
		LIST_REMOVE(request, waiting);
		request->waits = false;
		MHD_resume_connection(request->connection);
	}
}

void archive_ready(struct server *server)
{
	/* When it is gone its descriptor is closed, and is in no epoll any more. */
	archive_take(&server->archive, server_now_ms(), wake, NULL);
}

void archive_tick(struct server *server)
{
	archive_sweep(&server->archive, server_now_ms(), wake, NULL);
}

void archive_stop(struct server *server)
{
	struct archive_entry *entry;

	TAILQ_FOREACH(entry, &server->archive.entries, link)
		wake(NULL, entry);
}

/* ---- what they take -------------------------------------------------------- */

#define TEXT_MAX 64

#define TIMES \
	{ "last", PARAMETER_TEXT, "from so long before to: 2h, 7d, 1mo (default 24h); not together with " \
	  "from", .max = TEXT_MAX, .example = "2h" }, \
	{ "from", PARAMETER_TEXT, "when it begins: Unix time in s or ms, 2026-11-21T14:00Z, 2h ago, " \
	  "yesterday", .max = TEXT_MAX, .example = "2h ago" }, \
	{ "to", PARAMETER_TEXT, "when it ends, in the same ways (default: now)", .max = TEXT_MAX, \
	  .example = "now" }
#define PROCESS \
	{ "process", PARAMETER_TEXT, "only of this command, 1 to 64 bytes", .max = TEXT_MAX }
#define ADDRESS \
	{ "ip", PARAMETER_IP, "only with these remotes: an address, or a network such as 10.0.0.0/8", \
	  .keys = NULL }
#define PROTO \
	{ "proto", PARAMETER_TEXT, "only of this protocol, in any case, 1 to 64 bytes", .max = TEXT_MAX, \
	  .example = "TCP" }
#define HOST \
	{ "host", PARAMETER_TEXT, "only of this host, 1 to 255 bytes", .max = ARCHIVE_NAME_MAX - 1 }
#define LIMIT \
	{ "n", PARAMETER_LIMIT, "at most so many rows, 1 to 10000", .min = 1, .max = LIST_LIMIT_MAX }
#define END { .name = NULL }

static const char *const step_words[] = { "10s", "1min", "5min", "15min", "1h", "6h", "1d", "1w", "1mo",
					  NULL };

const struct parameter archive_top_parameters[] = {
	{ "by", PARAMETER_WORD, "what rows are told apart by (default process)", .words = top_bys },
	TIMES, PROCESS, ADDRESS, PROTO, HOST, LIMIT, END,
};
const struct parameter archive_history_parameters[] = {
	{ "step", PARAMETER_WORD, "10s, 1min, 5min, 15min, 1h, 6h, 1d, 1w, 1mo; longer where there is no "
	  "finer one", .words = step_words },
	TIMES, PROCESS, ADDRESS, PROTO, HOST, END,
};
const struct parameter archive_protocols_parameters[] = { TIMES, PROTO, HOST, LIMIT, END };
const struct parameter archive_remotes_parameters[] = { TIMES, PROCESS, ADDRESS, PROTO, HOST, LIMIT, END };
const struct parameter archive_drops_parameters[] = { TIMES, PROTO, HOST, LIMIT, END };
const struct parameter archive_latency_parameters[] = { TIMES, HOST, END };
const struct parameter archive_flows_parameters[] = { TIMES, PROCESS, ADDRESS, PROTO, HOST, LIMIT, END };

/* ---- what they answer ------------------------------------------------------ */

#define SECONDS "{\"type\":\"integer\"}"
#define SECONDS_OR_NULL "{\"type\":[\"integer\",\"null\"]}"
#define MEMBERS(name, by_kind) \
	const struct member archive_##name##_members[] = { \
		{ "report", "const:" #name, .what = "the question, as of report" }, \
		{ "by", by_kind, .what = "what rows are told apart by; null: there is no choice" }, \
		{ "from", SECONDS, .what = "Unix time in seconds that was asked for" }, \
		{ "to", SECONDS, .what = "Unix time in seconds that was asked for" }, \
		{ "covered_from", SECONDS_OR_NULL, .what = "what the sums really cover, as whole slots; " \
		  "null: nothing was recorded" }, \
		{ "covered_to", SECONDS_OR_NULL, .what = "its end" }, \
		{ "rows", "report:" #name, .what = "largest first; a history by time" }, \
		{ .key = NULL }, \
	}

MEMBERS(top, "word:process remote protocol port flow");
MEMBERS(history, "{\"type\":\"null\"}");
MEMBERS(protocols, "{\"type\":\"null\"}");
MEMBERS(remotes, "{\"type\":\"null\"}");
MEMBERS(drops, "{\"type\":\"null\"}");
MEMBERS(latency, "{\"type\":\"null\"}");
MEMBERS(flows, "{\"type\":\"null\"}");

/* ---- questions ------------------------------------------------------------- */

static const struct filter *find(const struct list_query *wants, const char *name)
{
	for (size_t i = 0; i < wants->filter_count; i++)
		if (!strcmp(wants->filter[i].parameter->name, name))
			return &wants->filter[i];
	return NULL;
}

static const char *text_of(const struct filter *filter)
{
	return filter ? filter->text : NULL;
}

void archive_put_text(char to[ARCHIVE_NAME_MAX], const struct filter *filter)
{
	if (filter)
		snprintf(to, ARCHIVE_NAME_MAX, "%s", filter->text);
}

void archive_put_network(struct archive_question *question, const struct filter *filter)
{
	if (!filter)
		return;
	question->family = filter->network.family == AF_INET ? 4 : 6;
	memcpy(question->address, filter->network.ip, sizeof(question->address));
	question->bits = filter->network.bits;
}

static uint8_t index_of(const char *const *words, const char *word)
{
	uint8_t i = 0;

	while (words && word && words[i] && strcmp(words[i], word))
		i++;
	return i;
}

/* The first filter that the question has not where rows are told apart by that; or NULL. */
static const char *find_lacking(const struct question *question, const struct list_query *wants)
{
	static const struct {
		const char *name;
		unsigned int option;
	} filters[] = {
		{ "process", ASKS_PROCESS }, { "ip", ASKS_IP }, { "proto", ASKS_PROTO },
	};
	unsigned int options = question_options(question, text_of(find(wants, "by")));

	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++)
		if (find(wants, filters[i].name) && !(options & filters[i].option))
			return filters[i].name;
	return NULL;
}

static const struct question *question_of(const struct request *request)
{
	const char *name = request->route->path + strlen(ARCHIVE_PATH);

	for (size_t i = 0; i < QUESTIONS; i++)
		if (!strcmp(questions[i].name, name))
			return &questions[i];
	return NULL;
}

/* 0, or -EINVAL with the parameter at fault and what is wrong about it. */
static int fill(const struct question *question, const struct list_query *wants,
		struct archive_question *q, const char **ret_name, const char **ret_why)
{
	const char *by = text_of(find(wants, "by")), *step = text_of(find(wants, "step"));
	const struct question_range range = {
		.from = text_of(find(wants, "from")), .last = text_of(find(wants, "last")),
		.to = text_of(find(wants, "to")),
	};
	struct ask_request times = { .step = step };

	*ret_name = find_lacking(question, wants);
	*ret_why = "is not kept by port";
	if (*ret_name || question_range(&range, (int64_t)time(NULL), &times, ret_name, ret_why))
		return -EINVAL;
	q->kind = ARCHIVE_REPORT;
	q->question = (uint8_t)(question - questions);
	q->by = by ? index_of(question->bys, by) : 0;
	q->now = times.now;
	q->from = times.from;
	q->to = times.to;
	q->limit = wants->limit_given ? wants->limit : question->limit;
	archive_put_text(q->process, find(wants, "process"));
	archive_put_text(q->proto, find(wants, "proto"));
	archive_put_text(q->host, find(wants, "host"));
	archive_put_network(q, find(wants, "ip"));
	snprintf(q->step_name, sizeof(q->step_name), "%s", step ? step : "");
	return 0;
}

static void free_text(void *closure)
{
	blob_unref(closure);
}

/* The text is shared by all who asked. */
static enum MHD_Result reply_text(struct request *request, struct blob *text)
{
	struct MHD_IoVec part = { text->data, text->length };
	struct MHD_Response *response = MHD_create_response_from_iovec(&part, 1, free_text, blob_ref(text));

	if (!response)
		blob_unref(text);
	return reply_send(request, MHD_HTTP_OK, response, TYPE_JSON, CACHE_NEVER, NULL);
}

enum MHD_Result archive_report(struct server *server, struct request *request)
{
	struct archive_question question = { 0 };
	const struct archive_entry *entry;
	enum MHD_Result result;
	const char *name, *why;

	if (!request->asked && fill(question_of(request), request->wants, &question, &name, &why))
		return reply_problem(request, MHD_HTTP_BAD_REQUEST, NULL, "%s: %s", name, why);
	entry = archive_get(server, request, &question, &result);
	return entry ? reply_text(request, entry->text) : result;
}
