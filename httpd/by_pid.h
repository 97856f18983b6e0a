/* SPDX-License-Identifier: MIT */
/* Lists grouped by process, as clients of other monitors want them. */
#ifndef JOPIL_HTTPD_BY_PID_H
#define JOPIL_HTTPD_BY_PID_H

#include "httpd/list_query.h"
#include "httpd/request.h"
#include "httpd/server.h"

/* Ends in a row without a name. */
extern const struct parameter by_pid_parameters[];

/*
 * events_by_pid: rows as in the snapshot with destination, protocol, return_code and
 * timestamp (Unix time in seconds); connections, or drops: the same in short, timestamp
 * a text. The key is the pid, "0" where nobody is known. At most the limit for each
 * pid, and 1000 in all; else truncated.
 */
enum MHD_Result by_pid_connections(struct server *server, struct request *request);
enum MHD_Result by_pid_drops(struct server *server, struct request *request);

#endif
