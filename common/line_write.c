/* SPDX-License-Identifier: MIT */
/* Records to lines: digit and name tables, and the writers made from events.def. */
#include "common/line_write.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/line_read.h"
#include "common/names.h"
#include "common/protocol.h"
#include "common/utf8.h"
#include "common/version.h"

/* More than any name that a line holds: of a service, a reason, a function. */
#define LINE_NAME_BYTES 64
#define NS_PER_S 1000000000ull

/*
 * Texts are copied as whole blocks of the table's width and the pointer is moved
 * by the true length: a fixed-size copy is two instructions, a variable one a call.
 */
struct text4 {
	char text[4];
};

static struct text4 octets[256];	/* "192." */
static u8 octet_length[256];
static char pairs[100][2];		/* "07" */
static char triples[1000][4];		/* "007" */

struct text16 {
	u8 length;
	char text[16];
};

static struct text16 flag_texts[256];	/* "\"SA\"" */
static struct text16 ip_texts[256];	/* "\"TCP\"" */

static void quote(struct text16 *t, const char *text)
{
	t->length = (u8)snprintf(t->text, sizeof(t->text), "\"%s\"", text);
}

static void init_flags(unsigned int flags)
{
	static const char letters[] = "FSRPAUEC";
	char text[9], *p = text;

	for (unsigned int bit = 0; bit < 8; bit++)
		if (flags & 1u << bit)
			*p++ = letters[bit];
	*p = '\0';
	quote(&flag_texts[flags], text);
}

void line_write_init(void)
{
	char text[PROTOCOL_NAME_MAX];

	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%03u", i);
		memcpy(triples[i], text, 4);
		if (i < 100)
			memcpy(pairs[i], text + 1, 2);
	}
	for (unsigned int i = 0; i < 256; i++) {
		octet_length[i] = (u8)snprintf(text, sizeof(text), "%u.", i);
		memcpy(octets[i].text, text, 4);
		protocol_name(4, (u16)i, text);
		quote(&ip_texts[i], text);
		init_flags(i);
	}
}

static inline char *put_bytes(char *p, const char *text, size_t length)
{
	memcpy(p, text, length);
	return p + length;
}

#define PUT(p, literal) put_bytes(p, literal, sizeof(literal) - 1)

static inline char *put_text16(char *p, const struct text16 *t)
{
	memcpy(p, t->text, sizeof(t->text));
	return p + t->length;
}

/* Writes the digits that end at d; returns where they begin. */
static inline char *put_digits_before(char *d, u32 value)
{
	while (value >= 100) {
		d -= 2;
		memcpy(d, pairs[value % 100], 2);
		value /= 100;
	}
	if (value >= 10) {
		d -= 2;
		memcpy(d, pairs[value], 2);
	} else {
		*--d = (char)('0' + value);
	}
	return d;
}

static inline char *put_u32(char *p, u32 value)
{
	char digits[10], *end = digits + sizeof(digits), *d;

	if (value < 10) {
		*p = (char)('0' + value);
		return p + 1;
	}
	d = put_digits_before(end, value);
	return put_bytes(p, d, (size_t)(end - d));
}

char *line_put_number(char *p, u64 value)
{
	char digits[20], *end = digits + sizeof(digits), *d = end;

	while (value > UINT32_MAX) {
		d -= 2;
		memcpy(d, pairs[value % 100], 2);
		value /= 100;
	}
	d = put_digits_before(d, (u32)value);
	return put_bytes(p, d, (size_t)(end - d));
}

char *line_put_time(char *p, u64 unix_ns)
{
	u64 us = unix_ns / 1000;

	p = line_put_number(p, us / 1000);
	*p++ = '.';
	return put_bytes(p, triples[us % 1000], 3);
}

/* As line_put_time(), with the digits of the second kept from line to line. */
static inline char *put_time(char *p, struct line_writer *w, u64 time_ns)
{
	u64 ns = time_ns + w->offset_ns;
	u64 second = ns / NS_PER_S;
	u32 us = (u32)(ns - second * NS_PER_S) / 1000;

	/* Before 2001 the seconds are not ten digits: a capture with odd stamps. */
	if (__builtin_expect(second < NS_PER_S, 0))
		return line_put_time(p, ns);
	if (__builtin_expect(second != w->second, 0)) {
		line_put_number(w->second_text, second);
		w->second = second;
	}
	memcpy(p, w->second_text, 16);
	p += second < 10 * NS_PER_S ? 10 : 11;
	memcpy(p, triples[us / 1000], 4);
	p[3] = '.';
	memcpy(p + 4, triples[us % 1000], 4);
	return p + 7;
}

