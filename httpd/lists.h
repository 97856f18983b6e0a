/* SPDX-License-Identifier: MIT */
/* The answers that are lists out of the latest snapshot: filtered, sorted, cut. */
#ifndef JOPIL_HTTPD_LISTS_H
#define JOPIL_HTTPD_LISTS_H

#include "httpd/list_query.h"
#include "httpd/request.h"
#include "httpd/server.h"

/* What a list is made of. */
struct list_spec {
	const char *name;	/* in the snapshot and in the answer */
	const char *const *also;	/* parts of the snapshot that go with it; NULL = none */
};

extern const struct list_spec list_flows, list_connections, list_processes, list_remotes,
	list_latency, list_packets, list_connects;

/* What they take; each ends in a row without a name. */
extern const struct parameter flow_parameters[], connection_parameters[], process_parameters[],
	remote_parameters[], latency_parameters[], drop_parameters[], packet_parameters[],
	connect_parameters[], protocol_parameters[], program_parameters[];

/* What /api/processes/ goes on with. */
extern const struct parameter list_pid;

/*
 * Answers for the route of the request, by request->wants. /api/drops and
 * /api/protocols are several lists put together, /api/processes/{pid} one row of one.
 */
enum MHD_Result lists_answer(struct server *server, struct request *request);
enum MHD_Result lists_drops(struct server *server, struct request *request);
enum MHD_Result lists_protocols(struct server *server, struct request *request);
enum MHD_Result lists_process(struct server *server, struct request *request);
enum MHD_Result lists_programs(struct server *server, struct request *request);

#endif
