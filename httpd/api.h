/* SPDX-License-Identifier: MIT */
/* The answers in JSON. */
#ifndef JOPIL_HTTPD_API_H
#define JOPIL_HTTPD_API_H

#include "httpd/request.h"
#include "httpd/server.h"

enum MHD_Result api_health(struct server *server, struct request *request);
enum MHD_Result api_stats(struct server *server, struct request *request);

/* Frees what api_stats() keeps in server->stats. */
void api_forget_stats(struct server *server);

/* 503: there is no snapshot yet to answer from. */
enum MHD_Result api_waiting(struct request *request);

/* The first members of an answer from the snapshot, without the closing brace; and its end. */
void api_begin(const struct server *server, struct body *body);
enum MHD_Result api_end(struct request *request, struct body *body);

#endif
