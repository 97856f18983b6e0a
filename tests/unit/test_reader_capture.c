// SPDX-License-Identifier: MIT
/* Link types of captures, and what is learned of a pcapng file as it goes by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/link.h"
#include "reader/pcapng.h"
#include "tests/bpf/frames.h"

static void put_udp4(struct frame_buffer *f)
{
	put_ipv4(f, 17, 0, 0, 18);
	put_udp(f, 10);
}

FRAME(raw4) { put_udp4(f); }
FRAME(raw6) { put_ipv6(f, 17, 18); put_udp(f, 10); }
FRAME(cooked) { PUT(f, 0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0); put_udp4(f); }
FRAME(cooked_out) { PUT(f, 0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0); put_udp4(f); }
FRAME(cooked_vlan) { PUT(f, 0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x81, 0, 0, 9, 8, 0); put_udp4(f); }
FRAME(cooked_llc) { PUT(f, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0, 4); put_zeros(f, 40); }
FRAME(cooked2) { PUT(f, 0x86, 0xdd, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0); frame_raw6(f); }
FRAME(cooked2_out) { PUT(f, 8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0); put_udp4(f); }
FRAME(loop_little) { PUT(f, 2, 0, 0, 0); put_udp4(f); }
FRAME(loop_big) { PUT(f, 0, 0, 0, 2); put_udp4(f); }
FRAME(loop_linux6) { PUT(f, 10, 0, 0, 0); frame_raw6(f); }
FRAME(loop_netbsd6) { PUT(f, 0, 0, 0, 24); frame_raw6(f); }
FRAME(loop_freebsd6) { PUT(f, 28, 0, 0, 0); frame_raw6(f); }
FRAME(loop_mac6) { PUT(f, 30, 0, 0, 0); frame_raw6(f); }
FRAME(loop_other) { PUT(f, 7, 0, 0, 0); put_zeros(f, 40); }

static const struct {
	int link;
	void (*build)(struct frame_buffer *f);
	u8 ip_version;
	u16 protocol;
	u8 direction;
	int vlan;
	u32 header;		/* bytes before the IP header */
} links[] = {
	{ 1, frame_udp4, 4, 17, 0, -1, 14 },
	{ 12, frame_raw4, 4, 17, 0, -1, 0 },
	{ 14, frame_raw6, 6, 17, 0, -1, 0 },
	{ 101, frame_raw6, 6, 17, 0, -1, 0 },
	{ 228, frame_raw4, 4, 17, 0, -1, 0 },
	{ 229, frame_raw6, 6, 17, 0, -1, 0 },
	{ 229, frame_raw4, 0, 0x86dd, 0, -1, 0 },
	{ 113, frame_cooked, 4, 17, 0, -1, 16 },
	{ 113, frame_cooked_out, 4, 17, 1, -1, 16 },
	{ 113, frame_cooked_vlan, 4, 17, 0, 9, 20 },
	{ 113, frame_cooked_llc, 0, ETHERTYPE_LLC, 0, -1, 16 },
	{ 276, frame_cooked2, 6, 17, 0, -1, 20 },
	{ 276, frame_cooked2_out, 4, 17, 1, -1, 20 },
	{ 0, frame_loop_little, 4, 17, 0, -1, 4 },
	{ 0, frame_loop_big, 4, 17, 0, -1, 4 },
	{ 0, frame_loop_linux6, 6, 17, 0, -1, 4 },
	{ 0, frame_loop_netbsd6, 6, 17, 0, -1, 4 },
	{ 108, frame_loop_freebsd6, 6, 17, 0, -1, 4 },
	{ 108, frame_loop_mac6, 6, 17, 0, -1, 4 },
	{ 108, frame_loop_other, 0, ETHERTYPE_LLC, 0, -1, 4 },
};

#define N_LINKS (sizeof(links) / sizeof(links[0]))

/* The first `there` bytes, alone in memory. */
static struct packet_info parse(int link, const struct frame_buffer *f, u32 there)
{
	const struct link_type *type = link_type_find(link);
	u8 *bytes = malloc(there + 1);
	struct packet_info info;