static inline char *put_ipv4(char *p, const u8 *a)
{
	for (int i = 0; i < 4; i++) {
		memcpy(p, octets[a[i]].text, 4);
		p += octet_length[a[i]];
	}
	return p - 1;
}

static char *put_hex16(char *p, unsigned int value)
{
	static const char digits[] = "0123456789abcdef";

	if (value >= 0x1000)
		*p++ = digits[value >> 12];
	if (value >= 0x100)
		*p++ = digits[value >> 8 & 15];
	if (value >= 0x10)
		*p++ = digits[value >> 4 & 15];
	*p++ = digits[value & 15];
	return p;
}

/* The longest run of at least two zero groups, the first of equals (RFC 5952 4.2). */
static int longest_zeros(const u16 *groups, int *ret_length)
{
	int best = -1, best_length = 1;

	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && !groups[i + n])
			n++;
		if (n > best_length) {
			best = i;
			best_length = n;
		}
		i += n;
	}
	*ret_length = best_length;
	return best;
}

static char *put_ipv6(char *p, const u8 *a)
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	int zeros, zeros_length;
	u16 groups[8];

	if (!memcmp(a, mapped, sizeof(mapped))) {
		p = PUT(p, "::ffff:");
		return put_ipv4(p, a + 12);
	}
	for (int i = 0; i < 8; i++)
		groups[i] = (u16)(a[2 * i] << 8 | a[2 * i + 1]);
	zeros = longest_zeros(groups, &zeros_length);
	for (int i = 0; i < 8; i++) {
		if (i == zeros) {
			p = PUT(p, "::");
			i += zeros_length - 1;
			continue;
		}
		if (i && (zeros < 0 || i != zeros + zeros_length))
			*p++ = ':';
		p = put_hex16(p, groups[i]);
	}
	return p;
}

char *line_put_address(char *p, u8 ip_version, const u8 *address)
{
	return ip_version == 4 ? put_ipv4(p, address) : put_ipv6(p, address);
}

static char *put_escaped(char *p, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";

	*p++ = '\\';
	if (c == '"' || c == '\\') {
		*p++ = (char)c;
		return p;
	}
	p = PUT(p, "u00");
	*p++ = digits[c >> 4];
	*p++ = digits[c & 15];
	return p;
}

char *line_put_string(char *p, const char *text, size_t length)
{
	const unsigned char *s = (const unsigned char *)text;

	*p++ = '"';
	for (size_t i = 0; i < length;) {
		size_t n = 1;

		if (s[i] < 0x20 || s[i] == '"' || s[i] == '\\' || s[i] == 0x7f) {
			p = put_escaped(p, s[i]);
		} else if (s[i] < 0x80) {
			*p++ = text[i];
		} else {
			n = utf8_length(s + i, length - i);
			if (n)
				p = put_bytes(p, text + i, n);
			else
				p = PUT(p, "\xef\xbf\xbd");
			n = n ? n : 1;
		}
		i += n;
	}
	*p++ = '"';
	return p;
}

void line_writer_name(struct line_writer *w, u8 iface, const char *name)
{
	char spare[LINE_IFNAME_BYTES];
	char *text = w->ifnames[iface].text;

	if (!name) {
		snprintf(spare, sizeof(spare), "if%u", iface);
		name = spare;
	}
	w->ifnames[iface].length =
		(u8)(line_put_string(text, name, strnlen(name, (LINE_IFNAME_BYTES - 2) / 6)) - text);
}

void line_writer_init(struct line_writer *w)
{
	memset(w, 0, sizeof(*w));
	for (unsigned int iface = 0; iface < LINE_IFACES; iface++)
		line_writer_name(w, (u8)iface, NULL);
}

/*
 * As much of a text as readers take, LINE_TEXT_MAX bytes, once U+FFFD, which is three, is in
 * the place of each byte that is no UTF-8. A name that makes readers refuse its line hides it.
 */
static size_t fitting(const char *text, size_t length)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t at = 0, bytes = 0;

	if (3 * length <= LINE_TEXT_MAX)
		return length;
	while (at < length) {
		size_t n = s[at] < 0x80 ? 1 : utf8_length(s + at, length - at);

		bytes += n ? n : 3;
		if (bytes > LINE_TEXT_MAX)
			break;
		at += n ? n : 1;
	}
	return at;
}

