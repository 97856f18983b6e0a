/* SPDX-License-Identifier: MIT */
/* The one table of what httpd answers, and the way of a request to its row. */
#include "httpd/routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "httpd/access.h"
#include "httpd/answers.h"
#include "httpd/api.h"
#include "httpd/archive_answer.h"
#include "httpd/assets.h"
#include "httpd/by_pid.h"
#include "httpd/field.h"
#include "httpd/guard.h"
#include "httpd/history_answer.h"
#include "httpd/json_query.h"
#include "httpd/listener.h"
#include "httpd/metrics.h"
#include "httpd/names.h"
#include "httpd/openapi.h"
#include "httpd/page.h"
#include "httpd/sse.h"
#include "httpd/stream.h"
#include "httpd/summary.h"
#include "httpd/ws.h"

#define ALLOW_MAX 64
#define LOG_MAX 256
#define NUMBER_MAX 10	/* digits; a pid has at most 7 */

#define LIST(name) .tag = TAG_LISTS, .members = name##_members, .lines = #name
/* As `report NAME --format json` prints it. */
#define REPORT(name, help) \
	{ "GET", ARCHIVE_PATH #name, archive_report, NULL, archive_##name##_parameters, 0, help, \
	  .tag = TAG_SUMMARIES, .members = archive_##name##_members, .errors = { 503, 504 } }
#define SUMMARY(name) .tag = TAG_SUMMARIES, .members = name##_members

const struct route routes[] = {
	{ "GET", "/health", api_health, NULL, NULL, ROUTE_OPEN | ROUTE_ANY_QUERY,
	  "whether snapshots come in: ok, waiting or stale", .tag = TAG_SERVER,
	  .members = health_members },
	{ "GET", "/api/stats", api_stats, NULL, NULL, ROUTE_WAITS,
	  "the last snapshot's totals and rates without its lists, and httpd's own counters",
	  .tag = TAG_SERVER, .members = httpd_members },
	{ "GET", "/api/flows", lists_answer, &list_flows, flow_parameters, ROUTE_WAITS,
	  "the flows of the last snapshot", LIST(flows) },
	{ "GET", "/api/connections", lists_answer, &list_connections, connection_parameters,
	  ROUTE_WAITS, "connections that are open or ended lately, with their owner",
	  LIST(connections) },
	{ "GET", "/api/connects", lists_answer, &list_connects, connect_parameters, ROUTE_WAITS,
	  "connections opened and failed in the last interval, folded", LIST(connects) },
	{ "GET", "/api/packets", lists_answer, &list_packets, packet_parameters, ROUTE_WAITS,
	  "the last packets of the last interval, one by one", LIST(packets) },
	{ "GET", "/api/processes", lists_answer, &list_processes, process_parameters, ROUTE_WAITS,
	  "what each process has moved, and what nobody owns", LIST(processes) },
	{ "GET", "/api/processes/", lists_process, NULL, NULL, ROUTE_NUMBER | ROUTE_WAITS,
	  "one process by its pid, with its connections", .tag = TAG_LISTS,
	  .members = process_members, .in_path = &list_pid },
	{ "GET", "/api/remotes", lists_answer, &list_remotes, remote_parameters, ROUTE_WAITS,
	  "what was moved to and from each remote address", LIST(remotes) },
	{ "GET", "/api/protocols", lists_protocols, NULL, protocol_parameters, ROUTE_WAITS,
	  "what was moved by protocol, as packets and by processes", LIST(protocols) },
	{ "GET", "/api/drops", lists_drops, NULL, drop_parameters, ROUTE_WAITS,
	  "packets dropped by the kernel: by reason, and by flow", .tag = TAG_LISTS,
	  .members = drops_members, .lines = "drop_flows" },
	{ "GET", "/api/latency", lists_answer, &list_latency, latency_parameters, ROUTE_WAITS,
	  "round-trip times: percentiles and histogram, of the host and by network", LIST(latency) },
	{ "GET", "/api/programs", lists_programs, NULL, program_parameters, ROUTE_WAITS,
	  "the probes, and what they have counted", LIST(programs) },
	{ "GET", "/api/connections/summary", summary_connections, NULL, summary_parameters,
	  ROUTE_WAITS, "connections of the last seconds, of everybody or one process",
	  SUMMARY(connection_summary) },
	{ "POST", "/api/connections/summary", summary_connections, NULL, summary_parameters,
	  ROUTE_JSON | ROUTE_WAITS, "connections of the last seconds, asked by POST",
	  SUMMARY(connection_summary) },
	{ "GET", "/api/connection-summary", summary_connections, NULL, summary_parameters,
	  ROUTE_WAITS, "connections of the last seconds, as other monitors call it",
	  SUMMARY(connection_summary) },
	{ "POST", "/api/connection-summary", summary_connections, NULL, summary_parameters,
	  ROUTE_JSON | ROUTE_WAITS, "the same by POST, as other monitors call it",
	  SUMMARY(connection_summary) },
	{ "GET", "/api/packet-drop-summary", summary_drops, NULL, summary_parameters, ROUTE_WAITS,
	  "dropped packets of the last seconds, of everybody or one process",
	  SUMMARY(drop_summary) },
	{ "POST", "/api/packet-drop-summary", summary_drops, NULL, summary_parameters,
	  ROUTE_JSON | ROUTE_WAITS, "dropped packets of the last seconds, asked by POST",
	  SUMMARY(drop_summary) },
	{ "GET", "/api/list-connections", by_pid_connections, NULL, by_pid_parameters, ROUTE_WAITS,
	  "connections of the last snapshot, grouped by process", SUMMARY(pid_connections) },
	{ "POST", "/api/list-connections", by_pid_connections, NULL, by_pid_parameters,
	  ROUTE_JSON | ROUTE_WAITS, "connections grouped by process, asked by POST",
	  SUMMARY(pid_connections) },
	{ "GET", "/api/list-packet-drops", by_pid_drops, NULL, by_pid_parameters, ROUTE_WAITS,
	  "flows that drops hit, of the last snapshot, grouped by process", SUMMARY(pid_drops) },
	{ "POST", "/api/list-packet-drops", by_pid_drops, NULL, by_pid_parameters,
	  ROUTE_JSON | ROUTE_WAITS, "flows that drops hit, grouped by process, asked by POST",
	  SUMMARY(pid_drops) },
	{ "GET", "/api/history", history_answer, NULL, history_parameters, ROUTE_WAITS,
	  "the last hour in steps, and what processes and remotes moved in it",
	  SUMMARY(history) },
	REPORT(top, "who moved most, of the database"),
	REPORT(history, "how much when, of the database"),
	REPORT(protocols, "what was on the wire by protocol, of the database"),
	REPORT(remotes, "whom processes talked to, of the database"),
	REPORT(drops, "what the kernel dropped and why, of the database"),
	REPORT(latency, "percentiles of round-trip times, of the database"),
	REPORT(flows, "large flows that ended, of the database"),
	{ "GET", "/api/names", names_answer, NULL, names_parameters, ROUTE_WAITS,
	  "names of the addresses in the last snapshot, as far as they are known",
	  .tag = TAG_LISTS, .members = names_members },
	{ "GET", "/metrics", metrics_answer, NULL, NULL, ROUTE_ANY_QUERY,
	  "counters for Prometheus", .tag = TAG_SERVER, .type = "text/plain" },
	{ "POST", "/api/session", access_begin, NULL, access_parameters, ROUTE_OPEN | ROUTE_JSON,
	  "show the token once; a cookie proves it from then on", .tag = TAG_SERVER,
	  .status = 204, .errors = { 401, 429 } },
	{ "DELETE", "/api/session", access_end, NULL, NULL, ROUTE_OPEN | ROUTE_ANY_QUERY,
	  "end the session, and forget the cookie", .tag = TAG_SERVER, .status = 204 },
	{ "GET", "/openapi.json", openapi_answer, NULL, NULL, ROUTE_OPEN | ROUTE_ANY_QUERY,
	  "this description", .tag = TAG_SERVER, .type = TYPE_JSON },
	{ "GET", "/events", sse_open, NULL, stream_parameters, ROUTE_ANY_QUERY,
	  "snapshots as they come, by topics, as server-sent events", .tag = TAG_LIVE,
	  .type = "text/event-stream", .errors = { 503 } },
	{ "GET", "/ws", ws_open, NULL, stream_parameters, ROUTE_GET_ONLY | ROUTE_ANY_QUERY,
	  "snapshots as they come, by topics that may change, over WebSocket", .tag = TAG_LIVE, .status = 101,
	  .errors = { 426, 503 } },
	{ "GET", "/docs", page_answer, NULL, NULL, ROUTE_OPEN | ROUTE_PAGE | ROUTE_ANY_QUERY,
	  "a page that describes all this, and lets you try it", .tag = TAG_PAGE,
	  .type = "text/html" },
	{ "GET", "", page_answer, NULL, NULL, ROUTE_OPEN | ROUTE_PAGE | ROUTE_ANY_QUERY,
	  "the page and its files", .tag = TAG_PAGE, .type = "text/html" },
	{ .path = NULL },
};

static bool is_number(const char *text)
{
	size_t length = strspn(text, "0123456789");

	return length && length <= NUMBER_MAX && !text[length];
}

static bool has_path(const struct server *server, const struct route *route, const char *path)
{
	size_t length = strlen(route->path);

	if (route->flags & ROUTE_NUMBER)
		return !strncmp(route->path, path, length) && is_number(path + length);
	return *route->path ? !strcmp(route->path, path) : page_exists(server, path);
}

static bool takes_method(const struct route *route, const char *method)
{
	if (!strcmp(route->method, method))
		return true;
	return !strcmp(method, "HEAD") && !strcmp(route->method, "GET") &&
	       !(route->flags & ROUTE_GET_ONLY);
}

/* What Allow says of a path; "" if there is no such path. */
static void allowed(const struct server *server, const char *path, char text[ALLOW_MAX])
{
	size_t length = 0;

	*text = '\0';
	for (const struct route *route = routes; route->path; route++) {
		if (!has_path(server, route, path) || length >= ALLOW_MAX)
			continue;
		length += (size_t)snprintf(text + length, ALLOW_MAX - length, "%s%s%s",
					   length ? ", " : "", route->method,
					   takes_method(route, "HEAD") ? ", HEAD" : "");
	}
}

static const struct route *find_route(const struct server *server, const struct request *request)
{
	for (const struct route *route = routes; route->path; route++)
		if (takes_method(route, request->method) &&
		    has_path(server, route, request->target.path))
			return route;
	return NULL;
}

static enum MHD_Result answer_no_route(struct server *server, struct request *request)
{
	char allow[ALLOW_MAX];
	const struct reply_field field[] = { { "Allow", allow }, { NULL, NULL } };

	allowed(server, request->target.path, allow);
	if (!*allow)
		return reply_problem(request, MHD_HTTP_NOT_FOUND, NULL, "there is nothing at %s",
				     request->target.path);
	return reply_problem(request, MHD_HTTP_METHOD_NOT_ALLOWED, field, "%s takes %s",
			     request->target.path, allow);
}

/* True for a request that names no page that it comes from, too. */
static bool is_same_site(const struct request *request)
{
	const char *origin = request_field(request, "Origin");

	return !origin || site_is_same_origin(origin, request_field(request, "Host"));
}

static bool is_for_us(const struct server *server, const struct request *request)
{
	const struct site *site = &server->config.site;

	return site_is_host(site, request_field(request, "Host")) &&
	       (!request->target.authority || site_is_host(site, request->target.authority));
}

/*
 * The question that a browser asks before it lets a page of another site send what
 * is no plain GET or POST. Only those of --cors are told anything.
 */
static bool is_preflight(const struct request *request)
{
	return request->allow_origin && !strcmp(request->method, MHD_HTTP_METHOD_OPTIONS) &&
	       request_field(request, "Access-Control-Request-Method");
}

static enum MHD_Result answer_preflight(struct server *server, struct request *request)
{
	char allow[ALLOW_MAX];
	const struct reply_field fields[] = {
		{ "Access-Control-Allow-Methods", allow },
		{ "Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID" },
		{ "Access-Control-Max-Age", "600" },
		{ NULL, NULL },
	};

	allowed(server, request->target.path, allow);
	if (!*allow)
		return answer_no_route(server, request);
	return reply_send(request, MHD_HTTP_NO_CONTENT,
			  MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT), NULL,
			  CACHE_NEVER, fields);
}

