/* SPDX-License-Identifier: MIT */
/* The one table of what httpd answers, and the way of a request to its row. */
#ifndef JOPIL_HTTPD_ROUTES_H
#define JOPIL_HTTPD_ROUTES_H

#include <stdbool.h>

#include "httpd/list_query.h"
#include "httpd/lists.h"
#include "httpd/request.h"
#include "httpd/schema.h"
#include "httpd/server.h"

enum route_flags {
	ROUTE_GET_ONLY = 1,	/* no HEAD beside GET */
	ROUTE_OPEN = 2,		/* wants no token: says nothing about the network */
	ROUTE_PAGE = 4,		/* other sites may link to it; it is for people */
	ROUTE_ANY_QUERY = 8,	/* parameters are not judged by their table; it is for /openapi.json */
	ROUTE_NUMBER = 16,	/* path goes on with a number, which .in_path describes */
	ROUTE_JSON = 32,	/* takes a JSON object, which names its parameters */
	ROUTE_WAITS = 64,	/* answers 503 before the first snapshot */
};

/* What an address is about: a heading of /openapi.json (their words are in openapi.c). */
enum route_tag {
	TAG_LISTS,
	TAG_SUMMARIES,
	TAG_LIVE,
	TAG_SERVER,
	TAG_PAGE,
	TAG_COUNT
};

#define ROUTE_ERRORS_MAX 4

/*
 * To add an address: one row in routes.c. Router, /openapi.json and /docs come out of
 * it, and tests/api fails until it has asked the address and seen an answer that
 * follows its schema. What a 200 in JSON holds is a table of struct member
 * (httpd/schema.h says which kinds there are) in answers.c, or in the file that
 * answers; every key that is written must be in it. For example
 *
 *   const struct member names_members[] = {
 *	   { "enabled", "boolean", .what = "whether names are looked up" },
 *	   { "names", "map:string", .what = "name by address" },
 *	   { "pending", .kind = "integer" },
 *	   { .key = NULL },
 *   };
 *   { "GET", "/api/names", names_answer, NULL, names_parameters, 0, "names of addresses",
 *     .tag = TAG_LISTS, .members = names_members },
 *
 * An answer without a body: .status = 204. One that is no JSON: .type = "text/plain".
 * The errors that every address has (400, 401, 403, 404 of a number in the path, 413, ...)
 * and those that flags imply (503) go without saying; others are in .errors.
 */
struct route {
	const char *method;
	const char *path;	/* "" : the files of the page */
	enum MHD_Result (*answer)(struct server *server, struct request *request);
	const struct list_spec *list;		/* for lists_answer() */
	const struct parameter *parameters;	/* NULL = none */
	unsigned int flags;
	const char *help;
	enum route_tag tag;
	const struct member *members;		/* of its 200 in JSON; NULL: see .type, .status */
	const char *lines;	/* the member whose rows are sent as lines to those who ask; or NULL */
	const char *type;	/* of a 200 that is not made of .members */
	unsigned int status;	/* 0 = 200 */
	unsigned short errors[ROUTE_ERRORS_MAX];	/* that are its own; 0 ends them */
	const struct parameter *in_path;	/* the number, of ROUTE_NUMBER */
};

/* Ends with a row whose .path is NULL. */
extern const struct route routes[];

/* MHD's callbacks; the closure is the server. */
void *routes_target(void *closure, const char *target, struct MHD_Connection *connection);
enum MHD_Result routes_request(void *closure, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *upload,
			       size_t *upload_size, void **request);
void routes_completed(void *closure, struct MHD_Connection *connection, void **request,
		      enum MHD_RequestTerminationCode code);

#endif
