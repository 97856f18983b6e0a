/* SPDX-License-Identifier: MIT */
/*
 * Records to lines. One function per LINE of events.def:
 *
 *	char *packet_line_write(char *p, struct line_writer *w, const struct packet_record *r);
 *	char *flow_line_write(char *p, struct line_writer *w, const struct flow_record *r);
 *
 * writes one line with its newline at p and returns its end. The caller has
 * LINE_MAX_BYTES free at p; nothing is allocated, nothing can fail.
 */
#ifndef JOPIL_LINE_WRITE_H
#define JOPIL_LINE_WRITE_H

#include <stddef.h>

#include "common/records.h"

/* No line but a snapshot is longer: it fits a pipe's atomic write (PIPE_BUF). */
#define LINE_MAX_BYTES 4096

#define LINE_IFACES 256
/* IFNAMSIZ - 1 bytes, each at most \u00xx, and quotes; copied as a block. */
#define LINE_IFNAME_BYTES 104

/* Longer paths of cgroups are cut: a line stays a line. */
#define LINE_CGROUP_BYTES 400

/* What a writer knows beside the record. line_writer_init() first. */
struct line_writer {
	u64 offset_ns;		/* added to every time in the record to get Unix time */
	/* Of connection and drop lines; the caller sets them for each. NULL: null. */
	const char *cgroup, *service, *reason, *location;
	u64 second;		/* whose digits are in second_text */
	char second_text[16];
	struct {
		u8 length;
		char text[LINE_IFNAME_BYTES];	/* escaped, with quotes */
	} ifnames[LINE_IFACES];
};

/* Makes the digit tables; once, before the first line. Idempotent. */
void line_write_init(void);

/* Zeroes it and names each interface slot "if<slot>". */
void line_writer_init(struct line_writer *w);

/* The name of an interface slot. Any bytes; they are escaped. NULL: "if<slot>". */
void line_writer_name(struct line_writer *w, u8 iface, const char *name);

/*
 * A JSON string with quotes: control characters, quotes and backslashes escaped,
 * invalid UTF-8 replaced by U+FFFD (RFC 8259, RFC 3629). Writes at most
 * 6 * length + 2 bytes and returns the end.
 */
char *line_put_string(char *p, const char *text, size_t length);

/* Unsigned decimal; at most 20 bytes. */
char *line_put_number(char *p, u64 value);

/* Milliseconds with three decimals from Unix nanoseconds; at most 24 bytes. */
char *line_put_time(char *p, u64 unix_ns);

/* An address as text: IPv4 dotted, IPv6 by RFC 5952; at most 45 bytes, no NUL. */
char *line_put_address(char *p, u8 ip_version, const u8 *address);

/* The hello line of a tool; ns is Unix time. At most LINE_MAX_BYTES. */
char *line_put_hello(char *p, const char *tool, const char *host, u64 unix_ns);

#define LINE(name, record, producer, what) \
	char *name##_line_write(char *p, struct line_writer *w, const struct record *r);
#include "common/events.def"

#endif
