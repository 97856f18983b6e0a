/* SPDX-License-Identifier: MIT */
/* The answers in JSON. */
#include "httpd/api.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/version.h"

static const char *bool_text(bool value)
{
	return value ? "true" : "false";
}

enum MHD_Result api_waiting(struct request *request)
{
	static const struct reply_field later[] = { { "Retry-After", "1" }, { NULL, NULL } };

	return reply_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, later,
			     "no snapshot has come in yet");
}

void api_begin(const struct server *server, struct body *body)
{
	struct slice timestamp = server->shot->timestamp;

	body_add(body, "{\"timestamp\":", 13);
	body_add(body, timestamp.data, timestamp.length);
	body_printf(body, ",\"stale\":%s", bool_text(server_is_stale(server)));
}

enum MHD_Result api_end(struct request *request, struct body *body)
{
	body_add(body, "}\n", 2);
	return reply_body(request, MHD_HTTP_OK, body, TYPE_JSON, CACHE_NEVER);
}

enum MHD_Result api_health(struct server *server, struct request *request)
{
	const char *status = server_is_stale(server) ? "stale" : server->shot ? "ok" : "waiting";
	struct body body = { 0 };

	body_printf(&body, "{\"status\":\"%s\",\"version\":\"%s\"}\n", status, JOPIL_VERSION);
	return reply_body(request, MHD_HTTP_OK, &body, TYPE_JSON, CACHE_NEVER);
}

static void write_time(struct body *body, const char *before, int64_t seconds)
{
	if (seconds)
		body_printf(body, "%s%" PRId64, before, seconds * 1000);
	else
		body_printf(body, "%snull", before);
}

static void write_database(const struct archive *archive, struct body *body)
{
	const struct archive_counters *c = &archive->counters;

	if (!archive->enabled) {
		body_printf(body, ",\"database\":null");
		return;
	}
	body_printf(body, ",\"database\":{\"running\":%s", bool_text(archive->fd >= 0));
	write_time(body, ",\"oldest\":", archive->extent.oldest);
	write_time(body, ",\"newest\":", archive->extent.newest);
	body_printf(body, ",\"asked\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"refused\":%" PRIu64,
		    c->asked, c->answered, c->refused);
	body_printf(body, ",\"late\":%" PRIu64 ",\"shared\":%" PRIu64 ",\"restarts\":%" PRIu64 "}",
		    c->late, c->shared, c->restarts);
}

static void write_counters(const struct server *server, struct body *body)
{
	const struct counters *c = &server->counters;
	uint64_t age_ms = server_now_ms() - server->snapshot_ms;

	body_printf(body, "{\"clients\":{\"sse\":%" PRIu64 ",\"websocket\":%" PRIu64
		    "},\"frames_sent\":%" PRIu64 ",\"frames_lost\":%" PRIu64, server->sse_count,
		    server->ws_count, c->frames_sent, c->frames_lost);
	body_printf(body, ",\"messages\":%" PRIu64 ",\"connections\":%" PRIu64
		    ",\"requests\":%" PRIu64, c->messages, server->peers.count, c->requests);
	body_printf(body, ",\"lines\":%" PRIu64 ",\"snapshots\":%" PRIu64 ",\"bad_lines\":%" PRIu64
		    ",\"other_lines\":%" PRIu64, c->lines, c->snapshots, c->bad_lines,
		    c->other_lines);
	body_printf(body, ",\"stale\":%s,\"snapshot_age_ms\":%" PRIu64 ",\"sandbox\":"
		    "{\"seccomp\":%s,\"landlock\":%d,\"system_calls\":%zu}",
		    bool_text(server_is_stale(server)), age_ms,
		    bool_text(server->sandbox.seccomp), server->sandbox.landlock,
		    server->sandbox.calls);
	write_database(&server->archive, body);
	body_printf(body, ",\"limits\":");
	bounds_write(&server->bounds, body);
	body_add(body, "}", 1);
}

/* One piece, which libmicrohttpd sends together with the header, in one call. */
static struct MHD_Response *make_stats(struct server *server, const struct request *request)
{
	struct blob *stats = shot_message(server->shot, TOPIC_STATS, SHOT_LIMITED);
	struct body body = { 0 };

	if (!stats)
		return NULL;
	/* Goes on where the shared text closes its object. */
	body_add(&body, stats->data, stats->length - 1);
	body_printf(&body, ",\"httpd\":");
	write_counters(server, &body);
	body_add(&body, "}\n", 2);
	return reply_make(request, &body, TYPE_JSON, CACHE_NEVER);
}

/*
 * Who asks within the same millisecond gets the same answer: all times in it are in
 * milliseconds, and its counters are those of the first who asked.
 */
enum MHD_Result api_stats(struct server *server, struct request *request)
{
	struct stats_answer *last = &server->stats, now = {
		.made_ms = server_now_ms(),
		.snapshots = server->counters.snapshots,
		.stale = server_is_stale(server),
	};

	if (!server->shot)
		return api_waiting(request);
	/* Pages of other sites are told their own origin: an answer of theirs is for them alone. */
	if (request->allow_origin) {
		api_forget_stats(server);
		now.made_ms = 0;
	}
	if (!last->response || last->made_ms != now.made_ms || last->snapshots != now.snapshots ||
	    last->stale != now.stale) {
		now.response = make_stats(server, request);
		api_forget_stats(server);
		*last = now;
	}
	return reply_shared(request, MHD_HTTP_OK, last->response);
}

void api_forget_stats(struct server *server)
{
	if (server->stats.response)
		MHD_destroy_response(server->stats.response);
	server->stats.response = NULL;
}
