/* SPDX-License-Identifier: MIT */
/* Who may ask, where a token is asked for: those who show it, or a session that began with it. */
#include "httpd/access.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MAX 24	/* digits of a number of seconds */

enum verdict {
	TOKEN_RIGHT,
	TOKEN_WRONG,
	TOKEN_NOT_NOW,
};

const struct parameter access_parameters[] = {
	{ "token", PARAMETER_TEXT, "what --token-file has", .max = TOKEN_LENGTH_MAX },
	{ .name = NULL },
};

static uint64_t now_s(void)
{
	return server_now_ms() / 1000;
}

/* Of the one who asks; zeroes on a Unix socket. */
static const uint8_t *ip_of(const struct request *request)
{
	static const uint8_t unknown[16] = { 0xff };
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	const struct peer *peer = info ? info->socket_context : NULL;

	return peer ? peer->ip : unknown;
}

static bool is_local(const uint8_t ip[16])
{
	static const uint8_t none[16], loopback6[16] = { [15] = 1 };
	static const uint8_t loopback4[13] = { [10] = 0xff, [11] = 0xff, [12] = 127 };

	return !memcmp(ip, none, 16) || !memcmp(ip, loopback6, 16) ||
	       !memcmp(ip, loopback4, sizeof(loopback4));
}

/* A guess may not tell its maker anything when it came too early, except where all are one address. */
static enum verdict judge(struct server *server, const struct request *request, const char *token,
			  uint64_t *ret_wait_ms)
{
	const uint8_t *ip = ip_of(request);
	uint64_t now_ms = server_now_ms();

	*ret_wait_ms = guesses_wait_ms(&server->guesses, ip, now_ms);
	if ((!*ret_wait_ms || is_local(ip)) && token_is(&server->config.token, token))
		return TOKEN_RIGHT;
	if (*ret_wait_ms) {
		bounds_hit(&server->bounds, BOUND_TOKEN_GUESSES);
		return TOKEN_NOT_NOW;
	}
	guesses_wrong(&server->guesses, ip, now_ms);
	return TOKEN_WRONG;
}

static enum MHD_Result refuse(struct request *request, enum verdict verdict, uint64_t wait_ms,
			      const char *detail)
{
	static const struct reply_field bearer[] = {
		{ "WWW-Authenticate", "Bearer realm=\"jopil\"" },
		{ NULL, NULL },
	};
	char seconds[WAIT_MAX];
	const struct reply_field later[] = { { "Retry-After", seconds }, { NULL, NULL } };

	if (verdict == TOKEN_WRONG)
		return reply_problem(request, MHD_HTTP_UNAUTHORIZED, bearer, "%s", detail);
	snprintf(seconds, sizeof(seconds), "%" PRIu64, (wait_ms + 999) / 1000);
	return reply_problem(request, MHD_HTTP_TOO_MANY_REQUESTS, later,
			     "too many wrong tokens came from this address; try again in %s s",
			     seconds);
}

bool access_is_granted(struct server *server, struct request *request,
		       enum MHD_Result *ret_result)
{
	const char *token = token_in_field(request_field(request, "Authorization"));
	enum verdict verdict = TOKEN_WRONG;
	uint64_t wait_ms = 0;

	if (!server->config.token.wanted ||
	    (!request->allow_origin &&	/* a cookie is for our own page */
	     sessions_has(&server->sessions, request_field(request, "Cookie"), now_s())))
		return true;
	if (token)
		verdict = judge(server, request, token, &wait_ms);
	if (verdict == TOKEN_RIGHT)
		return true;
	*ret_result = refuse(request, verdict, wait_ms, token ? "this is not the token" :
			     "show the token: Authorization: Bearer TOKEN, or POST /api/session");
	return false;
}

static enum MHD_Result answer_cookie(struct request *request, const char *set_cookie)
{
	const struct reply_field fields[] = {
		{ *set_cookie ? "Set-Cookie" : NULL, set_cookie },
		{ NULL, NULL },
	};
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

	return reply_send(request, MHD_HTTP_NO_CONTENT, response, NULL, CACHE_NEVER, fields);
}

enum MHD_Result access_begin(struct server *server, struct request *request)
{
	char set_cookie[SESSION_COOKIE_MAX] = "";
	enum verdict verdict;
	uint64_t wait_ms;

	if (!server->config.token.wanted)
		return answer_cookie(request, set_cookie);
	if (!request->wants->filter_count)
		return reply_problem(request, MHD_HTTP_BAD_REQUEST, NULL,
				     "token: must be given, as {\"token\":\"...\"}");
	verdict = judge(server, request, request->wants->filter[0].text, &wait_ms);
	if (verdict != TOKEN_RIGHT)
		return refuse(request, verdict, wait_ms, "this is not the token");
	if (sessions_begin(&server->sessions, now_s(), set_cookie))
		return MHD_NO;
	return answer_cookie(request, set_cookie);
}

enum MHD_Result access_end(struct server *server, struct request *request)
{
	char set_cookie[SESSION_COOKIE_MAX];

	if (sessions_end(&server->sessions, request_field(request, "Cookie"), now_s(), set_cookie))
		return MHD_NO;
	return answer_cookie(request, set_cookie);
}
