/* SPDX-License-Identifier: MIT */
/* The names of the addresses in the latest snapshot, as /api/names tells them. */
#ifndef JOPIL_HTTPD_NAMES_H
#define JOPIL_HTTPD_NAMES_H

#include "httpd/list_query.h"
#include "httpd/request.h"
#include "httpd/schema.h"

extern const struct parameter names_parameters[];
extern const struct member names_members[];

enum MHD_Result names_answer(struct server *server, struct request *request);

#endif
