/* SPDX-License-Identifier: MIT */
/* The answers that are files of the page. */
#ifndef JOPIL_HTTPD_PAGE_H
#define JOPIL_HTTPD_PAGE_H

#include <stdbool.h>

#include "httpd/request.h"
#include "httpd/server.h"

bool page_exists(const struct server *server, const char *path);
enum MHD_Result page_answer(struct server *server, struct request *request);

#endif
