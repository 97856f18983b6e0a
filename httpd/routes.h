/* SPDX-License-Identifier: MIT */
/* The one table of what httpd answers, and the way of a request to its row. */
#ifndef JOPIL_HTTPD_ROUTES_H
#define JOPIL_HTTPD_ROUTES_H

#include <stdbool.h>

#include "httpd/list_query.h"
#include "httpd/lists.h"
#include "httpd/request.h"
#include "httpd/server.h"

enum route_flags {
	ROUTE_GET_ONLY = 1,	/* no HEAD beside GET */
	ROUTE_OPEN = 2,		/* wants no token: says nothing about the network */
	ROUTE_PAGE = 4,		/* other sites may link to it; it is for people */
	ROUTE_ANY_QUERY = 8,	/* parameters are not ours to judge */
	ROUTE_NUMBER = 16,	/* path goes on with a number */
	ROUTE_JSON = 32,	/* takes a JSON object, which names its parameters */
};

struct route {
	const char *method;
	const char *path;	/* "" : the files of the page */
	enum MHD_Result (*answer)(struct server *server, struct request *request);
	const struct list_spec *list;		/* for lists_answer() */
	const struct parameter *parameters;	/* NULL = none */
	unsigned int flags;
	const char *help;
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
