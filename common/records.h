/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The structs that BPF programs and user space share, made from events.def. */
#ifndef JOPIL_RECORDS_H
#define JOPIL_RECORDS_H

#include "common/types.h"

enum record_type {
	RECORD_PACKET = 1,
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
