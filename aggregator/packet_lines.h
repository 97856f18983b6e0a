/* SPDX-License-Identifier: MIT */
/* The lines of packets, and of packets folded. */
#ifndef JOPIL_AGGREGATOR_PACKET_LINES_H
#define JOPIL_AGGREGATOR_PACKET_LINES_H

#include "aggregator/aggregate.h"

/* As line_read.h has them: LINE_OK, counted; or what is wrong with the line. */
enum line_status packet_lines_packet(struct aggregate *a, const char *line, size_t length);
enum line_status packet_lines_flow(struct aggregate *a, const char *line, size_t length);

#endif
