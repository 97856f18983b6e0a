/* SPDX-License-Identifier: MIT */
/*
 * Link types of captures: what stands before the network header. Numbers and layouts:
 * https://www.tcpdump.org/linktypes.html
 */
#include "reader/link.h"

#include <string.h>

static void parse_ethernet(const u8 *start, u32 there, u32 wire_length,
			   struct packet_info *info)
{
	packet_parse_ethernet(start, start + there, wire_length, info);
}

/* The network header, offset bytes from start. */
static void parse_at(const u8 *start, u32 there, u32 wire_length, u32 offset, u16 ethertype,
		     struct packet_info *info)
{
	struct parse_cursor c = { start, start + there, offset, wire_length };

	packet_parse_network(&c, ethertype, info);
}

/* A header that is not whole: counted, and that is all. */
static void parse_nothing(u32 wire_length, struct packet_info *info)
{
	parse_cut(info);
	info->payload_length = wire_length;
}

static void parse_ipv4_only(const u8 *start, u32 there, u32 wire_length,
			    struct packet_info *info)
{
	parse_at(start, there, wire_length, 0, ETHERTYPE_IPV4, info);
}

static void parse_ipv6_only(const u8 *start, u32 there, u32 wire_length,
			    struct packet_info *info)
{
	parse_at(start, there, wire_length, 0, ETHERTYPE_IPV6, info);
}

static void parse_raw(const u8 *start, u32 there, u32 wire_length, struct packet_info *info)
{
	if (there && start[0] >> 4 == 6)
		parse_ipv6_only(start, there, wire_length, info);
	else
		parse_ipv4_only(start, there, wire_length, info);
}

enum {
	COOKED_HEADER = 16,
	COOKED2_HEADER = 20,
	COOKED_OUTGOING = 4,	/* <linux/if_packet.h> PACKET_OUTGOING */
};

/* LINKTYPE_LINUX_SLL: what `tcpdump -i any` wrote for a long time. */
static void parse_cooked(const u8 *start, u32 there, u32 wire_length,
			 struct packet_info *info)
{
	if (there < COOKED_HEADER) {
		parse_nothing(wire_length, info);
		return;
	}
	info->key.direction = parse_be16(start) == COOKED_OUTGOING;
	parse_at(start, there, wire_length, COOKED_HEADER, parse_be16(start + 14), info);
}

/* LINKTYPE_LINUX_SLL2: what it writes now. */
static void parse_cooked2(const u8 *start, u32 there, u32 wire_length,
			  struct packet_info *info)
{
	if (there < COOKED2_HEADER) {
		parse_nothing(wire_length, info);
		return;
	}
	info->key.direction = start[10] == COOKED_OUTGOING;
	parse_at(start, there, wire_length, COOKED2_HEADER, parse_be16(start), info);
}

/* The address family of whatever system wrote it: they agree on IPv4 only. */
static u16 family_ethertype(u32 family)
{
	switch (family) {
	case 2:
		return ETHERTYPE_IPV4;
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		return ETHERTYPE_IPV6;
	}
	return ETHERTYPE_LLC;
}

/* BSD loopback: four bytes of address family, in the order of who wrote it. */
static void parse_loopback(const u8 *start, u32 there, u32 wire_length,
			   struct packet_info *info)
{
	u32 big, little;

	if (there < 4) {
		parse_nothing(wire_length, info);
		return;
	}
	big = (u32)parse_be16(start) << 16 | parse_be16(start + 2);
	little = __builtin_bswap32(big);
	parse_at(start, there, wire_length, 4, family_ethertype(big < little ? big : little),
		 info);
}

static const struct link_type types[] = {
	{ 1, "Ethernet", parse_ethernet },
	{ 12, "raw IP", parse_raw },	/* DLT_RAW; 14 on OpenBSD, 101 as LINKTYPE_RAW */
	{ 14, "raw IP", parse_raw },
	{ 101, "raw IP", parse_raw },
	{ 228, "raw IPv4", parse_ipv4_only },
	{ 229, "raw IPv6", parse_ipv6_only },
	{ 113, "Linux cooked v1", parse_cooked },
	{ 276, "Linux cooked v2", parse_cooked2 },
	{ 0, "BSD loopback", parse_loopback },
	{ 108, "OpenBSD loopback", parse_loopback },
};

const struct link_type *link_type_find(int number)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].number == number)
			return &types[i];
	return NULL;
}

const char *link_type_list(void)
{
	return "Ethernet, raw IP, Linux cooked v1 and v2, and BSD loopback";
}

void link_parse(const struct link_type *type, const u8 *start, u32 there, u32 wire_length,
		struct packet_info *info)
{
	memset(info, 0, sizeof(*info));
	info->key.vlan = VLAN_NONE;
	type->parse(start, there, wire_length, info);
}