	assert_non_null(type);
	memcpy(bytes + 1, f->bytes, there);
	link_parse(type, bytes + 1, there, f->length, &info);
	free(bytes);
	return info;
}

static void link_types(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_LINKS; i++) {
		struct frame_buffer f = { .length = 0 };
		struct packet_info info;
		u32 ip = links[i].ip_version == 4 ? 20 : 40;

		links[i].build(&f);
		info = parse(links[i].link, &f, f.length);
		if (info.key.ip_version != links[i].ip_version ||
		    info.key.protocol != links[i].protocol ||
		    info.key.direction != links[i].direction ||
		    info.key.vlan != (links[i].vlan < 0 ? VLAN_NONE : links[i].vlan) ||
		    info.header_length != links[i].header + (links[i].ip_version ? ip + 8 : 0))
			fail_msg("row %zu: IPv%u protocol %u direction %u vlan %u header %u", i,
				 info.key.ip_version, info.key.protocol, info.key.direction,
				 info.key.vlan, info.header_length);
		for (u32 there = 0; there < f.length; there++) {
			info = parse(links[i].link, &f, there);
			assert_true(info.malformed >= info.truncated);
		}
	}
	assert_null(link_type_find(105));
	assert_null(link_type_find(-1));
}

/* ---- pcapng, written in either byte order -------------------------------------- */

struct file {
	bool big_endian;
	u8 bytes[4096];
	u32 length;
};

static void put32(struct file *f, u32 value)
{
	if (f->big_endian)
		value = __builtin_bswap32(value);
	memcpy(f->bytes + f->length, &value, 4);
	f->length += 4;
}

static void put16(struct file *f, u16 value)
{
	if (f->big_endian)
		value = __builtin_bswap16(value);
	memcpy(f->bytes + f->length, &value, 2);
	f->length += 2;
}

static u32 begin_block(struct file *f, u32 type)
{
	put32(f, type);
	put32(f, 0);
	return f->length - 8;
}

static void end_block(struct file *f, u32 start)
{
	u32 end = f->length + 4, length = end - start;

	put32(f, length);
	f->length = start + 4;
	put32(f, length);
	f->length = end;
}

static void put_text(struct file *f, u16 code, const char *text)
{
	put16(f, code);
	put16(f, (u16)strlen(text));
	memset(f->bytes + f->length, 0, (strlen(text) + 3) & ~3u);
	memcpy(f->bytes + f->length, text, strlen(text));
	f->length += (strlen(text) + 3) & ~3u;
}

static void put_section(struct file *f)
{
	u32 start = begin_block(f, 0x0a0d0d0a);

	put32(f, 0x1a2b3c4d);
	put32(f, 1);
	put32(f, 0xffffffff);
	put32(f, 0xffffffff);
	end_block(f, start);
}

static void put_interface(struct file *f, const char *name)
{
	u32 start = begin_block(f, 1);

	put32(f, 1);
	put32(f, 65535);
	put_text(f, 3, "a description that does not matter");
	if (name)
		put_text(f, 2, name);
	put_text(f, 12, "an operating system");
	put32(f, 0);
	end_block(f, start);
}

static void put_packet(struct file *f, u32 interface, u32 length, int flags)
{
	u32 start = begin_block(f, 6);

	put32(f, interface);
	put32(f, 0);
	put32(f, 0);
	put32(f, length);
	put32(f, length);
	memset(f->bytes + f->length, 0x0a, (length + 3) & ~3u);
	f->length += (length + 3) & ~3u;
	if (flags >= 0) {
		put_text(f, 1, "a comment");
		put16(f, 2);
		put16(f, 4);
		put32(f, (u32)flags);
		put32(f, 0);
	}
	end_block(f, start);
}

static void put_simple_packet(struct file *f, u32 length)
{
	u32 start = begin_block(f, 3);

	put32(f, length);
	f->length += (length + 3) & ~3u;
	end_block(f, start);
}

static void put_unknown_block(struct file *f)
{
	u32 start = begin_block(f, 0x80000001);

	put32(f, 6);
	end_block(f, start);
}

static struct pcapng_watch watch;

