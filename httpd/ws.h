/* SPDX-License-Identifier: MIT */
/* WebSocket clients: the handshake, the feed, and what they say. */
#ifndef JOPIL_HTTPD_WS_H
#define JOPIL_HTTPD_WS_H

#include "httpd/request.h"
#include "httpd/server.h"

/* Answers the handshake. */
enum MHD_Result ws_open(struct server *server, struct request *request);

/* There is something new: sends it to those that can take it. */
void ws_wake(struct server *server);

/* Says goodbye to all, code 1001. */
void ws_stop(struct server *server);

/* Pings, and gives up those that do not answer: neither pings nor a close. Once a second. */
void ws_sweep(struct server *server, uint64_t now_ms);

/* Lets go of clients that are done; nothing else frees one. Once a turn, outside of MHD. */
void ws_reap(struct server *server);

/* Lets go of all, done or not. */
void ws_free(struct server *server);

#endif
