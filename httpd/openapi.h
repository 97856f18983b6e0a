/* SPDX-License-Identifier: MIT */
/* GET /openapi.json: the table of routes as an OpenAPI 3.1 document. */
#ifndef JOPIL_HTTPD_OPENAPI_H
#define JOPIL_HTTPD_OPENAPI_H

#include "httpd/request.h"

/* The document is made at the first request, and kept by the server. */
enum MHD_Result openapi_answer(struct server *server, struct request *request);

#endif
