/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * From a frame to its flow key: the one parser, used by the kernel's programs and,
 * compiled natively, by `reader --pcap`, the unit tests and the fuzzer. It calls no
 * helper, keeps no state and reads no byte that it has not checked right before.
 *
 * It looks at the outermost IP header only. VLAN tags, MPLS labels and PPPoE
 * sessions are looked through. What is not whole is counted as malformed, with
 * what could be parsed.
 */
#ifndef JOPIL_PACKET_PARSE_H
#define JOPIL_PACKET_PARSE_H

#include "common/records.h"

#ifndef __bpf__
#include <stdbool.h>
#include <stddef.h>
#endif

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* The deepest nesting looked through; beyond it the frame counts as not whole. */
#define PARSE_VLAN_TAGS 4	/* 802.1ad has two; the third and fourth are seen in the wild */
#define PARSE_MPLS_LABELS 16	/* a stack that deep is a test, but costs the verifier nothing */
#define PARSE_EXTENSIONS 10	/* RFC 8200 4.1 recommends at most seven */

enum {
	ETHERTYPE_LLC = 0x0001,		/* our number for an 802.3 length field */
	ETHERTYPE_LENGTH_MAX = 0x05dc,	/* IEEE 802.3 3.2.6 */
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_8021Q = 0x8100,
	ETHERTYPE_8021AD = 0x88a8,
	ETHERTYPE_QINQ = 0x9100,	/* before 802.1ad */
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_MULTICAST = 0x8848,
	ETHERTYPE_PPPOE = 0x8864,
};

enum {
	IP_HOPOPTS = 0,
	IP_ICMP = 1,
	IP_TCP = 6,
	IP_UDP = 17,
	IP_DCCP = 33,
	IP_ROUTING = 43,
	IP_FRAGMENT = 44,
	IP_AH = 51,
	IP_ICMPV6 = 58,
	IP_DSTOPTS = 60,
	IP_SCTP = 132,
	IP_UDPLITE = 136,
};

struct packet_info {
	struct flow_key key;	/* iface and direction are the caller's */
	u32 payload_length;	/* behind the transport header, by the IP header's word */
	u32 header_length;	/* from the frame's first byte to the payload */
	u8 tcp_flags;
	u8 ttl;
	u8 malformed;
	u8 truncated;		/* more bytes might have helped: the data, not the frame, ended */
};

/* Where the parser stands. All lengths in bytes. */
struct parse_cursor {
	const u8 *start;
	const u8 *end;		/* of the bytes that are there */
	u64 offset;		/* of the next header from start */
	u32 wire_length;	/* of the whole frame, of which end may be cut off; never less */
};

/*
 * Headers that begin later are not looked at; the verifier wants a bound below 64 KiB.
 * A power of two less 1. Who parses a copy of the headers has room for 40 bytes behind.
 */
#ifndef PARSE_OFFSET_MAX
#define PARSE_OFFSET_MAX 0x7fff
#endif

/*
 * Loads of unknown alignment. The kernel's programs may do them as they are; asked in
 * portable C, clang loads single bytes for BPF and puts them together.
 */
#ifdef __bpf__
#define PARSE_LOAD(name, type) \
	static __always_inline type name(const u8 *p) \
	{ \
		typedef type __attribute__((may_alias)) any; \
		return *(const any *)p; \
	}
#else
#define PARSE_LOAD(name, type) \
	static __always_inline type name(const u8 *p) \
	{ \
		type value; \
		__builtin_memcpy(&value, p, sizeof(value)); \
		return value; \
	}
#endif
PARSE_LOAD(parse_raw16, u16)
PARSE_LOAD(parse_raw32, u32)
PARSE_LOAD(parse_raw64, u64)

static __always_inline u16 parse_be16(const u8 *p)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap16(parse_raw16(p));
#else
	return parse_raw16(p);
#endif
}

static __always_inline void parse_address4(u8 *to, const u8 *from)
{
	u32 address = parse_raw32(from);

	__builtin_memcpy(to, &address, sizeof(address));
}

static __always_inline void parse_address16(u8 *to, const u8 *from)
{
	u64 high = parse_raw64(from), low = parse_raw64(from + 8);

	__builtin_memcpy(to, &high, sizeof(high));
	__builtin_memcpy(to + 8, &low, sizeof(low));
}