/* A browser tells which page makes a request; other clients send none of this. */
static bool is_own_page(const struct request *request, const struct route *route)
{
	if (request->allow_origin)
		return true;
	if (!is_same_site(request))
		return false;
	return site_is_own_fetch(request_field(request, "Sec-Fetch-Site"),
				 request_field(request, "Sec-Fetch-Mode"),
				 request_field(request, "Sec-Fetch-Dest"), route->flags & ROUTE_PAGE);
}

static enum MHD_Result answer_query(struct server *server, struct request *request,
				    const struct query *query)
{
	const struct route *route = request->route;
	const char *name, *why;
	struct list_query wants;
	enum MHD_Result result;

	if (list_query_parse(query, route->parameters, &wants, &name, &why))
		return reply_problem(request, MHD_HTTP_BAD_REQUEST, NULL, "%s: %s", name, why);
	request->wants = &wants;
	result = route->answer(server, request);
	request->wants = NULL;
	return result;
}

/* Parameters in the target are none of this route then. */
static enum MHD_Result answer_json(struct server *server, struct request *request)
{
	static const struct reply_field accept[] = { { "Accept-Post", TYPE_JSON }, { NULL, NULL } };
	const struct query *target = &request->target.query;
	struct json_query query;
	const char *name, *why;
	enum MHD_Result result;

