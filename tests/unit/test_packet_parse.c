// SPDX-License-Identifier: MIT
/*
 * The frame parser, natively: what it makes of each kind of frame, and that it reads
 * no byte beyond those that are there, wherever the frame is cut off.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/packet_parse.h"
#include "tests/bpf/frames.h"

/* Beyond the frames that the kernel's programs are tested with. */
FRAME(options_cut_by_total)
{
	put_ethernet(f, 0x0800);
	put_ipv4(f, 6, 8, 0, 20);
	f->bytes[17] = 27;
	put_tcp(f, 2, 0, 0);
}
FRAME(total_zero_is_all)
{
	put_ethernet(f, 0x0800);
	put_ipv4(f, 17, 0, 0, 0);
	f->bytes[17] = 0;
	put_udp(f, 100);
}
FRAME(total_beyond_frame) { put_ethernet(f, 0x0800); put_ipv4(f, 17, 0, 0, 1400); put_udp(f, 4); }
FRAME(ipv6_nothing_behind) { put_ethernet(f, 0x86dd); put_ipv6(f, 6, 0); put_tcp(f, 2, 0, 0); }
FRAME(extension_overlong) { put_ethernet(f, 0x86dd); put_ipv6(f, 60, 16); put_extension(f, 17, 5); }
FRAME(fragment_half) { put_ethernet(f, 0x86dd); put_ipv6(f, 44, 4); PUT(f, 6, 0, 0, 0); }
FRAME(pppoe_too_short)
{
	put_ethernet(f, 0x8864);
	PUT(f, 0x11, 0, 0, 1, 0, 21, 0, 0x21);
	put_ipv4(f, 17, 0, 0, 8);
	put_udp(f, 0);
}
FRAME(mpls_deep)
{
	put_ethernet(f, 0x8848);
	for (int i = 0; i < 15; i++)
		PUT(f, 0, 1, 0, 64);
	PUT(f, 0, 2, 1, 64);
	put_ipv6(f, 6, 20);
	put_tcp(f, 0x10, 0, 0);
}
FRAME(icmp_quotes_tcp)
{
	put_ethernet(f, 0x0800);
	put_ipv4(f, 1, 0, 0, 48);
	PUT(f, 3, 1, 0, 0, 0, 0, 0, 0);
	put_ipv4(f, 6, 0, 0, 20);
	put_tcp(f, 2, 0, 0);
}
FRAME(vlan_priority_tag) { put_ethernet(f, 0x8100); put_tag(f, 0, 0x0806); put_zeros(f, 28); }
FRAME(vlan_pppoe)
{
	put_ethernet(f, 0x8100);
	put_tag(f, 5, 0x8864);
	PUT(f, 0x11, 0, 0, 1, 0, 40, 0, 0x21);
	put_ipv4(f, 17, 0, 0, 18);
	put_udp(f, 10);
}

enum { BROKEN = 1, CUT = 2 };	/* malformed; truncated as well */

struct expected {
	void (*build)(struct frame_buffer *f);
	u8 ip_version;
	u16 protocol;
	int vlan;
	u8 flags;
	u16 src, dst;		/* ports, or ICMP type and code */
	u8 tcp_flags;
	u32 payload;
	u8 broken;
};

#define PORTS FLOW_PORTS, 50000, 443
#define UDP_PORTS FLOW_PORTS, 5353, 53
#define NO_PORTS 0, 0, 0
#define FRAGMENT FLOW_FRAGMENT, 0, 0
#define NO_TAG (-1)

