/* SPDX-License-Identifier: MIT */
/*
 * The lines of the host's probes: connection, process and drop with the readers made from
 * events.def, latency, probe and drop_counters with jansson. Each adds one line to the
 * tables and returns LINE_OK, or adds nothing and returns why not.
 */
#ifndef JOPIL_HOST_LINES_H
#define JOPIL_HOST_LINES_H

#include "aggregator/aggregate.h"

enum line_status host_lines_connection(struct aggregate *a, const char *line, size_t length);
enum line_status host_lines_process(struct aggregate *a, const char *line, size_t length);
enum line_status host_lines_drop(struct aggregate *a, const char *line, size_t length);
enum line_status host_lines_latency(struct aggregate *a, const char *line, size_t length);
enum line_status host_lines_probe(struct aggregate *a, const char *line, size_t length);
enum line_status host_lines_drop_counters(struct aggregate *a, const char *line, size_t length);

#endif
