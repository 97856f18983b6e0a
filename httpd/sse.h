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

/* Ends clients that have not read for too long; to be called each second. */
void sse_sweep(struct server *server, uint64_t now_ms);

/* Ends all: MHD can be stopped then. */
void sse_free(struct server *server);

#endif
