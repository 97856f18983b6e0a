/* SPDX-License-Identifier: MIT */
/* The first line of the stream, and the sign that the reader is ready. */
#ifndef JOPIL_READER_BEGIN_H
#define JOPIL_READER_BEGIN_H

#include "reader/request.h"
#include "reader/sink.h"

/* Adds hello. 0 or the sink's error. */
int begin_hello(struct sink *sink);

/*
 * Tells that we are ready, when all that was added is written; at once where who reads it may be
 * away for long. 0 or the sink's error.
 */
int begin_ready(const struct request *request, struct sink *sink);

#endif