static const struct expected table[] = {
	{ frame_tcp4, 4, 6, NO_TAG, PORTS, 0x12, 0, 0 },
	{ frame_tcp4_options, 4, 6, NO_TAG, PORTS, 0x18, 60, 0 },
	{ frame_tcp4_padding, 4, 6, NO_TAG, PORTS, 0x10, 0, 0 },
	{ frame_tcp4_bad_offset, 4, 6, NO_TAG, PORTS, 0x10, 0, BROKEN },
	{ frame_tcp4_short_total, 4, 6, NO_TAG, NO_PORTS, 0, 0, BROKEN },
	{ frame_tcp4_zero_total, 4, 6, NO_TAG, PORTS, 0x10, 100, 0 },
	{ frame_total_zero_is_all, 4, 17, NO_TAG, UDP_PORTS, 0, 100, 0 },
	{ frame_total_beyond_frame, 4, 17, NO_TAG, UDP_PORTS, 0, 4, BROKEN },
	{ frame_options_cut_by_total, 0, 0x0800, NO_TAG, NO_PORTS, 0, 48, BROKEN },
	{ frame_udp4, 4, 17, NO_TAG, UDP_PORTS, 0, 22, 0 },
	{ frame_udp4_first_fragment, 4, 17, NO_TAG, UDP_PORTS, 0, 56, 0 },
	{ frame_udp4_next_fragment, 4, 17, NO_TAG, FRAGMENT, 0, 64, 0 },
	{ frame_icmp4, 4, 1, NO_TAG, FLOW_ICMP, 8, 3, 0, 56, 0 },
	{ frame_icmp_quotes_tcp, 4, 1, NO_TAG, FLOW_ICMP, 3, 1, 0, 40, 0 },
	{ frame_igmp, 4, 2, NO_TAG, NO_PORTS, 0, 8, 0 },
	{ frame_sctp, 4, 132, NO_TAG, UDP_PORTS, 0, 16, 0 },
	{ frame_udplite, 4, 136, NO_TAG, UDP_PORTS, 0, 20, 0 },
	{ frame_dccp, 4, 33, NO_TAG, FLOW_PORTS, 1000, 2000, 0, 8, 0 },
	{ frame_gre, 4, 47, NO_TAG, NO_PORTS, 0, 44, 0 },
	{ frame_ipip, 4, 4, NO_TAG, NO_PORTS, 0, 40, 0 },
	{ frame_esp, 4, 50, NO_TAG, NO_PORTS, 0, 40, 0 },
	{ frame_ah4, 4, 51, NO_TAG, NO_PORTS, 0, 44, 0 },
	{ frame_experimental, 4, 253, NO_TAG, NO_PORTS, 0, 10, 0 },
	{ frame_bad_ihl, 0, 0x0800, NO_TAG, NO_PORTS, 0, 41, BROKEN },
	{ frame_bad_version, 0, 0x0800, NO_TAG, NO_PORTS, 0, 41, BROKEN },
	{ frame_tcp6, 6, 6, NO_TAG, PORTS, 2, 10, 0 },
	{ frame_udp6, 6, 17, NO_TAG, UDP_PORTS, 0, 10, 0 },
	{ frame_icmp6, 6, 58, NO_TAG, FLOW_ICMP, 135, 0, 0, 16, 0 },
	{ frame_tcp6_extensions, 6, 6, NO_TAG, PORTS, 2, 0, 0 },
	{ frame_udp6_nine_extensions, 6, 17, NO_TAG, UDP_PORTS, 0, 0, 0 },
	{ frame_udp6_next_fragment, 6, 17, NO_TAG, FRAGMENT, 0, 32, 0 },
	{ frame_no_next_header, 6, 59, NO_TAG, NO_PORTS, 0, 0, 0 },
	{ frame_ipv6_nothing_behind, 6, 6, NO_TAG, NO_PORTS, 0, 0, BROKEN },
	{ frame_extension_overlong, 6, 17, NO_TAG, NO_PORTS, 0, 0, BROKEN },
	{ frame_fragment_half, 6, 44, NO_TAG, NO_PORTS, 0, 0, CUT },
	{ frame_vlan, 4, 17, 100, UDP_PORTS, 0, 22, 0 },
	{ frame_vlan_priority_tag, 0, 0x0806, 0, NO_PORTS, 0, 28, 0 },
	{ frame_vlan_pppoe, 4, 17, 5, UDP_PORTS, 0, 10, 0 },
	{ frame_qinq, 6, 6, 7, PORTS, 0x10, 0, 0 },
	{ frame_four_tags, 4, 6, 1, PORTS, 0x10, 0, 0 },
	{ frame_five_tags, 0, 0x8100, 1, NO_PORTS, 0, 44, 0 },
	{ frame_mpls, 4, 17, NO_TAG, UDP_PORTS, 0, 22, 0 },
	{ frame_mpls_deep, 6, 6, NO_TAG, PORTS, 0x10, 0, 0 },
	{ frame_mpls_pseudowire, 0, 0x8847, NO_TAG, NO_PORTS, 0, 44, 0 },
	{ frame_pppoe, 6, 17, NO_TAG, UDP_PORTS, 0, 10, 0 },
	{ frame_pppoe_compressed, 4, 17, NO_TAG, UDP_PORTS, 0, 22, 0 },
	{ frame_pppoe_lcp, 0, 0x8864, NO_TAG, NO_PORTS, 0, 48, 0 },
	{ frame_pppoe_too_short, 0, 0x8864, NO_TAG, NO_PORTS, 0, 36, BROKEN },
	{ frame_arp, 0, 0x0806, NO_TAG, NO_PORTS, 0, 46, 0 },
	{ frame_lldp, 0, 0x88cc, NO_TAG, NO_PORTS, 0, 46, 0 },
	{ frame_llc, 0, ETHERTYPE_LLC, NO_TAG, NO_PORTS, 0, 46, 0 },
	{ frame_unknown_ethertype, 0, 0x88b5, NO_TAG, NO_PORTS, 0, 46, 0 },
};