/*
 * Two hints for the kernel's verifier, which follows every path by itself: four tags
 * times six labels times ten extensions, and gives up after a million instructions.
 * Adding and taking away a number that it does not know makes the offset one as well,
 * so paths that meet at the same place count as one. The mask, behind a comparison
 * that the compiler may do on another register, gives it the bound it needs.
 */
#ifdef __bpf__
#define PARSE_FORGET(offset, unknown) \
	asm volatile("%0 += %1\n\t%0 -= %1" : "+r"(offset) : "r"(unknown))
#define PARSE_BOUND(offset) asm volatile("%0 &= %1" : "+r"(offset) : "i"(PARSE_OFFSET_MAX))
#else
#define PARSE_FORGET(offset, unknown) ((void)(unknown))
#define PARSE_BOUND(offset) ((void)(offset))
#endif

/*
 * The verifier knows what a comparison with the end of a packet proves, but not with that
 * of a copy: who parses one defines this, so that the compiler asks the pointer itself.
 */
#ifndef PARSE_OPAQUE
#define PARSE_OPAQUE(pointer) ((void)(pointer))
#endif

/* Moves on by length bytes; unknown is any number from the packet. */
static __always_inline void parse_advance(struct parse_cursor *c, u64 length, u64 unknown)
{
	u64 offset = c->offset + length;

	PARSE_FORGET(offset, unknown);
	c->offset = offset;
}

/* The next bytes, or NULL when fewer than needed are there. */
static __always_inline const u8 *parse_next(const struct parse_cursor *c, u32 needed)
{
	u64 offset = c->offset;
	const u8 *next;

	if (offset > PARSE_OFFSET_MAX)
		return NULL;
	PARSE_BOUND(offset);
	next = c->start + offset;
	if (next + needed > c->end)
		next = NULL;
	PARSE_OPAQUE(next);
	return next;
}

static __always_inline void parse_cut(struct packet_info *info)
{
	info->malformed = 1;
	info->truncated = 1;
}

/* Looks through VLAN tags; returns the ethertype behind them. */
static __always_inline u16 parse_vlans(struct parse_cursor *c, u16 ethertype,
				       struct packet_info *info)
{
	for (int i = 0; i < PARSE_VLAN_TAGS; i++) {
		const u8 *tag;

		if (ethertype != ETHERTYPE_8021Q && ethertype != ETHERTYPE_8021AD &&
		    ethertype != ETHERTYPE_QINQ)
			break;
		tag = parse_next(c, 4);
		if (!tag) {
			parse_cut(info);
			break;
		}
		if (info->key.vlan == VLAN_NONE)
			info->key.vlan = parse_be16(tag) & 0x0fff;
		ethertype = parse_be16(tag + 2);
		parse_advance(c, 4, ethertype);
	}
	return ethertype;
}

/*
 * RFC 3032: labels up to the bottom of the stack; what follows has no type, the first
 * nibble tells IPv4 and IPv6 (RFC 4928). Returns the ethertype behind, else as given.
 */
static __always_inline u16 parse_mpls(struct parse_cursor *c, u16 ethertype,
				      struct packet_info *info)
{
	const u8 *pos;
	u8 bottom = 0;

	for (int i = 0; i < PARSE_MPLS_LABELS && !bottom; i++) {
		pos = parse_next(c, 4);
		if (!pos) {
			parse_cut(info);
			return ethertype;
		}
		bottom = pos[2] & 1;
		parse_advance(c, 4, pos[3]);
	}
	pos = parse_next(c, 1);
	if (!bottom || !pos) {
		parse_cut(info);
		return ethertype;
	}
	if (pos[0] >> 4 == 4)
		return ETHERTYPE_IPV4;
	return pos[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ethertype;
}

/* RFC 2516 session stage, then PPP's protocol number (RFC 1661 2, maybe compressed). */
static __always_inline u16 parse_pppoe(struct parse_cursor *c, u16 ethertype,
				       struct packet_info *info)
{
	const u8 *pos = parse_next(c, 8);
	u16 ppp;

