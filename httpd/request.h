/* SPDX-License-Identifier: MIT */
/* One request while it is being answered, and the ways to answer it. */
#ifndef JOPIL_HTTPD_REQUEST_H
#define JOPIL_HTTPD_REQUEST_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "httpd/body.h"
#include "httpd/query.h"

struct server;
struct route;
struct list_query;

struct request {
	struct server *server;
	struct MHD_Connection *connection;
	const char *raw;	/* the target in MHD's buffer; only for guard_check() */
	size_t raw_length;
	const char *method;	/* MHD's */
	const char *version;	/* of HTTP; MHD's, too */
	struct target target;	/* points into text; .path is NULL before it was parsed */
	const char *allow_origin;	/* the page of another site that may read the answer; or NULL */
	const struct route *route;	/* that answers it */
	const struct list_query *wants;	/* its parameters; only while it is being answered */
	struct archive_entry *asked;	/* of the database; NULL: nothing yet */
	LIST_ENTRY(request) waiting;	/* for that, its connection being suspended */
	bool waits;
	struct body body;	/* that came with it, if the route takes one */
	unsigned int status;	/* of the answer; 0 = none yet */
	bool begun;
	char text[];		/* a copy of the target, taken apart */
};

/*
 * Whether libmicrohttpd is one before 1.0. Known at run time only: 0.9.75 and
 * 1.0 have the same soname. What asks for it can go when no supported system has
 * an old one (Debian 12 has).
 */
bool request_library_is_old(void);

/* The value of a header field, NULL if it was not sent. */
const char *request_field(const struct request *request, const char *name);

/* A field of the answer. */
struct reply_field {
	const char *name;	/* NULL ends a list */
	const char *value;
};

#define CACHE_NEVER "no-store"		/* it is another one every second */
#define CACHE_CHECK "no-cache"		/* keep it, ask each time whether it changed */

#define TYPE_JSON "application/json"

/*
 * Answers with response, to which the fields that all answers have, and those
 * of more (may be NULL), are added; it is destroyed. NULL (without memory) closes
 * the connection. What it returns is what MHD's handler is to return.
 */
enum MHD_Result reply_send(struct request *request, unsigned int status,
			   struct MHD_Response *response, const char *type,
			   const char *cache, const struct reply_field *more);

/*
 * An answer that several requests of one origin share: made of a text, which is taken over, with the
 * fields that reply_send() would add; NULL without memory. MHD_destroy_response() ends it
 * when all who are being sent it have it. reply_shared() answers with it, as it is (NULL
 * closes the connection).
 */
struct MHD_Response *reply_make(const struct request *request, struct body *body, const char *type,
				const char *cache);
enum MHD_Result reply_shared(struct request *request, unsigned int status,
			     struct MHD_Response *response);

/* Answers with a text, which is taken over. */
enum MHD_Result reply_body(struct request *request, unsigned int status, struct body *body,
			   const char *type, const char *cache);

/* The same, with more fields (as in reply_send()). */
enum MHD_Result reply_body_with(struct request *request, unsigned int status, struct body *body,
				const char *type, const char *cache,
				const struct reply_field *more);

/* Answers application/problem+json (RFC 9457): detail is one sentence for people. */
enum MHD_Result reply_problem(struct request *request, unsigned int status,
			      const struct reply_field *more, const char *detail, ...)
	__attribute__((format(printf, 4, 5)));

#endif
