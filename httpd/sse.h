/* SPDX-License-Identifier: MIT */
/* Server-sent events: the feed as an HTTP answer that does not end. */
#ifndef JOPIL_HTTPD_SSE_H
#define JOPIL_HTTPD_SSE_H

#include "httpd/request.h"
#include "httpd/server.h"

/* Answers the request with the feed. */
enum MHD_Result sse_open(struct server *server, struct request *request);

/* There is something new (or the server stops): wakes those that wait. */
void sse_wake(struct server *server);

#endif
