/* SPDX-License-Identifier: MIT */
/* GET /api/history: the past in steps, and summed up by process and remote address. */
#ifndef JOPIL_HTTPD_HISTORY_ANSWER_H
#define JOPIL_HTTPD_HISTORY_ANSWER_H

#include "httpd/history_ask.h"
#include "httpd/request.h"
#include "httpd/schema.h"

/* Appends ,"source":... and all that is asked for. 0 or -ENOMEM. */
int history_answer_write(struct body *body, const struct history_ask *ask,
			 const struct history_source *source);

/* What the answer holds. */
extern const struct member history_members[];

enum MHD_Result history_answer(struct server *server, struct request *request);

#endif
