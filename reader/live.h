/* SPDX-License-Identifier: MIT */
/* The reader on a running host: rings and flow maps of the pin directory to lines. */
#ifndef JOPIL_READER_LIVE_H
#define JOPIL_READER_LIVE_H

#include "common/status.h"
#include "reader/request.h"
#include "reader/sink.h"

/* Until the end is asked for, or the loader detaches. Says on stderr what went wrong. */
enum status live_run(const struct request *request, struct sink *sink);

#endif
