/* SPDX-License-Identifier: MIT */
/* What requests for a stream have in common: topics, and room for one more. */
#ifndef JOPIL_HTTPD_STREAM_H
#define JOPIL_HTTPD_STREAM_H

#include "httpd/list_query.h"
#include "httpd/request.h"
#include "httpd/server.h"
#include "httpd/topics.h"

extern const struct parameter stream_parameters[];

/*
 * The topics that the request asks for, the whole snapshot unless it names some.
 * 0; -EINVAL, and *ret_unknown, if there is no topic of that name.
 */
int stream_topics(const struct request *request, unsigned int *ret_topics,
		  struct slice *ret_unknown);

/* 400: which topics there are. */
enum MHD_Result stream_no_topic(struct request *request, struct slice unknown);

/* Whether one more stream client fits; if not, it is answered 503 with *ret_result. */
bool stream_fits(struct server *server, struct request *request, enum MHD_Result *ret_result);

#endif
