/* SPDX-License-Identifier: MIT */
/* What a family of /metrics is made of: rows of one table, out of which docs/PROMETHEUS.md comes too. */
#ifndef JOPIL_HTTPD_METRIC_H
#define JOPIL_HTTPD_METRIC_H

#include "httpd/body.h"

struct server;

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* A label that a row of the snapshot gives: its name here, and the member's there. */
struct metric_label {
	const char *name, *key;
};

/* One series of a row. */
struct metric_cell {
	const char *labels;	/* further ones, as they are written: `direction="ingress"`; "" */
	const char *key;	/* of the value in the row; what is no number there is left out */
};

/* Where a family's series come from: rows of an array of the snapshot, or an object. */
struct metric_source {
	const char *part;	/* of the snapshot; NULL ends a list */
	struct metric_label labels[4];	/* name NULL ends them */
	const struct metric_cell *cells;	/* key NULL ends them */
};

/* One series of httpd itself. */
struct metric_own {
	const char *labels;	/* NULL ends a list */
	double (*value)(const struct server *server);	/* NAN: there is none now */
};

struct metric {
	const char *name;	/* NULL ends the table */
	enum metric_type type;
	const char *unit;	/* of the value, for people */
	const char *labels;	/* for people */
	const char *help;
	/* One of the three. */
	const struct metric_source *sources;
	const struct metric_own *own;
	void (*write)(const struct server *server, const struct metric *metric, struct body *body);
};

extern const struct metric metric_table[];

/* jopil_tcp_rtt_seconds. */
void metrics_write_rtt(const struct server *server, const struct metric *metric, struct body *body);

/* What httpd says of itself. */
extern const struct metric_own own_build[], own_up[], own_snapshot_timestamp[], own_snapshot_age[],
	own_snapshot_interval[], own_snapshots[], own_lines[], own_requests[], own_connections[],
	own_clients[], own_frames[], own_limit_hits[], own_start[], own_cpu[], own_heap[];

#endif