char *line_put_hello(char *p, const char *tool, const char *host, u64 unix_ns)
{
	p += sprintf(p, "{\"type\":\"hello\",\"schema\":%d,\"tool\":", JOPIL_SCHEMA);
	p = line_put_string(p, tool, strlen(tool));
	p = PUT(p, ",\"version\":\"" JOPIL_VERSION "\",\"host\":");
	p = line_put_string(p, host, fitting(host, strnlen(host, 255)));
	p = PUT(p, ",\"timestamp\":");
	p = line_put_time(p, unix_ns);
	return PUT(p, "}\n");
}

/* ---- kinds: how a field of events.def is spelled --------------------------- */

#define KIND(name, ...) \
	static inline __attribute__((always_inline)) char *line_put_##name( \
		char *p, struct line_writer *w __attribute__((unused)), __VA_ARGS__)

static inline char *put_null(char *p)
{
	memcpy(p, "null", 4);
	return p + 4;
}

static inline char *put_u16_be(char *p, u16 be)
{
	return put_u32(p, __builtin_bswap16(be));
}

KIND(unix_ms, const u64 *ns)
{
	return put_time(p, w, *ns);
}

KIND(ifname, const u8 *iface)
{
	u8 length = w->ifnames[*iface].length;

	/* 32 bytes hold every plain name; only an escaped one is longer. */
	if (__builtin_expect(length > 32, 0))
		return put_bytes(p, w->ifnames[*iface].text, length);
	memcpy(p, w->ifnames[*iface].text, 32);
	return p + length;
}

KIND(direction, const u8 *direction)
{
	return *direction ? PUT(p, "\"egress\"") : PUT(p, "\"ingress\"");
}

KIND(u16, const u16 *value)
{
	return put_u32(p, *value);
}

KIND(u32, const u32 *value)
{
	return put_u32(p, *value);
}

KIND(u64, const u64 *value)
{
	return line_put_number(p, *value);
}

KIND(bool, const u8 *value)
{
	return *value ? PUT(p, "true") : PUT(p, "false");
}

KIND(ip_version, const u8 *version)
{
	if (!*version)
		return put_null(p);
	*p = (char)('0' + *version);
	return p + 1;
}

static char *put_ethertype(char *p, u16 ethertype)
{
	char name[PROTOCOL_NAME_MAX];
	size_t length = protocol_name(0, ethertype, name);

	return line_put_string(p, name, length);
}

KIND(proto, const struct flow_key *key)
{
	if (__builtin_expect(!key->ip_version, 0))
		return put_ethertype(p, key->protocol);
	return put_text16(p, &ip_texts[key->protocol & 0xff]);
}

static inline char *put_ip(char *p, const struct flow_key *key, const u8 *address)
{
	if (!key->ip_version || key->flags & FLOW_NO_ADDRESS)
		return put_null(p);
	*p++ = '"';
	p = line_put_address(p, key->ip_version, address);
	*p++ = '"';
	return p;
}

KIND(src_ip, const struct flow_key *key)
{
	return put_ip(p, key, key->src_ip);
}

KIND(dst_ip, const struct flow_key *key)
{
	return put_ip(p, key, key->dst_ip);
}

KIND(src_port, const struct flow_key *key)
{
	return key->flags & FLOW_PORTS ? put_u16_be(p, key->src_port_be) : put_null(p);
}

KIND(dst_port, const struct flow_key *key)
{
	return key->flags & FLOW_PORTS ? put_u16_be(p, key->dst_port_be) : put_null(p);
}

KIND(icmp_type, const struct flow_key *key)
{
	return key->flags & FLOW_ICMP ? put_u16_be(p, key->src_port_be) : put_null(p);
}

KIND(icmp_code, const struct flow_key *key)
{
	return key->flags & FLOW_ICMP ? put_u16_be(p, key->dst_port_be) : put_null(p);
}

KIND(tcp_flags, const struct flow_key *key, const u8 *flags)
{
	if (key->protocol != 6 || !key->ip_version)
		return put_null(p);
	return put_text16(p, &flag_texts[*flags]);
}

KIND(ttl, const struct flow_key *key, const u8 *ttl)
{
	return key->ip_version ? put_u32(p, *ttl) : put_null(p);
}