#define N_ROWS (sizeof(table) / sizeof(table[0]))

/* The first `there` bytes of a frame, alone in memory: sanitizers see a read beyond. */
static struct packet_info parse(const struct frame_buffer *f, u32 there)
{
	u8 *bytes = malloc(there ? there : 1);
	struct packet_info info;

	memcpy(bytes, f->bytes, there);
	memset(&info, 0, sizeof(info));
	info.key.vlan = VLAN_NONE;
	packet_parse_ethernet(there ? bytes : bytes + 1, bytes + (there ? there : 1), f->length,
			      &info);
	free(bytes);
	return info;
}

/* Ports, and ICMP's type and code, are kept in network order. */
static u16 port(u16 be)
{
	u8 bytes[2];

	memcpy(bytes, &be, 2);
	return parse_be16(bytes);
}

static struct expected seen_in(const struct packet_info *info)
{
	return (struct expected){
		.ip_version = info->key.ip_version,
		.protocol = info->key.protocol,
		.vlan = info->key.vlan == VLAN_NONE ? NO_TAG : info->key.vlan,
		.flags = info->key.flags,
		.src = port(info->key.src_port_be),
		.dst = port(info->key.dst_port_be),
		.tcp_flags = info->tcp_flags,
		.payload = info->payload_length,
		.broken = info->truncated ? CUT : info->malformed ? BROKEN : 0,
	};
}

static void understands_every_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct expected *e = &table[i];
		struct frame_buffer f = { .length = 0 };
		struct packet_info info;
		struct expected s;

		e->build(&f);
		info = parse(&f, f.length);
		s = seen_in(&info);
		if (s.ip_version != e->ip_version || s.protocol != e->protocol || s.vlan != e->vlan ||
		    s.flags != e->flags || s.src != e->src || s.dst != e->dst ||
		    s.tcp_flags != e->tcp_flags || s.payload != e->payload || s.broken != e->broken)
			fail_msg("row %zu: IPv%u protocol %u vlan %d flags %u %u %u tcp %u payload %u "
				 "broken %u", i, s.ip_version, s.protocol, s.vlan, s.flags, s.src, s.dst,
				 s.tcp_flags, s.payload, s.broken);
	}
}

static void addresses_stand_in_the_key(void **state)
{
	static const u8 zeros[12], ipv4[4] = { 10, 0, 0, 1 };
	struct frame_buffer f = { .length = 0 };
	struct packet_info info;

	(void)state;
	frame_udp4(&f);
	info = parse(&f, f.length);
	assert_memory_equal(info.key.src_ip, ipv4, 4);
	assert_memory_equal(info.key.src_ip + 4, zeros, 12);
	assert_int_equal(info.key.dst_ip[3], 2);
	assert_int_equal(info.ttl, 63);
	f.length = 0;
	frame_udp6(&f);
	info = parse(&f, f.length);
	assert_int_equal(info.key.src_ip[0], 0x20);
	assert_int_equal(info.key.src_ip[15], 1);
	assert_int_equal(info.key.dst_ip[15], 2);
	assert_int_equal(info.ttl, 64);
}

