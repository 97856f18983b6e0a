/* SPDX-License-Identifier: MIT */
/*
 * Lines to records, the other way round of line_write.h. One function per LINE of
 * events.def:
 *
 *	enum line_status packet_line_read(struct line_reader *lr, const char *line,
 *					  size_t length, struct packet_record *ret);
 *
 * Three ways, tried in this order, that give the same record:
 *   1. keys in the order and spelling of line_write.c: compared as whole texts;
 *   2. any order, white space, unknown keys: a strict scanner of our own;
 *   3. anything else (escapes, 1e3): jansson, whose word decides what is JSON.
 *
 * Of a key that stands twice the last counts. Every key of the LINE must be there and
 * of its type; counts are integers up to 2^53, in any spelling (1e3). Texts are at most
 * LINE_TEXT_MAX bytes. Times become Unix nanoseconds. Ports are two or none, as are type
 * and code; addresses and protocol are of the ip_version. The interface is left to the
 * caller, as text: record->key.iface is 0.
 *
 * line[length] is a newline or NUL, and LINE_READ_PADDING bytes from there on can be
 * read, whatever they are. No function writes to the line.
 */
#ifndef JOPIL_LINE_READ_H
#define JOPIL_LINE_READ_H

#include <stddef.h>

#include "common/records.h"

#define LINE_READ_PADDING 64
#define LINE_TEXT_MAX 512

enum line_status {
	LINE_OK,
	LINE_NOT_JSON,
	LINE_WRONG_TYPE,	/* JSON, but not an object with the keys and types wanted */
	LINE_OTHER_TYPE,	/* its "type" is another than the one asked for; maybe not JSON */
};

/* A piece of text: of the line itself, or decoded in the reader. Not terminated. */
struct line_text {
	const char *text;
	size_t length;
};

#define LINE_KNOWN_NAMES 16	/* a power of two */

/* A text with its closing quote, as it stands in memory, to be compared in two words. */
struct line_pattern {
	u64 text[2], mask[2];
	u8 length;			/* without the quote */
};

struct line_known_name {
	struct line_pattern pattern;
	u64 serial;			/* 0: none */
};

/*
 * What a line says that has no place in the record: valid until the next line, and only
 * for lines that have the key.
 */
struct line_reader {
	struct line_text ifname;
	u64 ifname_serial;		/* the same name where it is the same; 0: no such number */
	struct line_text host;		/* of a "host" key; text is NULL where there is none */
	/* Of connection and drop lines; text is NULL for null. */
	struct line_text cgroup, service, reason, location;
	char ifname_decoded[LINE_TEXT_MAX];
	char host_decoded[LINE_TEXT_MAX];
	char cgroup_decoded[LINE_TEXT_MAX];
	char service_decoded[LINE_TEXT_MAX];
	char reason_decoded[LINE_TEXT_MAX];
	char location_decoded[LINE_TEXT_MAX];
	/* What must agree with each other once all fields are read. */
	struct flow_key *key;		/* of the record; NULL if it has none */
	struct process_key *process;	/* likewise */
	u8 ip_version, proto_is_ip, src_version, dst_version, places;
	u8 is_other;
	/* The second of the last line, with its digits: most lines repeat it. */
	u64 second_ns;
	char second_text[16];
	/* Names of interfaces: most lines repeat one of a few. */
	struct line_known_name ifnames[LINE_KNOWN_NAMES];
	u64 ifname_serials;		/* given so far */
	char *canonical;		/* jansson's spelling of an odd line */
};

void line_reader_init(struct line_reader *lr);
void line_reader_free(struct line_reader *lr);

/*
 * The value of the top-level key "type", which need not be the first; the text lives as
 * long as the line. LINE_WRONG_TYPE if there is none, LINE_NOT_JSON as far as looked at.
 */
enum line_status line_type(const char *line, size_t length, struct line_text *ret_type);

#define LINE(name, record, producer, what) \
	enum line_status name##_line_read(struct line_reader *lr, const char *line, \
					  size_t length, struct record *ret);
#include "common/events.def"

#endif
