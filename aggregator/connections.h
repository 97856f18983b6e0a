/* SPDX-License-Identifier: MIT */
/*
 * Connections, from connection lines: what is open, what ended lately, and what was
 * opened in this interval, folded; and whose a 5-tuple is, for flows.
 *
 * A connection is told by host, namespace, protocol and both endpoints, the local one
 * first: on loopback each side is one of its own. With their slots 240 bytes and the path
 * of its cgroup a connection, 120 a 5-tuple.
 */
#ifndef JOPIL_CONNECTIONS_H
#define JOPIL_CONNECTIONS_H

#include "aggregator/flow_table.h"
#include "aggregator/interfaces.h"
#include "aggregator/lru_table.h"
#include "aggregator/processes.h"
#include "common/line_read.h"

#define CONNECTS_MAX 1000	/* rows of what was opened in an interval; beyond: counted */
#define SERVICE_BYTES 24	/* names of services have 15 (RFC 6335); longer ones are cut */

enum connection_state {
	CONNECTION_CONNECTING,
	CONNECTION_OPEN,
	CONNECTION_CLOSED,
	CONNECTION_FAILURE,
	CONNECTION_STATES,
};

/* Lists of the table, in the order in which they are spared. */
enum connection_list {
	LIST_OPEN,		/* TCP, connecting or open */
	LIST_OPEN_DATAGRAM,	/* others: nothing says when they end */
	LIST_ENDED,
};

struct connection_id {
	u8 local_ip[16];
	u8 remote_ip[16];
	u16 local_port, remote_port;
	u16 protocol;
	u16 host;
	u32 netns;
	u8 ip_version;
	u8 pad[3];
};

struct connection {
	struct lru_row row;
	struct connection_id id;
	struct socket_owner owner;	/* pid 0: not known */
	char *cgroup;		/* NULL: not known */
	u64 begun_ns, established_ns, ended_ns;	/* Unix time; 0: not known, not yet */
	u64 changed_ns;		/* of the last line */
	u64 used_ns;		/* when it was last known to be alive */
	u64 duration_ns;	/* of an ended one; DURATION_NONE */
	u64 bytes_sent, bytes_received;
	u32 rtt_us, rtt_min_us, retransmits;
	u32 interval;		/* in which it changed last */
	u16 error;
	u8 state, reason, existing, direction;
	char service[SERVICE_BYTES];	/* empty: none */
};

/* Whose a 5-tuple is: side 0 is the lower, as in struct flow_id. */
struct tuple_id {
	u8 ip[2][16];
	u16 port[2];
	u16 protocol;
	u16 host;
	u8 ip_version;
	u8 pad[3];
};

struct tuple {
	struct lru_row row;
	struct tuple_id id;
	u32 pid;		/* 0: not known */
	u8 command[16];
	u64 ended_ns;		/* Unix time; 0: it has not */
	u32 rtt_us, retransmits;
	u8 opener;		/* the side that opened it */
	u8 local_opener;	/* what is said here is the opener's, not the accepting side's */
	u8 pad[6];
};

struct connect_id {
	u8 dst_ip[16];
	u8 command[16];
	u32 pid, uid;
	u16 dst_port;
	u16 protocol;
	u16 host;
	u8 ip_version;
	u8 direction;
};

struct connect {
	struct lru_row row;
	struct connect_id id;
	u64 opened, failed;
};

/* Events of a host since the beginning, by reason where there is one. */
struct connection_counts {
	u64 connects, accepts;
	u64 closed[CONNECTION_REASONS], failed[CONNECTION_REASONS];
};

struct connections {
	struct lru_table table, tuples, connects;
	u64 n_connects, accepts, closed, failed;	/* since the beginning */
	struct { u64 connects, accepts, closed, failed; } then;	/* at the last snapshot */
	struct connection_counts counts[HOSTS_MAX + 1];	/* by host */
	u64 connects_left_out;	/* events of this interval that found no row */
	u64 no_memory;
};

/* 0 or -errno. */
int connections_init(struct connections *c, u32 max_connections);
void connections_free(struct connections *c);

/* False for a line whose addresses, ports or IP version are null: it is no connection. */
bool connections_add(struct connections *c, u16 host, const struct connection_record *r,
		     const struct line_reader *said, u32 interval);

/*
 * Those that ended, and datagram ones that nobody used, before that Unix time leave; at
 * most `most` are looked at.
 */
void connections_expire(struct connections *c, const struct processes *p, u64 before_ns, u32 most);

/* What was opened belongs to the past. */
void connections_next_interval(struct connections *c);

/* What is known of a flow of this host; NULL: nothing. */
const struct tuple *connections_tuple(const struct connections *c, u16 host, const struct flow_id *flow);

/* The id of a flow, without what a connection does not know of it. */
struct tuple_id tuple_id_of(u16 host, const struct flow_id *flow);

/* The same from one packet's key; *ret_from is the side that sent it. */
struct tuple_id tuple_id_of_key(u16 host, const struct flow_key *key, u8 *ret_from);

#endif
