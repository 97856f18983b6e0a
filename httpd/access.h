/* SPDX-License-Identifier: MIT */
/* Who may ask, where a token is asked for: those who show it, or a session that began with it. */
#ifndef JOPIL_HTTPD_ACCESS_H
#define JOPIL_HTTPD_ACCESS_H

#include <stdbool.h>

#include "httpd/list_query.h"
#include "httpd/request.h"
#include "httpd/server.h"

/*
 * Whether the request shows the token (Authorization: Bearer) or a session (cookie), or
 * none is wanted. If not, it is answered 401, or 429 with Retry-After after too many
 * wrong ones from its address, and *ret_result is what that returned.
 *
 * On loopback, where all share one address, the right token is taken at any time.
 */
bool access_is_granted(struct server *server, struct request *request,
		       enum MHD_Result *ret_result);

/* POST and DELETE /api/session. */
extern const struct parameter access_parameters[];
enum MHD_Result access_begin(struct server *server, struct request *request);
enum MHD_Result access_end(struct server *server, struct request *request);

#endif
