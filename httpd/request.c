/* SPDX-License-Identifier: MIT */
/* One request while it is being answered, and the ways to answer it. */
#include "httpd/request.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "httpd/server.h"
#include "httpd/websocket.h"

#define DETAIL_MAX 512

/*
 * On every answer that is ours. The page loads nothing from elsewhere, is shown
 * in no frame, and its answers are of no use to other sites.
 */
static const struct reply_field always[] = {
	{ "Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; "
				     "frame-ancestors 'none'; object-src 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ NULL, NULL },
};

bool request_library_is_old(void)
{
	return MHD_get_version()[0] == '0';
}

const char *request_field(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static bool add_fields(struct MHD_Response *response, const struct reply_field *fields)
{
	for (; fields && fields->name; fields++)
		if (MHD_add_response_header(response, fields->name, fields->value) != MHD_YES)
			return false;
	return true;
}

/* The fields that all answers have, and those of this one. */
static bool dress(const struct request *request, struct MHD_Response *response, const char *type,
		  const char *cache)
{
	const struct reply_field own[] = {
		{ "Cache-Control", cache },
		{ type ? "Content-Type" : NULL, type },
		{ NULL, NULL },
	};
	const struct reply_field cors[] = {
		{ request->allow_origin ? "Access-Control-Allow-Origin" : NULL, request->allow_origin },
		{ "Access-Control-Expose-Headers", "ETag, Retry-After, WWW-Authenticate" },
		{ NULL, NULL },
	};
	const struct reply_field vary[] = {
		{ cors_is_on(&request->server->config.cors) ? "Vary" : NULL, "Origin" },
		{ NULL, NULL },
	};

	return add_fields(response, own) && add_fields(response, always) &&
	       add_fields(response, cors) && add_fields(response, vary);
}

enum MHD_Result reply_shared(struct request *request, unsigned int status,
			     struct MHD_Response *response)
{
	request->status = status;
	return response ? MHD_queue_response(request->connection, status, response) : MHD_NO;
}

enum MHD_Result reply_send(struct request *request, unsigned int status,
			   struct MHD_Response *response, const char *type,
			   const char *cache, const struct reply_field *more)
{
	enum MHD_Result result = MHD_NO;

	if (!response)
		return MHD_NO;
	if (dress(request, response, type, cache) && add_fields(response, more))
		result = reply_shared(request, status, response);
	MHD_destroy_response(response);
	return result;
}

/* NULL without memory; the text is gone then. */
static struct MHD_Response *response_of(struct body *body)
{
	struct MHD_Response *response = NULL;

	if (!body->failed)
		response = MHD_create_response_from_buffer(body->length, body->data,
							   MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(body->data);
	*body = (struct body){ 0 };
	return response;
}

struct MHD_Response *reply_make(const struct request *request, struct body *body, const char *type,
				const char *cache)
{
	struct MHD_Response *response = response_of(body);

	if (!response || dress(request, response, type, cache))
		return response;
	MHD_destroy_response(response);
	return NULL;
}

enum MHD_Result reply_body(struct request *request, unsigned int status, struct body *body,
			   const char *type, const char *cache)
{
	return reply_body_with(request, status, body, type, cache, NULL);
}

enum MHD_Result reply_body_with(struct request *request, unsigned int status, struct body *body,
				const char *type, const char *cache,
				const struct reply_field *more)
{
	return reply_send(request, status, response_of(body), type, cache, more);
}

enum MHD_Result reply_problem(struct request *request, unsigned int status,
			      const struct reply_field *more, const char *detail, ...)
{
	struct MHD_Response *response = NULL;
	char words[DETAIL_MAX];
	json_t *problem;
	size_t length;
	char *text;
	va_list args;

	va_start(args, detail);
	vsnprintf(words, sizeof(words), detail, args);
	va_end(args);
	/* Cut off in the middle of a character it would not be UTF-8. */
	for (length = strlen(words); !websocket_is_utf8((uint8_t *)words, length);)
		length--;
	problem = json_pack("{s:s, s:s, s:i, s:s%}", "type", "about:blank", "title",
			    MHD_get_reason_phrase_for(status), "status", (int)status, "detail",
			    words, length);
	text = problem ? json_dumps(problem, JSON_COMPACT) : NULL;
	json_decref(problem);
	if (text)
		response = MHD_create_response_from_buffer(strlen(text), text,
							   MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(text);
	return reply_send(request, status, response, "application/problem+json", CACHE_NEVER, more);
}
