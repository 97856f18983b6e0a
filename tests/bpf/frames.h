/* SPDX-License-Identifier: MIT */
/* Frames that the packet probe must understand, built header by header. */
#ifndef JOPIL_TEST_FRAMES_H
#define JOPIL_TEST_FRAMES_H

#include <string.h>

#include "common/types.h"

#define FRAME_MAX 2048

struct frame_buffer {
	u8 bytes[FRAME_MAX];
	u32 length;
};

static inline void put(struct frame_buffer *f, const void *bytes, u32 length)
{
	memcpy(f->bytes + f->length, bytes, length);
	f->length += length;
}

#define PUT(f, ...)                               \
	do {                                      \
		const u8 bytes_[] = { __VA_ARGS__ }; \
		put(f, bytes_, sizeof(bytes_));   \
	} while (0)

#define BE16(value) (u8)((value) >> 8), (u8)(value)

static inline void put_zeros(struct frame_buffer *f, u32 length)
{
	memset(f->bytes + f->length, 0, length);
	f->length += length;
}

static inline void put_ethernet(struct frame_buffer *f, u16 ethertype)
{
	PUT(f, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, BE16(ethertype));
}

static inline void put_tag(struct frame_buffer *f, u16 vid, u16 ethertype)
{
	PUT(f, BE16(0x2000 | vid), BE16(ethertype));
}

/* payload: bytes behind the IPv4 header and its options. */
static inline void put_ipv4(struct frame_buffer *f, u8 protocol, u32 options, u16 fragment, u32 payload)
{
	PUT(f, (u8)(0x40 | (5 + options / 4)), 0, BE16(20 + options + payload), 0, 7, BE16(fragment), 63,
	    protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2);
	for (u32 i = 0; i < options; i++)
		PUT(f, 1);
}

