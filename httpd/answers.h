/* SPDX-License-Identifier: MIT */
/* What the answers in JSON hold: their schemas, as tables. */
#ifndef JOPIL_HTTPD_ANSWERS_H
#define JOPIL_HTTPD_ANSWERS_H

#include "httpd/schema.h"

extern const struct member health_members[], flows_members[], packets_members[], connects_members[],
	connections_members[],
	processes_members[], process_members[], remotes_members[], protocols_members[],
	drops_members[], latency_members[], programs_members[], connection_summary_members[],
	drop_summary_members[], pid_connections_members[], pid_drops_members[];

/* Of an error (RFC 9457). */
extern const struct member problem_members[];

/* What /api/stats adds to the members of the snapshot. */
extern const struct member httpd_members[];

#endif