	if (!pos) {
		parse_cut(info);
		return ethertype;
	}
	ppp = pos[6] & 1 ? pos[6] : parse_be16(pos + 6);
	if (ppp != 0x0021 && ppp != 0x0057)
		return ethertype;
	/* The session's length says that not even an IP header fits: the rest is padding. */
	if (parse_be16(pos + 4) < (ppp == 0x0021 ? 2 + 20 : 2 + 40)) {
		info->malformed = 1;
		return ethertype;
	}
	parse_advance(c, pos[6] & 1 ? 7 : 8, ppp);
	return ppp == 0x0021 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
}

/*
 * The first four bytes of a transport header, where ports, or type and code, are. left
 * is what the IP header says follows. NULL if they are not there.
 */
static __always_inline const u8 *parse_four(struct parse_cursor *c, u32 left,
					    struct packet_info *info)
{
	const u8 *pos = parse_next(c, 4);

	if (left < 4) {
		info->malformed = 1;
		return NULL;
	}
	if (!pos)
		parse_cut(info);
	return pos;
}

static __always_inline void parse_ports(struct parse_cursor *c, u32 left,
					struct packet_info *info)
{
	const u8 *pos = parse_four(c, left, info);

	if (!pos)
		return;
	info->key.src_port_be = parse_raw16(pos);
	info->key.dst_port_be = parse_raw16(pos + 2);
	info->key.flags |= FLOW_PORTS;
}

static __always_inline void parse_icmp(struct parse_cursor *c, u32 left,
				       struct packet_info *info)
{
	const u8 *pos = parse_four(c, left, info);

	if (!pos)
		return;
	info->key.src_port_be = (u16)(pos[0] << 8);
	info->key.dst_port_be = (u16)(pos[1] << 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	info->key.src_port_be = pos[0];
	info->key.dst_port_be = pos[1];
#endif
	info->key.flags |= FLOW_ICMP;
}

/* The length of TCP's and DCCP's header, which it says itself in units of 4 bytes. */
static __always_inline u32 parse_data_offset(struct parse_cursor *c, u32 left, u16 protocol,
					     struct packet_info *info)
{
	u32 fixed = protocol == IP_TCP ? 20 : 12;
	const u8 *pos;
	u32 length;

	if (left < fixed) {
		info->malformed = 1;
		return left;
	}
	pos = parse_next(c, 12);
	if (pos)
		length = pos[4] * 4u;
	if (protocol == IP_TCP) {
		pos = parse_next(c, 14);
		if (pos) {
			info->tcp_flags = pos[13];
			length = (pos[12] >> 4) * 4u;
			pos = parse_next(c, 20);
		}
	}
	if (!pos) {
		parse_cut(info);
		return fixed;
	}
	if (length < fixed || length > left) {
		info->malformed = 1;
		return fixed;
	}
	return length;
}

/* left: bytes behind the IP headers, by their own word. */
static __always_inline void parse_transport(struct parse_cursor *c, u32 left,
					    struct packet_info *info)
{
	u16 protocol = info->key.protocol;
	u32 length = 0;

	if (protocol == IP_TCP || protocol == IP_DCCP) {
		parse_ports(c, left, info);
		length = parse_data_offset(c, left, protocol, info);
	} else if (protocol == IP_UDP || protocol == IP_UDPLITE) {
		parse_ports(c, left, info);
		length = 8;
	} else if (protocol == IP_SCTP) {
		parse_ports(c, left, info);
		length = 12;
	} else if (protocol == IP_ICMP || protocol == IP_ICMPV6) {
		parse_icmp(c, left, info);
		length = 8;
	}
	if (length > left) {
		info->malformed = 1;
		length = left;
	}
	info->header_length = (u32)c->offset + length;
	info->payload_length = left - length;
}

/* Bytes of the frame from here on, by its length on the wire. */
static __always_inline u32 parse_there(const struct parse_cursor *c)
{
	u32 before = (u32)c->offset;

	return c->wire_length > before ? c->wire_length - before : 0;
}

static __always_inline void parse_ipv4(struct parse_cursor *c, struct packet_info *info)
{
	const u8 *ip = parse_next(c, 20);
	u32 header, there, said, left;
	u16 fragment;

	if (!ip) {
		parse_cut(info);
		return;
	}
	header = (ip[0] & 15) * 4u;
	if (ip[0] >> 4 != 4 || header < 20) {
		info->malformed = 1;
		return;
	}
	there = parse_there(c);
	said = parse_be16(ip + 2);
	if (!said)	/* segmentation offload */
		said = there;
	if (said < header) {
		info->malformed = 1;
		return;
	}
	if (said > there) {
		info->malformed = 1;
		said = there;
	}
	left = said > header ? said - header : 0;
	fragment = parse_be16(ip + 6);
	parse_advance(c, header, fragment);
	if (!parse_next(c, 0)) {	/* options cut off */
		parse_cut(info);
		return;
	}
	info->ttl = ip[8];
	info->key.protocol = ip[9];
	info->key.ip_version = 4;
	parse_address4(info->key.src_ip, ip + 12);
	parse_address4(info->key.dst_ip, ip + 16);
	if (fragment & 0x1fff) {
		info->key.flags |= FLOW_FRAGMENT;
		info->header_length = (u32)c->offset;
		info->payload_length = left;
		return;
	}
	parse_transport(c, left, info);
}

/*
 * An extension header that is not whole still says what would follow it, but for a
 * fragment header: whether anything but the rest of an earlier packet follows, its
 * second half says. Returns the bytes behind: none.
 */
static __always_inline u32 parse_half_extension(struct parse_cursor *c, u8 type, u32 left,
						struct packet_info *info)
{
	const u8 *pos = parse_next(c, 2);