static inline void put_ipv6(struct frame_buffer *f, u8 next, u32 payload)
{
	PUT(f, 0x60, 0, 0, 0, BE16(payload), next, 64);
	PUT(f, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
	PUT(f, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
}

/* An extension header of 8 * (1 + extra) bytes. */
static inline void put_extension(struct frame_buffer *f, u8 next, u8 extra)
{
	PUT(f, next, extra);
	put_zeros(f, 6 + 8u * extra);
}

static inline void put_ipv6_fragment(struct frame_buffer *f, u8 next, u16 offset_flags)
{
	PUT(f, next, 0, BE16(offset_flags), 0, 0, 0, 9);
}

static inline void put_tcp(struct frame_buffer *f, u8 flags, u32 options, u32 payload)
{
	PUT(f, BE16(50000), BE16(443), 0, 0, 0, 1, 0, 0, 0, 2, (u8)((5 + options / 4) << 4), flags, 1, 0, 0,
	    0, 0, 0);
	put_zeros(f, options + payload);
}

static inline void put_udp(struct frame_buffer *f, u32 payload)
{
	PUT(f, BE16(5353), BE16(53), BE16(8 + payload), 0, 0);
	put_zeros(f, payload);
}

#define FRAME(name) static inline void frame_##name(struct frame_buffer *f)

FRAME(tcp4) { put_ethernet(f, 0x0800); put_ipv4(f, 6, 0, 0x4000, 32); put_tcp(f, 0x12, 12, 0); }
FRAME(tcp4_options) { put_ethernet(f, 0x0800); put_ipv4(f, 6, 40, 0, 120); put_tcp(f, 0x18, 40, 60); }
FRAME(tcp4_padding) { put_ethernet(f, 0x0800); put_ipv4(f, 6, 0, 0, 20); put_tcp(f, 0x10, 0, 6); }
FRAME(tcp4_bad_offset) { put_ethernet(f, 0x0800); put_ipv4(f, 6, 0, 0, 20); put_tcp(f, 0x10, 8, 0); }
FRAME(tcp4_short_total) { put_ethernet(f, 0x0800); put_ipv4(f, 6, 0, 0, 2); put_tcp(f, 0x10, 0, 0); }
FRAME(tcp4_zero_total)
{
	put_ethernet(f, 0x0800);
	put_ipv4(f, 6, 0, 0, (u32)-20);
	put_tcp(f, 0x10, 0, 100);
}
FRAME(udp4) { put_ethernet(f, 0x0800); put_ipv4(f, 17, 0, 0, 30); put_udp(f, 22); }
FRAME(udp4_first_fragment) { put_ethernet(f, 0x0800); put_ipv4(f, 17, 0, 0x2000, 64); put_udp(f, 56); }
FRAME(udp4_next_fragment) { put_ethernet(f, 0x0800); put_ipv4(f, 17, 0, 0x2008, 64); put_zeros(f, 64); }
FRAME(icmp4) { put_ethernet(f, 0x0800); put_ipv4(f, 1, 0, 0, 64); PUT(f, 8, 3); put_zeros(f, 62); }
FRAME(igmp) { put_ethernet(f, 0x0800); put_ipv4(f, 2, 4, 0, 8); put_zeros(f, 8); }
FRAME(sctp) { put_ethernet(f, 0x0800); put_ipv4(f, 132, 0, 0, 28); put_udp(f, 20); }
FRAME(udplite) { put_ethernet(f, 0x0800); put_ipv4(f, 136, 0, 0, 28); put_udp(f, 20); }
FRAME(dccp)
{
	put_ethernet(f, 0x0800);
	put_ipv4(f, 33, 0, 0, 24);
	PUT(f, BE16(1000), BE16(2000), 4, 0, 0, 0, 0, 0, 0, 0);
	put_zeros(f, 12);
}
FRAME(gre) { put_ethernet(f, 0x0800); put_ipv4(f, 47, 0, 0, 44); PUT(f, 0, 0, 8, 0); put_ipv4(f, 17, 0, 0, 20); put_udp(f, 12); }
FRAME(ipip) { put_ethernet(f, 0x0800); put_ipv4(f, 4, 0, 0, 40); put_ipv4(f, 17, 0, 0, 20); put_udp(f, 12); }
FRAME(esp) { put_ethernet(f, 0x0800); put_ipv4(f, 50, 0, 0, 40); put_zeros(f, 40); }
FRAME(ah4) { put_ethernet(f, 0x0800); put_ipv4(f, 51, 0, 0, 44); PUT(f, 6, 4); put_zeros(f, 42); }
FRAME(experimental) { put_ethernet(f, 0x0800); put_ipv4(f, 253, 0, 0, 10); put_zeros(f, 10); }
FRAME(bad_ihl) { put_ethernet(f, 0x0800); PUT(f, 0x44); put_zeros(f, 40); }
FRAME(bad_version) { put_ethernet(f, 0x0800); PUT(f, 0x65); put_zeros(f, 40); }
FRAME(tcp6) { put_ethernet(f, 0x86dd); put_ipv6(f, 6, 30); put_tcp(f, 0x02, 0, 10); }
FRAME(udp6) { put_ethernet(f, 0x86dd); put_ipv6(f, 17, 18); put_udp(f, 10); }
FRAME(icmp6) { put_ethernet(f, 0x86dd); put_ipv6(f, 58, 24); PUT(f, 135, 0); put_zeros(f, 22); }
FRAME(tcp6_extensions)
{
	put_ethernet(f, 0x86dd);
	put_ipv6(f, 0, 8 + 24 + 16 + 8 + 16 + 20);
	put_extension(f, 43, 0);
	put_extension(f, 60, 2);
	put_extension(f, 51, 1);
	put_ipv6_fragment(f, 51, 1);
	PUT(f, 6, 2);			/* AH: (2 + 2) * 4 bytes */
	put_zeros(f, 14);
	put_tcp(f, 0x02, 0, 0);
}
FRAME(udp6_nine_extensions)
{
	put_ethernet(f, 0x86dd);
	put_ipv6(f, 0, 9 * 8 + 8);
	for (int i = 0; i < 9; i++)
		put_extension(f, i < 8 ? 60 : 17, 0);
	put_udp(f, 0);
}
FRAME(udp6_too_many_extensions)
{
	put_ethernet(f, 0x86dd);
	put_ipv6(f, 0, 14 * 8 + 8);
	for (int i = 0; i < 14; i++)
		put_extension(f, i < 13 ? 60 : 17, 0);
	put_udp(f, 0);
}
FRAME(udp6_next_fragment) { put_ethernet(f, 0x86dd); put_ipv6(f, 44, 40); put_ipv6_fragment(f, 17, 0x0100); put_zeros(f, 32); }
FRAME(no_next_header) { put_ethernet(f, 0x86dd); put_ipv6(f, 59, 0); }
FRAME(jumbogram) { put_ethernet(f, 0x86dd); put_ipv6(f, 0, 0); put_extension(f, 17, 0); put_udp(f, 100); }
FRAME(vlan) { put_ethernet(f, 0x8100); put_tag(f, 100, 0x0800); put_ipv4(f, 17, 0, 0, 30); put_udp(f, 22); }
FRAME(qinq) { put_ethernet(f, 0x88a8); put_tag(f, 7, 0x8100); put_tag(f, 100, 0x86dd); put_ipv6(f, 6, 20); put_tcp(f, 0x10, 0, 0); }
FRAME(four_tags)
{
	put_ethernet(f, 0x88a8);
	put_tag(f, 1, 0x88a8);
	put_tag(f, 2, 0x8100);
	put_tag(f, 3, 0x8100);
	put_tag(f, 4, 0x0800);
	put_ipv4(f, 6, 0, 0, 20);
	put_tcp(f, 0x10, 0, 0);
}
FRAME(five_tags)
{
	put_ethernet(f, 0x8100);
	for (u16 i = 1; i < 5; i++)
		put_tag(f, i, 0x8100);
	put_tag(f, 5, 0x0800);
	put_ipv4(f, 6, 0, 0, 20);
	put_tcp(f, 0x10, 0, 0);
}
FRAME(mpls) { put_ethernet(f, 0x8847); PUT(f, 0, 1, 0x00, 64, 0, 2, 0x01, 64); put_ipv4(f, 17, 0, 0, 30); put_udp(f, 22); }
FRAME(mpls_pseudowire) { put_ethernet(f, 0x8847); PUT(f, 0, 2, 0x01, 64, 0, 0, 0, 0); put_zeros(f, 40); }
FRAME(pppoe) { put_ethernet(f, 0x8864); PUT(f, 0x11, 0, 0, 1, 0, 60, 0, 0x57); put_ipv6(f, 17, 18); put_udp(f, 10); }
FRAME(pppoe_compressed) { put_ethernet(f, 0x8864); PUT(f, 0x11, 0, 0, 1, 0, 51, 0x21); put_ipv4(f, 17, 0, 0, 30); put_udp(f, 22); }
FRAME(pppoe_lcp) { put_ethernet(f, 0x8864); PUT(f, 0x11, 0, 0, 1, 0, 10, 0xc0, 0x21); put_zeros(f, 40); }
FRAME(arp) { put_ethernet(f, 0x0806); put_zeros(f, 46); }
FRAME(lldp) { put_ethernet(f, 0x88cc); put_zeros(f, 46); }
FRAME(llc) { put_ethernet(f, 0x0026); put_zeros(f, 46); }
FRAME(unknown_ethertype) { put_ethernet(f, 0x88b5); put_zeros(f, 46); }

static const struct {
	const char *name;
	void (*build)(struct frame_buffer *f);
} frames[] = {
#define ROW(name) { #name, frame_##name }
	ROW(tcp4), ROW(tcp4_options), ROW(tcp4_padding), ROW(tcp4_bad_offset), ROW(tcp4_short_total),
	ROW(tcp4_zero_total), ROW(udp4), ROW(udp4_first_fragment), ROW(udp4_next_fragment), ROW(icmp4),
	ROW(igmp), ROW(sctp), ROW(udplite), ROW(dccp), ROW(gre), ROW(ipip), ROW(esp), ROW(ah4),
	ROW(experimental), ROW(bad_ihl), ROW(bad_version), ROW(tcp6), ROW(udp6), ROW(icmp6),
	ROW(tcp6_extensions), ROW(udp6_nine_extensions), ROW(udp6_too_many_extensions),
	ROW(udp6_next_fragment), ROW(no_next_header), ROW(jumbogram), ROW(vlan), ROW(qinq), ROW(four_tags),
	ROW(five_tags), ROW(mpls), ROW(mpls_pseudowire), ROW(pppoe), ROW(pppoe_compressed), ROW(pppoe_lcp),
	ROW(arp), ROW(lldp), ROW(llc), ROW(unknown_ethertype),
#undef ROW
};

#define N_FRAMES (sizeof(frames) / sizeof(frames[0]))

#endif
