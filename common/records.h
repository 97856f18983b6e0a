/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The structs that BPF programs and user space share, made from events.def. */
#ifndef JOPIL_RECORDS_H
#define JOPIL_RECORDS_H

#include "common/types.h"

enum record_type {
	RECORD_PACKET = 1,
	RECORD_CONNECTION = 2,
	RECORD_DROP = 3,
};

enum direction {
	DIRECTION_INGRESS = 0,
	DIRECTION_EGRESS = 1,
	DIRECTIONS = 2,
};

/* flow_key.flags */
#define FLOW_PORTS    0x01	/* src_port_be and dst_port_be are ports */
#define FLOW_ICMP     0x02	/* they are ICMP type and code */
#define FLOW_FRAGMENT 0x04	/* a fragment after the first */
#define FLOW_NO_ADDRESS 0x08	/* addresses left out (loader --only) */

#define VLAN_NONE 0xffff

/* flow_value.packets_flags: packets above, flags below; and its ticks, in nanoseconds */
#define FLOW_PACKETS_SHIFT 8
#define FLOW_TICK_SHIFT 20

enum connection_event {
	CONNECTION_CONNECT = 0,
	CONNECTION_ACCEPT,
	CONNECTION_ESTABLISHED,
	CONNECTION_CLOSE,
	CONNECTION_FAILED,
	CONNECTION_EVENTS,
};

enum connection_reason {
	REASON_NONE = 0,
	REASON_LOCAL,		/* close: the local side sent the first FIN */
	REASON_REMOTE,		/* close: the other side did */
	REASON_ABORT,		/* close: the local side reset it */
	REASON_REFUSED,		/* failed: ECONNREFUSED */
	REASON_TIMED_OUT,	/* failed: ETIMEDOUT */
	REASON_RESET,		/* failed: ECONNRESET, EPIPE */
	REASON_UNREACHABLE,	/* failed: EHOSTUNREACH, ENETUNREACH */
	REASON_ABORTED,		/* failed: closed here before it was established */
	REASON_ERROR,		/* failed: any other errno */
	CONNECTION_REASONS,
};

/* connection_record.duration_ns of what was not established or begun */
#define DURATION_NONE 0xffffffffffffffffull

/* process_key.flags */
#define PROCESS_REMOTE 0x01	/* remote_ip is known */
#define PROCESS_PORT   0x02	/* remote_port_be is a port */

/* drop_total_key.row of an skb whose protocol is not known */
#define DROP_ROW_UNKNOWN 0xffff

#define RECORD(name, size, what) struct name {
#define MEMBER(type, name, dimension, what) type name dimension;
#define RECORD_END(name) };
#include "common/events.def"

#define RECORD(name, size, what) \
	_Static_assert(sizeof(struct name) == (size), "struct " #name " is not " #size " bytes");
#define MEMBER(type, name, dimension, what)
#define RECORD_END(name)
#include "common/events.def"

#endif
