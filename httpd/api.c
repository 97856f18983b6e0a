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
		    "{\"seccomp\":%s,\"landlock\":%d,\"system_calls\":%zu},\"limits\":",
		    bool_text(server_is_stale(server)), age_ms,
		    bool_text(server->sandbox.seccomp), server->sandbox.landlock,
		    server->sandbox.calls);
	bounds_write(&server->bounds, body);
	body_add(body, "}", 1);
}

/* What /api/stats is made of: bytes that all requests share, and those of this one. */
struct stats_answer {
	struct blob *shared;
	struct body own;
};

static void free_stats(void *closure)
{
	struct stats_answer *answer = closure;

	blob_unref(answer->shared);
	free(answer->own.data);
	free(answer);
}

static struct MHD_Response *make_stats(struct server *server)
{
	struct stats_answer *answer = calloc(1, sizeof(*answer));
	struct MHD_Response *response = NULL;
	struct blob *stats = shot_message(server->shot, TOPIC_STATS, SHOT_LIMITED);
	struct MHD_IoVec parts[2];

	if (!answer || !stats) {
		free(answer);
		return NULL;
	}
	answer->shared = blob_ref(stats);
	body_printf(&answer->own, ",\"httpd\":");
	write_counters(server, &answer->own);
	body_add(&answer->own, "}\n", 2);
	/* Goes on where the shared text closes its object. */
	parts[0] = (struct MHD_IoVec){ stats->data, stats->length - 1 };
	parts[1] = (struct MHD_IoVec){ answer->own.data, answer->own.length };
	if (!answer->own.failed)
		response = MHD_create_response_from_iovec(parts, 2, free_stats, answer);
	if (!response)
		free_stats(answer);
	return response;
}

enum MHD_Result api_stats(struct server *server, struct request *request)
{
	if (!server->shot)
		return api_waiting(request);
	return reply_send(request, MHD_HTTP_OK, make_stats(server), TYPE_JSON, CACHE_NEVER, NULL);
}