KIND(vlan, const u16 *vlan)
{
	return *vlan == VLAN_NONE ? put_null(p) : put_u32(p, *vlan);
}

KIND(fragment, const struct flow_key *key)
{
	return key->flags & FLOW_FRAGMENT ? PUT(p, "true") : PUT(p, "false");
}

KIND(u32_or_null, const u32 *value)
{
	return *value ? put_u32(p, *value) : put_null(p);
}

static char *put_string_or_null(char *p, const char *text, size_t most)
{
	return text ? line_put_string(p, text, fitting(text, strnlen(text, most))) : put_null(p);
}

KIND(connection_event, const u8 *event)
{
	const char *name = connection_event_name(*event);

	return put_string_or_null(p, name, LINE_NAME_BYTES);
}

KIND(connection_reason, const u8 *reason, const u16 *error)
{
	if (*reason != REASON_ERROR)
		return put_string_or_null(p, connection_reason_name(*reason), LINE_NAME_BYTES);
	p = PUT(p, "\"" REASON_ERROR_PREFIX);
	p = put_u32(p, *error);
	*p++ = '"';
	return p;
}

KIND(owner_pid, const struct socket_owner *owner)
{
	return owner->pid ? put_u32(p, owner->pid) : put_null(p);
}

KIND(command, const u8 *command)
{
	return line_put_string(p, (const char *)command, strnlen((const char *)command, 16));
}

KIND(owner_command, const struct socket_owner *owner)
{
	return owner->pid ? line_put_command(p, w, owner->command) : put_null(p);
}

KIND(owner_uid, const struct socket_owner *owner)
{
	return owner->pid ? put_u32(p, owner->uid) : put_null(p);
}

KIND(cgroup, const struct socket_owner *owner __attribute__((unused)))
{
	return put_string_or_null(p, w->cgroup, LINE_CGROUP_BYTES);
}

KIND(service, const struct flow_key *key __attribute__((unused)))
{
	return put_string_or_null(p, w->service, LINE_NAME_BYTES);
}

/* Milliseconds with three decimals, as a time. */
KIND(duration_ms, const u64 *duration_ns)
{
	return *duration_ns == DURATION_NONE ? put_null(p) : line_put_time(p, *duration_ns);
}

KIND(process_version, const struct process_key *key)
{
	return line_put_ip_version(p, w, &key->ip_version);
}

KIND(process_proto, const struct process_key *key)
{
	if (!key->ip_version)
		return PUT(p, "\"" PROCESS_PACKET_NAME "\"");
	return put_text16(p, &ip_texts[key->protocol & 0xff]);
}

KIND(remote_ip, const struct process_key *key)
{
	if (!key->ip_version || !(key->flags & PROCESS_REMOTE))
		return put_null(p);
	*p++ = '"';
	p = line_put_address(p, key->ip_version, key->remote_ip);
	*p++ = '"';
	return p;
}

KIND(remote_port, const struct process_key *key)
{
	return key->flags & PROCESS_PORT ? put_u16_be(p, key->remote_port_be) : put_null(p);
}

KIND(drop_ifname, const u8 *ifname)
{
	return *ifname ? line_put_command(p, w, ifname) : put_null(p);
}

KIND(proto_or_null, const struct flow_key *key)
{
	return key->ip_version || key->protocol ? line_put_proto(p, w, key) : put_null(p);
}

/* A number that has no name is spelled in hex. */
KIND(drop_reason, const u32 *reason)
{
	char text[16];

	if (w->reason)
		return put_string_or_null(p, w->reason, LINE_NAME_BYTES);
	snprintf(text, sizeof(text), "0x%x", *reason);
	return put_string_or_null(p, text, sizeof(text));
}

KIND(location, const u16 *location __attribute__((unused)))
{
	return put_string_or_null(p, w->location, LINE_NAME_BYTES);
}

/* ---- the writers ------------------------------------------------------------ */

#define LINE(name, record, producer, what) \
	char *name##_line_write(char *p, struct line_writer *w, const struct record *r) \
	{ \
		p = PUT(p, "{\"type\":\"" #name "\"");
#define FIELD(key, kind, what, ...) \
		p = PUT(p, ",\"" #key "\":"); \
		p = line_put_##kind(p, w, __VA_ARGS__);
#define LINE_END(name) \
		return PUT(p, "}\n"); \
	}
#include "common/events.def"