	if (target->count)
		return reply_problem(request, MHD_HTTP_BAD_REQUEST, NULL,
				     "%s: parameters of a POST are in its body", target->pair[0].name);
	if (!field_takes_type(request_field(request, "Content-Type"), TYPE_JSON))
		return reply_problem(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, accept,
				     "the body must be application/json, and say so");
	if (request->body.failed)
		return MHD_NO;
	if (json_query_parse((struct slice){ request->body.data, request->body.length },
			     request->route->parameters, &query, &name, &why))
		result = reply_problem(request, MHD_HTTP_BAD_REQUEST, NULL, "%s: %s", name, why);
	else
		result = answer_query(server, request, &query.query);
	json_query_free(&query);
	return result;
}

static enum MHD_Result answer_route(struct server *server, struct request *request)
{
	const struct route *route = request->route;

	if (route->flags & ROUTE_ANY_QUERY)
		return route->answer(server, request);
	if (route->flags & ROUTE_JSON)
		return answer_json(server, request);
	return answer_query(server, request, &request->target.query);
}

static enum MHD_Result answer(struct server *server, struct request *request)
{
	const struct route *route;
	enum MHD_Result result;
	int err = target_parse(request->text, &request->target);

	if (err)
		return reply_problem(request, MHD_HTTP_BAD_REQUEST, NULL, err == -E2BIG ?
				     "the target has too many parameters" :
				     "the target is not a path with parameters");
	if (!is_for_us(server, request))
		return reply_problem(request, MHD_HTTP_MISDIRECTED_REQUEST, NULL,
				     "this host is not served here; --host NAME adds a name");
	if (!is_same_site(request))
		request->allow_origin = cors_allows(&server->config.cors,
						    request_field(request, "Origin"));
	if (is_preflight(request))
		return answer_preflight(server, request);
	route = find_route(server, request);
	if (!route)
		return answer_no_route(server, request);
	if (!is_own_page(request, route))
		return reply_problem(request, MHD_HTTP_FORBIDDEN, NULL,
				     "pages of other sites may not ask this");
	if (!(route->flags & ROUTE_OPEN) && !access_is_granted(server, request, &result))
		return result;
	request->route = route;
	return answer_route(server, request);
}

