/* SPDX-License-Identifier: MIT */
/* What the host's probes count, as `probe` and `drop_counters` lines. */
#include "reader/probe_lines.h"

#include <stdio.h>
#include <string.h>

#include "common/protocol.h"
#include "common/total_rows.h"

static const char *const probe_names[HOST_PROBES] = {
	[HOST_PROBE_CONNECTION] = "connection",
	[HOST_PROBE_PROCESS] = "process",
	[HOST_PROBE_DROP] = "drop",
	[HOST_PROBE_LATENCY] = "latency",
};

static const struct {
	const char *probe;
	const char *name;
} counter_names[PROBE_COUNTERS] = {
#define PROBE_COUNTER(probe, name, what) { #probe, #name },
#include "common/probe_counters.def"
};

#define PUT(p, literal) put_bytes(p, literal, sizeof(literal) - 1)

static inline char *put_bytes(char *p, const char *text, size_t length)
{
	memcpy(p, text, length);
	return p + length;
}

static char *put_text(char *p, const char *text)
{
	return line_put_string(p, text, strlen(text));
}

static char *put_counters(char *p, const char *probe, const u64 *counters)
{
	const char *first = p;

	for (unsigned int i = 0; i < PROBE_COUNTERS; i++) {
		if (strcmp(counter_names[i].probe, probe) != 0)
			continue;
		if (p > first)
			*p++ = ',';
		p = put_text(p, counter_names[i].name);
		*p++ = ':';
		p = line_put_number(p, counters[i]);
	}
	return p;
}

char *probe_line_write(char *p, enum host_probe probe, const u64 counters[PROBE_COUNTERS],
		       u64 unix_ns)
{
	p = PUT(p, "{\"type\":\"probe\",\"timestamp\":");
	p = line_put_time(p, unix_ns);
	p = PUT(p, ",\"probe\":");
	p = put_text(p, probe_names[probe]);
	p = PUT(p, ",\"counters\":{");
	p = put_counters(p, probe_names[probe], counters);
	return PUT(p, "}}\n");
}

/*
 * A row is at most 62 bytes of keys, a reason of 64 characters that are all escaped, a
 * protocol of 15 and its quotes, and three numbers of 20. Checked by
 * test_reader_probe_lines.c.
 */
#define REASON_BYTES 64
#define ROW_MAX_BYTES 560
#define TAIL_MAX_BYTES 20

static char *put_reason(char *p, const struct drop_total *total)
{
	char hex[16];

	if (total->reason)
		return line_put_string(p, total->reason, strnlen(total->reason, REASON_BYTES));
	snprintf(hex, sizeof(hex), "0x%x", total->key.reason);
	return put_text(p, hex);
}

static char *put_protocol(char *p, u16 row)
{
	char name[PROTOCOL_NAME_MAX];

	if (row >= TOTAL_ROWS)
		return PUT(p, "null");
	return line_put_string(p, name, protocol_row_name(row, name));
}

static char *put_total(char *p, const struct drop_total *total)
{
	p = PUT(p, "{\"reason\":");
	p = put_reason(p, total);
	p = PUT(p, ",\"reason_code\":");
	p = line_put_number(p, total->key.reason);
	p = PUT(p, ",\"proto\":");
	p = put_protocol(p, total->key.row);
	p = PUT(p, ",\"packets\":");
	p = line_put_number(p, total->value.packets);
	p = PUT(p, ",\"bytes\":");
	p = line_put_number(p, total->value.bytes);
	*p++ = '}';
	return p;
}

char *drop_counters_line_write(char *p, const struct drop_total *totals, unsigned int n,
			       u64 unix_ns, unsigned int *cursor)
{
	const char *end = p + LINE_MAX_BYTES - ROW_MAX_BYTES - TAIL_MAX_BYTES;
	const char *first;

	p = PUT(p, "{\"type\":\"drop_counters\",\"timestamp\":");
	p = line_put_time(p, unix_ns);
	p = PUT(p, ",\"drops\":[");
	for (first = p; *cursor < n && p < end; ++*cursor) {
		if (p > first)
			*p++ = ',';
		p = put_total(p, &totals[*cursor]);
	}
	return *cursor < n ? PUT(p, "],\"more\":true}\n") : PUT(p, "],\"more\":false}\n");
}
