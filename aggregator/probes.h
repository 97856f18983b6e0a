/* SPDX-License-Identifier: MIT */
/*
 * What the probes of each host said last of their counters. A row is 1.2 kB; there are
 * four to a host.
 */
#ifndef JOPIL_PROBES_H
#define JOPIL_PROBES_H

#include "aggregator/lru_table.h"
#include "common/line_read.h"

#define PROBES_MAX 1024		/* four of 256 hosts */
#define PROBE_COUNTERS_MAX 24	/* of a probe; beyond: left out */
#define PROBE_NAME_BYTES 32
#define PROBE_ID_BYTES 16

struct probe_id {
	char name[PROBE_ID_BYTES];
	u16 host;
	u8 pad[6];
};

struct probe_value {
	char name[PROBE_NAME_BYTES];
	u64 value;		/* as the last line said */
	u64 before;		/* of the times before it was attached anew */
};

struct probe {
	struct lru_row row;
	struct probe_id id;
	u64 time_ns;		/* Unix time of the last line */
	u32 n;
	u32 pad;
	struct probe_value counters[PROBE_COUNTERS_MAX];
};

struct probes {
	struct lru_table table;
	u64 no_memory;
};

/* 0 or -errno. */
int probes_init(struct probes *p);
void probes_free(struct probes *p);

/* The row of a probe of a host, made if there is none; NULL: no memory. */
struct probe *probes_get(struct probes *p, u16 host, struct line_text name);

/* Sets one counter. Names beyond PROBE_NAME_BYTES - 1 are cut. */
void probe_set(struct probe *probe, struct line_text name, u64 value);

/* The sum of a counter over all hosts, since this stream began; "process", "tx_bytes". */
u64 probes_sum(const struct probes *p, const char *probe, const char *counter);

/* The counter of one host's probe, likewise. */
u64 probes_of_host(const struct probes *p, u16 host, const char *probe, const char *counter);

/* Whether any host's was seen. */
bool probes_seen(const struct probes *p, const char *probe);

#endif