void *routes_target(void *closure, const char *target, struct MHD_Connection *connection)
{
	size_t length = target ? strlen(target) : 0;
	struct request *request = calloc(1, sizeof(*request) + length + 1);

	if (!request)
		return NULL;
	request->server = closure;
	request->connection = connection;
	request->raw = target;
	request->raw_length = length;
	if (length)
		memcpy(request->text, target, length);
	return request;
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* The header is here. A refusal ends the connection; else the body, if any, is waited for. */
static enum MHD_Result begin(struct server *server, struct request *request, const char *method,
			     const char *version)
{
	unsigned int status;
	const char *why;

	request->begun = true;
	request->method = method;
	request->version = version;
	server->counters.requests++;
	status = guard_check(request, version, &server->bounds, &why);
	if (!status)
		return MHD_YES;
	peers_busy(&server->peers, peer_of(request->connection));
	return reply_problem(request, status, NULL, "%s", why);
}

/* Other methods have nothing to say in a body; how long it may be was seen in the header. */
static void keep_upload(struct request *request, const char *data, size_t size)
{
	if (!strcmp(request->method, "POST") && request->body.length + size <= LIMIT_BODY_BYTES)
		body_add(&request->body, data, size);
}

enum MHD_Result routes_request(void *closure, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *upload,
			       size_t *upload_size, void **request)
{
	struct server *server = closure;
	struct request *self = *request;

	(void)url;	/* taken apart and decoded by MHD; we want it as it was sent */
	if (!self)
		return MHD_NO;
	if (!self->begun)
		return begin(server, self, method, version);
	if (*upload_size) {
		keep_upload(self, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	peers_busy(&server->peers, peer_of(connection));
	/* It has waited: its route has it all now. */
	return self->asked ? answer_route(server, self) : answer(server, self);
}

/* A line on stderr; what came from outside must not steer a terminal. */
static void log_request(const struct request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const char *path = request->target.path ? request->target.path : "?";
	char from[LISTENER_TEXT] = "?", line[LOG_MAX];
	int length;

	/* Of a Unix socket's other end there is nothing but the family. */
	if (info && info->client_addr->sa_family == AF_UNIX)
		strcpy(from, "unix");
	else if (info)
		listener_format(info->client_addr, from);
	length = snprintf(line, sizeof(line), "%s %u %s %s", from, request->status,
			  request->method, path);
	for (int i = 0; i < length && i < LOG_MAX - 1; i++)
		if (line[i] < ' ' || line[i] > '~')
			line[i] = '?';
	log_debug("%s", line);
}

void routes_completed(void *closure, struct MHD_Connection *connection, void **request,
		      enum MHD_RequestTerminationCode code)
{
	struct server *server = closure;
	struct request *self = *request;

	if (code == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED)
		bounds_hit(&server->bounds, BOUND_STALL_MS);
	peers_wait(&server->peers, peer_of(connection), server_now_ms());
	if (self && self->begun && server->config.verbose)
		log_request(self);
	if (self) {
		archive_left(server, self);
		free(self->body.data);
	}
	free(self);
	*request = NULL;
}
