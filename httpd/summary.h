/* SPDX-License-Identifier: MIT */
/* What the last seconds had, of everybody or of one process: connections, drops. */
#ifndef JOPIL_HTTPD_SUMMARY_H
#define JOPIL_HTTPD_SUMMARY_H

#include "httpd/list_query.h"
#include "httpd/request.h"
#include "httpd/server.h"

/* Ends in a row without a name. */
extern const struct parameter summary_parameters[];

/*
 * The members that other monitors' clients know (count, total_attempts, total_drops,
 * pid, command, duration, duration_seconds, query_time, message), and ours.
 */
enum MHD_Result summary_connections(struct server *server, struct request *request);
enum MHD_Result summary_drops(struct server *server, struct request *request);

#endif
