/* SPDX-License-Identifier: MIT */
/* The totals of one interface as `counters` lines. */
#include "reader/tally.h"

#include <stdlib.h>
#include <string.h>

#include "common/protocol.h"

/*
 * The longest row is 84 bytes of keys, a name of at most 15 and four numbers of 20;
 * behind it stand the empty list of CPUs and "more". Checked by test_reader_tally.c.
 */
#define ROW_MAX_BYTES 192
#define TAIL_MAX_BYTES 40

#define PUT(p, literal) put_bytes(p, literal, sizeof(literal) - 1)

static inline char *put_bytes(char *p, const char *text, size_t length)
{
	memcpy(p, text, length);
	return p + length;
}

struct tally *tally_new(unsigned int n_cpus)
{
	struct tally *tally = calloc(1, sizeof(*tally) + n_cpus * sizeof(tally->cpus[0]));

	if (tally)
		tally->n_cpus = n_cpus;
	return tally;
}

void tally_clear(struct tally *tally)
{
	unsigned int n_cpus = tally->n_cpus;

	memset(tally, 0, sizeof(*tally) + n_cpus * sizeof(tally->cpus[0]));
	tally->n_cpus = n_cpus;
}

void tally_add(struct tally *tally, unsigned int entry, unsigned int cpu,
	       const struct total_value *value)
{
	struct total_value *row = &tally->rows[entry];

	row->packets += value->packets;
	row->bytes += value->bytes;
	row->unattributed += value->unattributed;
	row->unattributed_bytes += value->unattributed_bytes;
	tally->cpus[cpu].packets += value->packets;
	tally->cpus[cpu].bytes += value->bytes;
}

static char *put_field(char *p, const char *key, u64 value)
{
	*p++ = ',';
	*p++ = '"';
	p = put_bytes(p, key, strlen(key));
	*p++ = '"';
	*p++ = ':';
	return line_put_number(p, value);
}

static struct total_value sum_rows(const struct tally *tally, unsigned int direction)
{
	const struct total_value *rows = tally->rows + direction * TOTAL_ROWS;
	struct total_value sum = { 0 };

	for (unsigned int i = 0; i < TOTAL_ROWS; i++) {
		sum.packets += rows[i].packets;
		sum.bytes += rows[i].bytes;
		sum.unattributed += rows[i].unattributed;
		sum.unattributed_bytes += rows[i].unattributed_bytes;
	}
	return sum;
}

static char *put_scalars(char *p, const struct tally *tally)
{
	struct total_value in = sum_rows(tally, DIRECTION_INGRESS);
	struct total_value out = sum_rows(tally, DIRECTION_EGRESS);
	const struct loss_value *a = &tally->losses[DIRECTION_INGRESS];
	const struct loss_value *b = &tally->losses[DIRECTION_EGRESS];
	u64 packets = in.packets + out.packets;
	u64 lines = a->packet_lines + b->packet_lines;
	u64 unattributed = in.unattributed + out.unattributed;

	p = put_field(p, "packets", packets);
	p = put_field(p, "bytes", in.bytes + out.bytes);
	p = put_field(p, "ingress_packets", in.packets);
	p = put_field(p, "ingress_bytes", in.bytes);
	p = put_field(p, "egress_packets", out.packets);
	p = put_field(p, "egress_bytes", out.bytes);
	p = put_field(p, "packet_lines", lines);
	/* Read while packets are counted, the parts may be ahead by a few. */
	p = put_field(p, "folded",
		      packets > lines + unattributed ? packets - lines - unattributed : 0);
	p = put_field(p, "unattributed", unattributed);
	p = put_field(p, "unattributed_bytes", in.unattributed_bytes + out.unattributed_bytes);
	p = put_field(p, "malformed", a->malformed + b->malformed);
	return put_field(p, "ring_full", a->ring_full + b->ring_full);
}

static char *put_row(char *p, unsigned int entry, const struct total_value *row)
{
	char name[PROTOCOL_NAME_MAX];

	p = entry < TOTAL_ROWS ? PUT(p, "{\"direction\":\"ingress\",\"proto\":")
			       : PUT(p, "{\"direction\":\"egress\",\"proto\":");
	p = line_put_string(p, name, protocol_row_name(entry % TOTAL_ROWS, name));
	p = put_field(p, "packets", row->packets);
	p = put_field(p, "bytes", row->bytes);
	p = put_field(p, "unattributed", row->unattributed);
	p = put_field(p, "unattributed_bytes", row->unattributed_bytes);
	*p++ = '}';
	return p;
}

static char *put_cpu(char *p, unsigned int cpu, const struct tally_cpu *value)
{
	p = PUT(p, "{\"cpu\":");
	p = line_put_number(p, cpu);
	p = put_field(p, "packets", value->packets);
	p = put_field(p, "bytes", value->bytes);
	*p++ = '}';
	return p;
}

/* Rows up to end, separated by commas; those that are all zero are left out. */
static char *put_rows(char *p, const char *end, const struct tally *tally,
		      struct tally_cursor *cursor)
{
	const char *first = p;

	for (; cursor->entry < TOTAL_ENTRIES && p < end; cursor->entry++) {
		const struct total_value *row = &tally->rows[cursor->entry];

		if (!row->packets)
			continue;
		if (p > first)
			*p++ = ',';
		p = put_row(p, cursor->entry, row);
	}
	return p;
}

static char *put_cpus(char *p, const char *end, const struct tally *tally,
		      struct tally_cursor *cursor)
{
	const char *first = p;

	for (; cursor->cpu < tally->n_cpus && p < end; cursor->cpu++) {
		const struct tally_cpu *value = &tally->cpus[cursor->cpu];

		if (!value->packets)
			continue;
		if (p > first)
			*p++ = ',';
		p = put_cpu(p, cursor->cpu, value);
	}
	return p;
}

char *tally_line_write(char *p, const struct tally *tally, const char *ifname,
		       size_t ifname_length, u64 unix_ns, struct tally_cursor *cursor)
{
	const char *end = p + LINE_MAX_BYTES - ROW_MAX_BYTES - TAIL_MAX_BYTES;

	p = PUT(p, "{\"type\":\"counters\",\"timestamp\":");
	p = line_put_time(p, unix_ns);
	p = PUT(p, ",\"ifname\":");
	p = put_bytes(p, ifname, ifname_length);
	p = put_scalars(p, tally);
	p = PUT(p, ",\"protocols\":[");
	p = put_rows(p, end, tally, cursor);
	p = PUT(p, "],\"cpus\":[");
	if (cursor->entry == TOTAL_ENTRIES)
		p = put_cpus(p, end, tally, cursor);
	cursor->done = cursor->entry == TOTAL_ENTRIES && cursor->cpu == tally->n_cpus;
	return cursor->done ? PUT(p, "],\"more\":false}\n") : PUT(p, "],\"more\":true}\n");
}
