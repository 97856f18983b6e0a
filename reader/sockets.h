/* SPDX-License-Identifier: MIT */
/* The connections that are open already, from the kernel's walk over open files. */
#ifndef JOPIL_READER_SOCKETS_H
#define JOPIL_READER_SOCKETS_H

#include "reader/drain.h"

/*
 * A `connection` line for each record that can be read from fd (the opened pin of the
 * iterator, or anything that holds records) unless it was established at that boot time or
 * later, up to drain->sink->data_left. Best effort: what cannot be read ends it, a record
 * that is none is passed over. 0 or the sink's error.
 */
int sockets_read(int fd, u64 before_ns, struct drain *drain);

#endif
