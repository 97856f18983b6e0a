/* SPDX-License-Identifier: MIT */
/* The link types of captures that the parser can read, as a table. Pure functions. */
#ifndef JOPIL_READER_LINK_H
#define JOPIL_READER_LINK_H

#include "bpf/packet_parse.h"

struct link_type {
	int number;		/* DLT_*, as libpcap gives it */
	const char *name;
	/*
	 * A frame of wire_length bytes, of which `there` are at start. Fills info, which
	 * is as link_parse() leaves it; sets key.direction where the link type knows.
	 */
	void (*parse)(const u8 *start, u32 there, u32 wire_length, struct packet_info *info);
};

/* The row of a link type, or NULL if it cannot be read. */
const struct link_type *link_type_find(int number);

/* "Ethernet, raw IP, ...": what can be read, for messages. */
const char *link_type_list(void);

/* Clears info but for the direction's default, ingress, and parses the frame. */
void link_parse(const struct link_type *type, const u8 *start, u32 there, u32 wire_length,
		struct packet_info *info);

#endif
