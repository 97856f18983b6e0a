/* SPDX-License-Identifier: MIT */
/*
 * What flows moved in one interval, by service port: that of the side that was opened, if
 * its SYN was seen, else the smaller of the two. Every packet of a flow is in exactly one
 * row.
 */
#ifndef JOPIL_PORTS_H
#define JOPIL_PORTS_H

#include "aggregator/flow_table.h"
#include "aggregator/interfaces.h"

#define PORTS_MAX 4096		/* rows of an interval; what is beyond is summed by protocol */
#define PORT_NONE 0xffffffffu	/* of protocols that have none, and of ports beyond the limit */

struct port_row {
	u32 port;		/* PORT_NONE: null */
	u16 protocol, host;
	u8 ip_version;		/* of the first flow, for the protocol's name */
	u8 pad[7];
	struct amount moved;	/* both ways */
};

struct ports {
	struct port_row *rows;
	struct slots slots;	/* of the rows' indices */
	u32 n, allocated;
	u32 n_with_port;
	u64 seed[2];
	u64 over;		/* hits of the limit */
};

/* 0 or -ENOMEM, -errno of getrandom(). */
int ports_init(struct ports *p);
void ports_free(struct ports *p);

/* What the flow has moved in its last interval (f->recent_*). 0 or -ENOMEM. */
int ports_add(struct ports *p, const struct flow *f, u16 host);

/* The next interval begins with no rows. */
void ports_clear(struct ports *p);

#endif
