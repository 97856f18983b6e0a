/* SPDX-License-Identifier: MIT */
/* GET /metrics: the last snapshot and httpd itself, for Prometheus. */
#ifndef JOPIL_HTTPD_METRICS_H
#define JOPIL_HTTPD_METRICS_H

#include "httpd/request.h"

/*
 * Counters are what the last snapshot says, to the letter: nothing is added up here. They
 * never go back while the aggregator runs, and begin anew with it, which is what
 * Prometheus takes a counter that went back for. Which rows there are, and that their
 * sums are exact, is the aggregator's work (its series.h).
 *
 * Text format 0.0.4, or OpenMetrics 1.0.0 where Accept names it; with gzip where
 * Accept-Encoding takes it.
 */
enum MHD_Result metrics_answer(struct server *server, struct request *request);

/* The text alone, as a whole. */
void metrics_write(const struct server *server, bool open_metrics, struct body *body);

#endif
