/* SPDX-License-Identifier: MIT */
/* `reader --pcap`: the packets of a capture file, accounted as the kernel does it. */
#ifndef JOPIL_READER_CAPTURE_H
#define JOPIL_READER_CAPTURE_H

#include "common/status.h"
#include "reader/request.h"
#include "reader/sink.h"

/*
 * Reads request->pcap to its end and writes its lines to sink. Time runs by the
 * capture's stamps. Says on stderr what went wrong.
 */
enum status capture_run(const struct request *request, struct sink *sink);

#endif