static void assert_next(const char *name, enum pcapng_direction direction)
{
	struct pcapng_packet p = pcapng_watch_next(&watch);

	assert_string_equal(watch.names[p.slot], name);
	assert_int_equal(p.direction, direction);
}

static void write_two_sections(struct file *f)
{
	put_section(f);
	put_interface(f, "eth0");
	put_interface(f, NULL);
	put_interface(f, "a-name-beyond-IFNAMSIZ");
	put_packet(f, 0, 60, 1);
	put_unknown_block(f);
	put_packet(f, 2, 61, 2);
	put_packet(f, 1, 0, -1);
	put_simple_packet(f, 63);
	put_packet(f, 9, 64, 0);
	put_section(f);
	put_interface(f, "wlan0");
	put_packet(f, 0, 60, -1);
}

static void pcapng_tells_interfaces_and_directions(void **state)
{
	(void)state;
	for (u32 step = 1; step < 5000; step = step * 3 + 1)
		for (int big_endian = 0; big_endian < 2; big_endian++) {
			struct file f = { .big_endian = big_endian };

			write_two_sections(&f);
			pcapng_watch_init(&watch, "pcap");
			for (u32 at = 0; at < f.length; at += step)
				pcapng_watch_feed(&watch, f.bytes + at,
						  f.length - at < step ? f.length - at : step);
			assert_next("eth0", PCAPNG_INBOUND);
			assert_next("a-name-beyond-I", PCAPNG_OUTBOUND);
			assert_next("pcap", PCAPNG_UNKNOWN);
			assert_next("eth0", PCAPNG_UNKNOWN);
			assert_next("pcap", PCAPNG_UNKNOWN);
			assert_next("wlan0", PCAPNG_UNKNOWN);
			assert_next("pcap", PCAPNG_UNKNOWN);	/* more than were fed */
		}
}

static void more_names_than_slots(void **state)
{
	struct file f;
	char name[16];

	(void)state;
	pcapng_watch_init(&watch, "pcap");
	memset(&f, 0, sizeof(f));
	put_section(&f);
	pcapng_watch_feed(&watch, f.bytes, f.length);
	for (int i = 0; i < 2000; i++) {
		f.length = 0;
		snprintf(name, sizeof(name), "if%d", i);
		put_interface(&f, name);
		pcapng_watch_feed(&watch, f.bytes, f.length);
	}
	f.length = 0;
	put_packet(&f, 254, 60, 0);
	put_packet(&f, 255, 60, 0);
	put_packet(&f, 1999, 60, 0);
	pcapng_watch_feed(&watch, f.bytes, f.length);
	assert_next("if254", PCAPNG_UNKNOWN);
	assert_next("pcap", PCAPNG_UNKNOWN);
	assert_next("pcap", PCAPNG_UNKNOWN);
}

static void more_packets_than_are_kept(void **state)
{
	struct file f = { .length = 0 };

	(void)state;
	pcapng_watch_init(&watch, "pcap");
	put_section(&f);
	put_interface(&f, "eth0");
	pcapng_watch_feed(&watch, f.bytes, f.length);
	f.length = 0;
	put_packet(&f, 0, 60, 2);
	for (u32 i = 0; i < PCAPNG_AHEAD + 10; i++)
		pcapng_watch_feed(&watch, f.bytes, f.length);
	for (u32 i = 0; i < PCAPNG_AHEAD; i++)
		assert_next("eth0", PCAPNG_OUTBOUND);
	assert_next("pcap", PCAPNG_UNKNOWN);
}

static void other_files_tell_nothing(void **state)
{
	static const u8 classic[64] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0 };

	(void)state;
	pcapng_watch_init(&watch, "pcap");
	pcapng_watch_feed(&watch, classic, sizeof(classic));
	assert_true(watch.off);
	assert_next("pcap", PCAPNG_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_types),
		cmocka_unit_test(pcapng_tells_interfaces_and_directions),
		cmocka_unit_test(more_names_than_slots),
		cmocka_unit_test(more_packets_than_are_kept),
		cmocka_unit_test(other_files_tell_nothing),
	};

	return cmocka_run_group_tests_name("reader_capture", tests, NULL, NULL);
}
