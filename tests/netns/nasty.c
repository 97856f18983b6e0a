// SPDX-License-Identifier: MIT
/*
 * nasty LINES [SEED]: that many lines to stdout by the reader's own writers, all whose names (of processes, interfaces,
 * groups, services, reasons, places in the kernel, hosts) are any bytes: random ones, and those that JSON, UTF-8 or a
 * terminal care about.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/line_write.h"
#include "reader/probe_lines.h"
#include "reader/tally.h"

#define NOW_NS 1763704001000000000ull
#define LONGEST 512

static uint64_t dice;
static struct line_writer writer;
static struct tally *tally;

static uint32_t roll(uint32_t below)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (uint32_t)((dice >> 32) * below >> 32);
}

static const char *const pieces[] = {
	"\"", "\\", "\\u", "\\ud800", "/", "\x01", "\x1b[2J", "\t", "\n", "\r", "\x7f", "\x80", "\xbf", "\xc0\x80",
	"\xc1\xbf", "\xc3", "\xc3\xa4", "\xe2\x80\xa8", "\xe2\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xed\xbf\xbf",
	"\xef\xbf\xbe",
	"\xef\xbb\xbf", "\xf0\x9f\x98\x80", "\xf0\x9f\x98", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5", "\xfe", "\xff",
	"null", "}", "]", ",", ":", "<script>", "&amp;", "'", "{\"a\":", "%s%n", "\xe2\x80\xae",
};

/* A name of at most `most` bytes, ended by a zero unless it fills all of them. */
static void fill(char *name, size_t most)
{
	size_t length = roll((uint32_t)most + 1), at = 0;

	memset(name, 0, most);
	while (at < length) {
		const char *piece = pieces[roll(sizeof(pieces) / sizeof(*pieces))];
		size_t n = strlen(piece) < length - at ? strlen(piece) : length - at;

		if (roll(2))
			memcpy(name + at, piece, n);
		else
			for (size_t i = 0; i < n; i++)
				name[at + i] = (char)(1 + roll(255));
		at += n;
	}
}

/* One that ends; kept until the same number is asked for again. */
static const char *any(int number, size_t most)
{
	static char names[4][LONGEST + 1];

	fill(names[number], most);
	names[number][most] = '\0';
	return names[number];
}

static struct flow_key key_of(void)
{
	struct flow_key key = { .protocol = 6, .vlan = VLAN_NONE, .ip_version = 4, .flags = FLOW_PORTS,
				.iface = (u8)roll(256), .direction = (u8)roll(2) };

	for (int i = 0; i < 4; i++)
		key.src_ip[i] = (u8)roll(256);
	return key;
}

static char *write_packet(char *p)
{
	const struct packet_record r = { .time_ns = NOW_NS, .key = key_of(), .length = 60, .ttl = 64 };

	line_writer_name(&writer, r.key.iface, any(0, 15));
	return packet_line_write(p, &writer, &r);
}

static char *write_flow(char *p)
{
	const struct flow_record r = { .time_ns = NOW_NS, .key = key_of(), .packets = 1, .bytes = 60, .first_ns = NOW_NS,
				       .last_ns = NOW_NS };

	line_writer_name(&writer, r.key.iface, any(0, 15));
	return flow_line_write(p, &writer, &r);
}

static char *write_connection(char *p)
{
	struct connection_record r = { .time_ns = NOW_NS, .key = key_of(), .event = (u8)roll(CONNECTION_EVENTS),
				       .owner = { .pid = 1 + roll(100), .cgroup_id = 7 } };

	fill((char *)r.owner.command, sizeof(r.owner.command));
	writer.cgroup = any(0, LONGEST);
	writer.service = any(1, LONGEST);
	return connection_line_write(p, &writer, &r);
}

static char *write_process(char *p)
{
	struct process_record r = { .time_ns = NOW_NS, .value = { 1, 2, 3, 4 },
				    .key = { .pid = 1 + roll(100), .protocol = 6, .ip_version = 4 } };

	fill((char *)r.key.command, sizeof(r.key.command));
	return process_line_write(p, &writer, &r);
}

static char *write_drop(char *p)
{
	struct drop_record r = { .time_ns = NOW_NS, .value = { 1, 60 }, .key = { .flow = key_of(), .reason = roll(1000) } };

	fill((char *)r.key.ifname, sizeof(r.key.ifname));
	writer.reason = any(0, LONGEST);
	writer.location = any(1, LONGEST);
	return drop_line_write(p, &writer, &r);
}

static char *write_counters(char *p)
{
	struct tally_cursor cursor = { 0 };
	u8 iface = (u8)roll(256);

	line_writer_name(&writer, iface, any(0, 15));
	return tally_line_write(p, tally, writer.ifnames[iface].text, writer.ifnames[iface].length, NOW_NS, &cursor);
}

static char *write_drop_counters(char *p)
{
	struct drop_total totals[2] = { { .key = { .reason = 1 }, .reason = any(0, LONGEST) },
					{ .key = { .reason = 2 }, .reason = any(1, LONGEST) } };
	unsigned int cursor = 0;

	return drop_counters_line_write(p, totals, 2, NOW_NS, &cursor);
}

static char *write_hello(char *p)
{
	return line_put_hello(p, "reader", any(0, LONGEST / 2), NOW_NS);
}

int main(int argc, char **argv)
{
	static char *(*const writers[])(char *p) = {
		write_packet, write_flow, write_connection, write_process, write_drop, write_counters, write_drop_counters,
		write_process, write_connection, write_packet, write_flow, write_drop, write_hello,
	};
	struct total_value one = { .packets = 1, .bytes = 60 };
	char line[LINE_MAX_BYTES];

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: nasty LINES [SEED]\n");
		return 2;
	}
	dice = 88172645463325252ull + (argc == 3 ? strtoull(argv[2], NULL, 10) : 0);
	line_write_init();
	line_writer_init(&writer);
	tally = tally_new(1);
	if (!tally)
		return 1;
	tally_add(tally, 0, 0, &one);
	for (unsigned long left = strtoul(argv[1], NULL, 10); left; left--) {
		size_t length = (size_t)(writers[roll(sizeof(writers) / sizeof(*writers))](line) - line);

		if (length > sizeof(line) || fwrite_unlocked(line, 1, length, stdout) != length)
			return 1;
	}
	free(tally);
	return fflush(stdout) ? 1 : 0;
}