static bool is_prefix_right(const struct packet_info *part, const struct packet_info *whole)
{
	/* What a part of the frame says, the whole says as well. */
	if (part->key.ip_version && part->key.ip_version != whole->key.ip_version)
		return false;
	if (part->key.flags & FLOW_PORTS &&
	    (part->key.src_port_be != whole->key.src_port_be ||
	     part->key.dst_port_be != whole->key.dst_port_be))
		return false;
	return part->key.vlan == VLAN_NONE || part->key.vlan == whole->key.vlan;
}

static void cut_anywhere_reads_nothing_beyond(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS; i++) {
		struct frame_buffer f = { .length = 0 };
		struct packet_info whole;

		table[i].build(&f);
		whole = parse(&f, f.length);
		for (u32 there = 0; there < f.length; there++) {
			struct packet_info part = parse(&f, there);

			assert_true(is_prefix_right(&part, &whole));
			assert_true(part.malformed >= part.truncated);
			assert_true(part.header_length <= f.length || part.malformed);
		}
	}
}

static void options_cut_off_make_no_flow(void **state)
{
	struct frame_buffer f = { .length = 0 };
	struct packet_info info;

	(void)state;
	frame_tcp4_options(&f);
	info = parse(&f, 14 + 59);
	assert_int_equal(info.key.ip_version, 0);
	assert_int_equal(info.key.protocol, 0x0800);
	assert_true(info.malformed && info.truncated);
	info = parse(&f, 14 + 60);
	assert_int_equal(info.key.ip_version, 4);
	assert_int_equal(info.key.flags, 0);
	info = parse(&f, 14 + 64);
	assert_int_equal(info.key.flags, FLOW_PORTS);
}

static void ipv6_beyond_64_kib(void **state)
{
	struct frame_buffer f = { .length = 0 };
	struct packet_info info;

	(void)state;
	frame_ipv6_nothing_behind(&f);
	memset(&info, 0, sizeof(info));
	info.key.vlan = VLAN_NONE;
	packet_parse_ethernet(f.bytes, f.bytes + f.length, 14 + 40 + 20 + 100000, &info);
	assert_int_equal(info.key.flags, FLOW_PORTS);
	assert_int_equal(info.payload_length, 100000);
	assert_false(info.malformed);
}

/* The way of all frames, also for one that could go straight through. */
static struct packet_info parse_at_length(const struct frame_buffer *f, u32 there)
{
	struct parse_cursor c = { f->bytes, f->bytes + there, 14, f->length };
	struct packet_info info;

	memset(&info, 0, sizeof(info));
	info.key.vlan = VLAN_NONE;
	packet_parse_network(&c, parse_be16(f->bytes + 12), &info);
	return info;
}

static void assert_same_both_ways(const struct frame_buffer *f, u32 there, unsigned int *plain)
{
	struct packet_info info = parse(f, there), other = parse_at_length(f, there), alone = { .ttl = 0 };

	assert_memory_equal(&info, &other, sizeof(info));
	*plain += parse_plain(f->bytes, f->bytes + there, f->length, &alone);
}

static void straight_through_says_the_same(void **state)
{
	unsigned int plain = 0;

	(void)state;
	srand(20261121);
	for (size_t i = 0; i < N_ROWS; i++) {
		struct frame_buffer f = { .length = 0 }, changed;

		table[i].build(&f);
		for (u32 there = 14; there <= f.length; there++)
			assert_same_both_ways(&f, there, &plain);
		for (int n = 0; n < 5000; n++) {
			changed = f;
			for (int k = rand() % 4; k >= 0; k--)
				changed.bytes[12 + (u32)rand() % (f.length < 60 ? f.length - 12 : 48)] =
					(u8)rand();
			assert_same_both_ways(&changed, f.length, &plain);
		}
	}
	assert_true(plain > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understands_every_kind),
		cmocka_unit_test(addresses_stand_in_the_key),
		cmocka_unit_test(cut_anywhere_reads_nothing_beyond),
		cmocka_unit_test(options_cut_off_make_no_flow),
		cmocka_unit_test(ipv6_beyond_64_kib),
		cmocka_unit_test(straight_through_says_the_same),
	};

	return cmocka_run_group_tests_name("packet_parse", tests, NULL, NULL);
}