	if (pos && left >= 2 && type != IP_FRAGMENT)
		info->key.protocol = pos[0];
	return 0;
}

/*
 * Walks the extension headers (RFC 8200 4); returns the bytes behind them and sets
 * the protocol.
 */
static __always_inline u32 parse_extensions(struct parse_cursor *c, u8 next, u32 left,
					    struct packet_info *info)
{
	for (int i = 0; i < PARSE_EXTENSIONS; i++) {
		const u8 *pos;
		u32 length;

		info->key.protocol = next;
		if (next != IP_HOPOPTS && next != IP_ROUTING && next != IP_DSTOPTS &&
		    next != IP_FRAGMENT && next != IP_AH)
			return left;
		pos = parse_next(c, 8);
		if (!pos) {
			parse_cut(info);
			return parse_half_extension(c, next, left, info);
		}
		length = next == IP_FRAGMENT ? 8 : next == IP_AH ? (pos[1] + 2) * 4u
								 : (pos[1] + 1) * 8u;
		if (length > left) {
			info->malformed = 1;
			return parse_half_extension(c, next, left, info);
		}
		left -= length;
		if (next == IP_FRAGMENT && parse_be16(pos + 2) & 0xfff8)
			info->key.flags |= FLOW_FRAGMENT;
		next = pos[0];
		parse_advance(c, length, next);
		if (info->key.flags & FLOW_FRAGMENT)
			break;
	}
	info->key.protocol = next;
	return left;
}

static __always_inline void parse_ipv6(struct parse_cursor *c, struct packet_info *info)
{
	const u8 *ip = parse_next(c, 40);
	u32 there, left;

	if (!ip) {
		parse_cut(info);
		return;
	}
	if (ip[0] >> 4 != 6) {
		info->malformed = 1;
		return;
	}
	there = parse_there(c) - 40;	/* the header is there: checked above */
	left = parse_be16(ip + 4);
	if (!left && there > 0xffff)	/* more than the field can say: BIG TCP */
		left = there;
	if (left > there) {
		info->malformed = 1;
		left = there;
	}
	info->ttl = ip[7];
	info->key.ip_version = 6;
	parse_address16(info->key.src_ip, ip + 8);
	parse_address16(info->key.dst_ip, ip + 24);
	parse_advance(c, 40, left);
	left = parse_extensions(c, ip[6], left, info);
	if (info->key.flags & FLOW_FRAGMENT) {
		info->header_length = (u32)c->offset;
		info->payload_length = left;
		return;
	}
	parse_transport(c, left, info);
}

/*
 * A packet that starts with what the ethertype says, c->offset at its first byte.
 * info is zeroed but for key.vlan, which is VLAN_NONE or a tag already taken off.
 */
static __always_inline void packet_parse_network(struct parse_cursor *c, u16 ethertype,
						 struct packet_info *info)
{
	u32 before;

