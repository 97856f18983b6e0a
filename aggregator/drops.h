/* SPDX-License-Identifier: MIT */
/*
 * What the kernel dropped: totals by reason and protocol (from drop_counters lines, exact;
 * without those, added up from drop lines), by flow, and by 5-tuple for the table of flows.
 *
 * Totals never leave. With their slots 160 bytes a total, 256 a flow, 96 a 5-tuple.
 */
#ifndef JOPIL_DROPS_H
#define JOPIL_DROPS_H

#include "aggregator/connections.h"
#include "aggregator/interfaces.h"
#include "aggregator/lru_table.h"
#include "common/line_read.h"

#define DROP_ROWS_MAX 16384	/* totals: of four hosts that know 4096 each; beyond: counted */
#define DROP_FLOWS_MAX 8192
#define DROP_TUPLES_MAX 16384
#define DROP_REASON_BYTES 48	/* longest name in Linux 6.18: 36 */
#define DROP_LOCATION_BYTES 64	/* LOCATION_BYTES of the kernel's map */

/* The reason that says nothing: set apart. */
#define DROP_UNSPECIFIED "NOT_SPECIFIED"

struct drop_row_id {
	u32 reason;
	u16 row;		/* total_row() of the protocol; DROP_ROW_UNKNOWN */
	u16 host;
};

struct drop_row {
	struct lru_row row;
	struct drop_row_id id;
	char reason[DROP_REASON_BYTES];
	struct amount lines;	/* added up from drop lines */
	struct amount counted;	/* as the last drop_counters line said, and .before */
	struct amount before;	/* of the times before the probe was attached anew */
	struct amount then;	/* the total at the last snapshot */
	u8 is_counted;
	u8 pad[7];
};

struct drop_flow_id {
	u8 src_ip[16];
	u8 dst_ip[16];
	u8 ifname[16];		/* NUL-padded; empty: not known */
	char location[DROP_LOCATION_BYTES];	/* NUL-padded; empty: not known */
	u32 netns;
	u32 reason;
	u16 src_port, dst_port;
	u16 protocol;
	u16 host;
	u8 ip_version;
	u8 flags;		/* FLOW_* */
	u8 pad[2];
};

struct drop_flow {
	struct lru_row row;
	struct drop_flow_id id;
	char reason[DROP_REASON_BYTES];
	struct amount total;
	u64 recent;		/* packets of the interval */
	u64 last_ns;		/* Unix time */
	u32 interval;
	u32 pad;
};

struct drop_tuple {
	struct lru_row row;
	struct tuple_id id;
	u64 packets;		/* without a gap of idle_ns */
	u64 last_ns;
};

struct drops {
	struct lru_table rows, flows, tuples;
	u64 rows_over;		/* hits of DROP_ROWS_MAX */
	u64 no_memory;
};

/* What a row of a drop_counters line says. */
struct drop_count {
	struct line_text reason;
	u32 reason_code;
	u16 row;		/* DROP_ROW_UNKNOWN */
	struct amount amount;
};

/* 0 or -errno. */
int drops_init(struct drops *d);
void drops_free(struct drops *d);

/* A drop line. idle_ns: a 5-tuple begins anew after such a gap; 0: never. */
void drops_add(struct drops *d, u16 host, const struct drop_record *r, const struct line_reader *said,
	       u32 interval, u64 idle_ns);

/*
 * The rows of one drop_counters line. If any of them went back, the probe was attached
 * anew: all totals of this host go on from where they were. is_first: of the first ones of
 * this host, whose counts are no news.
 */
void drops_set(struct drops *d, u16 host, const struct drop_count *counts, size_t n, bool is_first);

/* The total of a row: counters if there are any, else lines. */
const struct amount *drop_row_total(const struct drop_row *row);

/* The snapshot is written: what comes now belongs to the next. */
void drops_next_interval(struct drops *d);

/* Packets dropped of a flow, and when the last (Unix time). */
u64 drops_of_flow(const struct drops *d, u16 host, const struct flow_id *flow, u64 *ret_last_ns);

#endif
