/* SPDX-License-Identifier: MIT */
/* Requests that are answered from the recorder's database: they wait for it, and nothing else does. */
#ifndef JOPIL_HTTPD_ARCHIVE_ANSWER_H
#define JOPIL_HTTPD_ARCHIVE_ANSWER_H

#include "httpd/archive.h"
#include "httpd/list_query.h"
#include "httpd/request.h"
#include "httpd/schema.h"

/*
 * The answer to a question, once it is there. NULL: *ret_result is what MHD's handler is to
 * return, as the request waits for it (the route is asked again then), or was refused. What the
 * database could not answer is refused, too.
 */
const struct archive_entry *archive_get(struct server *server, struct request *request,
					const struct archive_question *question,
					enum MHD_Result *ret_result);

/* A request has ended, answered or not. */
void archive_left(struct server *server, struct request *request);

/* What the process has said. */
void archive_ready(struct server *server);

/* To be called each second. */
void archive_tick(struct server *server);

/* Nobody waits any more: MHD stops. */
void archive_stop(struct server *server);

/* GET /api/history/QUESTION: what `report QUESTION --format json` says. */
enum MHD_Result archive_report(struct server *server, struct request *request);

#define ARCHIVE_PATH "/api/history/"

extern const struct parameter archive_top_parameters[], archive_history_parameters[],
	archive_protocols_parameters[], archive_remotes_parameters[], archive_drops_parameters[],
	archive_latency_parameters[], archive_flows_parameters[];
extern const struct member archive_top_members[], archive_history_members[],
	archive_protocols_members[], archive_remotes_members[], archive_drops_members[],
	archive_latency_members[], archive_flows_members[];

/* Fields of question texts: of a filter (NULL: none), cut nowhere. */
void archive_put_text(char to[ARCHIVE_NAME_MAX], const struct filter *filter);
void archive_put_network(struct archive_question *question, const struct filter *filter);

#endif