	ethertype = parse_vlans(c, ethertype, info);
	if (ethertype == ETHERTYPE_PPPOE)
		ethertype = parse_pppoe(c, ethertype, info);
	else if (ethertype == ETHERTYPE_MPLS || ethertype == ETHERTYPE_MPLS_MULTICAST)
		ethertype = parse_mpls(c, ethertype, info);
	if (ethertype <= ETHERTYPE_LENGTH_MAX)
		ethertype = ETHERTYPE_LLC;
	info->key.protocol = ethertype;
	before = (u32)c->offset;
	info->header_length = before;
	info->payload_length = c->wire_length > before ? c->wire_length - before : 0;
	if (ethertype == ETHERTYPE_IPV4)
		parse_ipv4(c, info);
	else if (ethertype == ETHERTYPE_IPV6)
		parse_ipv6(c, info);
}

/* ---- what nearly all frames are ---------------------------------------------------- */

/* A number of 16 bits as it lies in the frame. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PARSE_RAW16(number) ((u16)((number) << 8 | (number) >> 8))
#else
#define PARSE_RAW16(number) ((u16)(number))
#endif

/*
 * TCP or UDP, of which 20 bytes are there, behind `before` bytes of frame; left as above.
 * False, and nothing done, if it is not that, or not of the length that it says.
 */
static __always_inline bool parse_plain_transport(const u8 *pos, u8 protocol, u32 left, u32 before,
						  struct packet_info *info)
{
	u32 header = protocol == IP_TCP ? (pos[12] >> 4) * 4u : 8;

	if ((protocol != IP_TCP || header < 20) && protocol != IP_UDP)
		return false;
	if (header > left)
		return false;
	if (protocol == IP_TCP)
		info->tcp_flags = pos[13];
	info->key.protocol = protocol;
	info->key.flags = FLOW_PORTS;
	info->key.src_port_be = parse_raw16(pos);
	info->key.dst_port_be = parse_raw16(pos + 2);
	info->header_length = before + header;
	info->payload_length = left - header;
	return true;
}

static __always_inline bool parse_plain4(const u8 *frame, const u8 *end, u32 wire_length,
					 struct packet_info *info)
{
	const u8 *ip = frame + 14;
	u32 said;

	if (ip + 20 + 20 > end || ip[0] != 0x45 || parse_raw16(ip + 6) & PARSE_RAW16(0x1fff))
		return false;
	said = parse_be16(ip + 2);
	if (said < 20 || 14 + said > wire_length ||
	    !parse_plain_transport(ip + 20, ip[9], said - 20, 14 + 20, info))
		return false;
	info->ttl = ip[8];
	info->key.ip_version = 4;
	parse_address4(info->key.src_ip, ip + 12);
	parse_address4(info->key.dst_ip, ip + 16);
	return true;
}

static __always_inline bool parse_plain6(const u8 *frame, const u8 *end, u32 wire_length,
					 struct packet_info *info)
{
	const u8 *ip = frame + 14;
	u32 said;

	if (ip + 40 + 20 > end || ip[0] >> 4 != 6)
		return false;
	said = parse_be16(ip + 4);
	if (14 + 40 + said > wire_length ||
	    !parse_plain_transport(ip + 40, ip[6], said, 14 + 40, info))
		return false;
	info->ttl = ip[7];
	info->key.ip_version = 6;
	parse_address16(info->key.src_ip, ip + 8);
	parse_address16(info->key.dst_ip, ip + 24);
	return true;
}

/*
 * Untagged, without options and extensions, no fragment, whole: straight through, with the
 * same result as below (5 of 12 ns less). False, and nothing done, for any other frame.
 */
static __always_inline bool parse_plain(const u8 *frame, const u8 *end, u32 wire_length,
					struct packet_info *info)
{
	u16 ethertype;

	if (frame + 14 > end)
		return false;
	ethertype = parse_raw16(frame + 12);
	if (ethertype == PARSE_RAW16(ETHERTYPE_IPV4))
		return parse_plain4(frame, end, wire_length, info);
	return ethertype == PARSE_RAW16(ETHERTYPE_IPV6) && parse_plain6(frame, end, wire_length, info);
}

/*
 * An Ethernet frame of wire_length bytes, of which those from start to end are there.
 * Fills info; never fails.
 */
static __always_inline void packet_parse_ethernet(const void *start, const void *end,
						  u32 wire_length, struct packet_info *info)
{
	struct parse_cursor c = { start, end, 0, wire_length };
	const u8 *frame;

	if (parse_plain(start, end, wire_length, info))
		return;
	frame = parse_next(&c, 14);
	if (!frame) {
		parse_cut(info);
		info->payload_length = wire_length;
		return;
	}
	parse_advance(&c, 14, frame[13]);
	packet_parse_network(&c, parse_be16(frame + 12), info);
}

#endif
