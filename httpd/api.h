/* SPDX-License-Identifier: MIT */
/* The answers in JSON. */
#ifndef JOPIL_HTTPD_API_H
#define JOPIL_HTTPD_API_H

#include "httpd/request.h"
#include "httpd/server.h"

enum MHD_Result api_health(struct server *server, struct request *request);
enum MHD_Result api_stats(struct server *server, struct request *request);
enum MHD_Result api_flows(struct server *server, struct request *request);

#endif
