/* SPDX-License-Identifier: MIT */
/* Stdin: lines of which the snapshots are published. */
#ifndef JOPIL_HTTPD_INPUT_H
#define JOPIL_HTTPD_INPUT_H

#include <stdbool.h>

#include "httpd/server.h"

/* Adds stdin to the loop. 0 or -errno. */
int input_start(struct server *server);

/*
 * Takes lines that have been read, up to and with the first snapshot, so that
 * the clients are served between two of them. Whether there may be more.
 */
bool input_turn(struct server *server);

#endif
