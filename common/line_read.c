/* SPDX-License-Identifier: MIT */
/* Lines to records: the readers made from events.def. */
#include "common/line_read.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/names.h"
#include "common/protocol.h"
#include "common/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull
#define COUNT_MAX (1ull << 53)
#define NESTING_MAX 32	/* of values that are passed over; what is deeper is jansson's */
#define ALWAYS_INLINE inline __attribute__((always_inline))

void line_reader_init(struct line_reader *lr)
{
	memset(lr, 0, sizeof(*lr));
}

void line_reader_free(struct line_reader *lr)
{
	free(lr->canonical);
	lr->canonical = NULL;
}

/* ---- words: eight bytes at a time ----------------------------------------------- */

static inline u64 load64(const char *p)
{
	u64 word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline u32 load32(const char *p)
{
	u32 word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* The first byte of the text as the lowest. */
static inline u64 load_le64(const char *p)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return __builtin_bswap64(load64(p));
#else
	return load64(p);
#endif
}

/*
 * Whether the text at p begins with a literal of n bytes, at most 40. Word by word: a
 * memcmp() of a length that is no power of two is a call, and lines are mostly keys.
 */
static ALWAYS_INLINE bool begins(const char *p, const char *literal, size_t n)
{
	u64 differs = 0;

	if (n < 4) {
		for (size_t i = 0; i < n; i++)
			differs |= (u64)(p[i] ^ literal[i]);
		return !differs;
	}
	if (n < 8)
		return !((load32(p) ^ load32(literal)) |
			 (load32(p + n - 4) ^ load32(literal + n - 4)));
	if (n >= 16)
		differs = load64(p) ^ load64(literal);
	if (n >= 24)
		differs |= load64(p + 8) ^ load64(literal + 8);
	if (n >= 32)
		differs |= load64(p + 16) ^ load64(literal + 16);
	if (n >= 40)
		differs |= load64(p + 24) ^ load64(literal + 24);
	if (n % 8)
		differs |= load64(p + n / 8 * 8 - 8) ^ load64(literal + n / 8 * 8 - 8);
	return !(differs | (load64(p + n - 8) ^ load64(literal + n - 8)));
}

#define BEGINS(p, literal) begins(p, literal, sizeof(literal) - 1)

/*
 * The end of the plain text at p: a quote, backslash, control character or what is not
 * ASCII. A newline or NUL ends it at last.
 */
#ifdef __SSE2__
static ALWAYS_INLINE const char *plain_end(const char *p)
{
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');

	for (;; p += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)p);
		/* As signed bytes, those beyond ASCII are below the space, too. */
		__m128i stops = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')),
					     _mm_or_si128(_mm_cmpeq_epi8(bytes, quote),
							  _mm_cmpeq_epi8(bytes, slash)));
		int mask = _mm_movemask_epi8(stops);

		if (mask)
			return p + __builtin_ctz((unsigned int)mask);
	}
}
#else
static inline const char *plain_end(const char *p)
{
	while (*p >= ' ' && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}
#endif

/* A text of at most 15 bytes. */
static void pattern_make(struct line_pattern *pattern, const char *text, size_t length)
{
	char bytes[sizeof(pattern->text)] = { 0 };

	memcpy(bytes, text, length);
	bytes[length] = '"';
	memcpy(pattern->text, bytes, sizeof(bytes));
	memset(bytes, 0, sizeof(bytes));
	memset(bytes, 0xff, length + 1);
	memcpy(pattern->mask, bytes, sizeof(bytes));
	pattern->length = (u8)length;
}

/* Whether it stands at p, with the quote behind it. */
static ALWAYS_INLINE bool matches(const char *p, const struct line_pattern *pattern)
{
	return !(((load64(p) ^ pattern->text[0]) & pattern->mask[0]) |
		 ((load64(p + 8) ^ pattern->text[1]) & pattern->mask[1]));
}

/* ---- values: each get_ function returns the end of the value, or NULL ---------- */

static inline u32 digit_of(char c)
{
	return (u32)(unsigned char)c - '0';
}

static inline bool is_digit(char c)
{
	return digit_of(c) < 10;
}

/* max >= 9. The caller sees what follows: a fraction or an exponent is no end of a value. */
static ALWAYS_INLINE const char *get_number(const char *p, u64 max, u64 *ret)
{
	const char *start = p;
	u64 value = digit_of(*p);
	u32 digit = digit_of(*++p);

	if (value > 9)
		return NULL;
	if (digit < 10) {
		if (!value)
			return NULL;
		do
			value = value * 10 + digit;
		while ((digit = digit_of(*++p)) < 10);
		if (p - start > 17 || value > max)
			return NULL;
	}
	*ret = value;
	return p;
}

static ALWAYS_INLINE const char *get_null(const char *p)
{
	return BEGINS(p, "null") ? p + 4 : NULL;
}

/* What it mostly is comes first. */
static ALWAYS_INLINE const char *get_bool(const char *p, bool *ret)
{
	*ret = !BEGINS(p, "fals");
	if (!*ret)
		return p[4] == 'e' ? p + 5 : NULL;
	return BEGINS(p, "true") ? p + 4 : NULL;
}

/* The value of a hexadecimal digit and 16; 0 for what is none. */
static const u8 hex_values[256] = {
	['0'] = 16, ['1'] = 17, ['2'] = 18, ['3'] = 19, ['4'] = 20, ['5'] = 21, ['6'] = 22, ['7'] = 23,
	['8'] = 24, ['9'] = 25, ['a'] = 26, ['b'] = 27, ['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31,
	['A'] = 26, ['B'] = 27, ['C'] = 28, ['D'] = 29, ['E'] = 30, ['F'] = 31,
};

static inline u8 hex_value(char c)
{
	return hex_values[(unsigned char)c];
}

/* Of an escape; 0 for what is none, and for surrogates, which are left to jansson. */
static size_t escape_length(const char *p)
{
	if (!p[1] || p[1] == '\n')
		return 0;
	if (strchr("\"\\/bfnrt", p[1]))
		return 2;
	if (p[1] != 'u')
		return 0;
	for (int i = 2; i < 6; i++)
		if (!hex_value(p[i]))
			return 0;
	return (p[2] | 0x20) == 'd' && hex_value(p[3]) >= 16 + 8 ? 0 : 6;
}

/* Behind the closing quote of any string, p at its opening one; NULL if it is none. */
static const char *string_end(const char *p)
{
	for (p++;;) {
		size_t n;

		p = plain_end(p);
		if (*p == '"')
			return p + 1;
		/* 4: the padding is behind every byte of the line. */
		n = *p == '\\' ? escape_length(p) : utf8_length((const unsigned char *)p, 4);
		if (!n)
			return NULL;
		p += n;
	}
}

/* A string without escapes. */
static ALWAYS_INLINE const char *get_plain_string(const char *p, struct line_text *ret)
{
	const char *start = p + 1;

	if (*p != '"')
		return NULL;
	for (p = plain_end(start); *p != '"'; p = plain_end(p)) {
		size_t n = utf8_length((const unsigned char *)p, 4);

		if (!n)
			return NULL;
		p += n;
	}
	ret->text = start;
	ret->length = (size_t)(p - start);
	return p + 1;
}

/* A string with escapes, decoded into buf of LINE_TEXT_MAX bytes. */
static const char *get_escaped_string(const char *p, char *buf, struct line_text *ret)
{
	const char *end = *p == '"' ? string_end(p) : NULL;
	json_t *value = end ? json_loadb(p, (size_t)(end - p), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)
			    : NULL;
	size_t length = json_string_length(value);

	if (value && length <= LINE_TEXT_MAX) {
		memcpy(buf, json_string_value(value), length);
		*ret = (struct line_text){ buf, length };
	} else {
		end = NULL;
	}
	json_decref(value);
	return end;
}

/* A string of at most LINE_TEXT_MAX bytes. */
static ALWAYS_INLINE const char *get_string(const char *p, char *buf, struct line_text *ret)
{
	const char *end = get_plain_string(p, ret);

	if (end)
		return ret->length <= LINE_TEXT_MAX ? end : NULL;
	return get_escaped_string(p, buf, ret);
}

static ALWAYS_INLINE const char *get_octet(const char *p, u8 *ret)
{
	u32 value = digit_of(p[0]), digit = digit_of(p[1]);

	if (value > 9)
		return NULL;
	if (digit > 9) {
		*ret = (u8)value;
		return p + 1;
	}
	if (!value)
		return NULL;
	value = value * 10 + digit;
	digit = digit_of(p[2]);
	if (digit > 9) {
		*ret = (u8)value;
		return p + 2;
	}
	value = value * 10 + digit;
	*ret = (u8)value;
	return value > 255 ? NULL : p + 3;
}

static ALWAYS_INLINE const char *get_ipv4(const char *p, u8 *address)
{
	p = get_octet(p, address);
	if (!p || *p != '.')
		return NULL;
	p = get_octet(p + 1, address + 1);
	if (!p || *p != '.')
		return NULL;
	p = get_octet(p + 1, address + 2);
	if (!p || *p != '.')
		return NULL;
	return get_octet(p + 1, address + 3);
}

/* One group; NULL if there is none or it has more than four digits. */
static inline const char *get_group(const char *p, u8 *to)
{
	u32 value = 0, n = 0, digit;

	for (; (digit = hex_value(*p)); n++, p++)
		value = value << 4 | (digit & 15);
	if (n < 1 || n > 4)
		return NULL;
	to[0] = (u8)(value >> 8);
	to[1] = (u8)value;
	return p;
}

/* Groups and a "::" at *ret_gap (-1: none) into bytes; *ret_n of them. */
static const char *get_groups(const char *p, u8 *bytes, int *ret_n, int *ret_gap)
{
	int n = 0, gap = -1;

	if (p[0] == ':' && p[1] == ':') {
		gap = 0;
		p += 2;
	}
	while (*p != '"' && n < 16) {
		const char *group = p;

		p = get_group(p, bytes + n);
		if (p && *p == '.' && n <= 12) {
			p = get_ipv4(group, bytes + n);
			n += 4;
			break;
		}
		if (!p)
			return NULL;
		n += 2;
		if (*p == ':' && p[1] == ':' && gap < 0) {
			gap = n;
			p += 2;
		} else if (*p == ':' && p[1] != '"') {
			p++;
		} else {
			break;
		}
	}
	*ret_n = n;
	*ret_gap = gap;
	return p;
}

/* RFC 4291 2.2: groups, one "::", maybe a dotted tail. */
static const char *get_ipv6(const char *p, u8 *address)
{
	int n = 0, gap = -1;
	u8 bytes[16];

	p = get_groups(p, bytes, &n, &gap);
	if (!p || (gap < 0 ? n != 16 : n > 14))
		return NULL;
	if (gap < 0)
		gap = n;
	memset(address, 0, 16);
	memcpy(address, bytes, (size_t)gap);
	memcpy(address + 16 - (n - gap), bytes + gap, (size_t)(n - gap));
	return p;
}

static ALWAYS_INLINE const char *get_address(const char *p, u8 *address, u8 *ret_version, u8 *flags)
{
	const char *end;

	if (*p != '"') {
		*flags |= FLOW_NO_ADDRESS;
		return get_null(p);
	}
	*ret_version = 4;
	end = get_ipv4(p + 1, address);
	if (!end || *end != '"') {
		*ret_version = 6;
		end = get_ipv6(p + 1, address);
	}
	return end && *end == '"' ? end + 1 : NULL;
}

/* What a line says of the two places where ports, or ICMP type and code, stand. */
enum place {
	PLACE_SRC_PORT = 1,
	PLACE_DST_PORT = 2,
	PLACE_ICMP_TYPE = 4,
	PLACE_ICMP_CODE = 8,
};

static ALWAYS_INLINE const char *get_place(const char *p, struct line_reader *lr, enum place place,
					   u64 max, u16 *place_be)
{
	u64 value;

	if (BEGINS(p, "null"))
		return p + 4;
	p = get_number(p, max, &value);
	if (!p)
		return NULL;
	lr->places |= (u8)place;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	*place_be = (u16)value;
#else
	*place_be = __builtin_bswap16((u16)value);
#endif
	return p;
}

/* ---- kinds: how a field of events.def is understood ---------------------------- */

#define KIND(name, ...) \
	static ALWAYS_INLINE const char *line_get_##name( \
		const char *p, struct line_reader *lr __attribute__((unused)), __VA_ARGS__)

/* Milliseconds with any number of decimals, cut to nanoseconds. */
static const char *get_any_time(const char *p, u64 *ns)
{
	u64 ms = 0, unit = NS_PER_MS / 10, rest = 0;

	p = get_number(p, UINT64_MAX / NS_PER_MS - 1, &ms);
	if (!p)
		return NULL;
	if (*p == '.') {
		if (!is_digit(*++p))
			return NULL;
		for (; is_digit(*p); p++, unit /= 10)
			rest += digit_of(*p) * unit;
	}
	*ns = ms * NS_PER_MS + rest;
	return p;
}

/*
 * "123.456" and no digit more, in microseconds: all digits at once, a byte each of a word
 * in which the point is a 0 between them.
 */
static ALWAYS_INLINE bool get_split_second(const char *p, u64 *ret_us)
{
	u64 digits = (load_le64(p) ^ 0x003030302e303030ull) << 8, pairs, sums;

	/* Above 9, or the point above 0, sets a byte's highest bit. */
	if (((digits + 0x7676767f76767600ull) | digits) & 0x8080808080808000ull || is_digit(p[7]))
		return false;
	pairs = (digits * 10 + (digits >> 8)) & 0x00ff00ff00ff00ffull;
	sums = pairs * 100 + (pairs >> 16);
	*ret_us = (sums & 0xffff) * 1000 + (sums >> 32 & 0xffff);
	return true;
}

KIND(unix_ms, u64 *ns)
{
	const char *end;
	u64 us;

	if (begins(p, lr->second_text, 10) && get_split_second(p + 10, &us)) {
		*ns = lr->second_ns + us * 1000;
		return p + 17;
	}
	end = get_any_time(p, ns);
	if (end && end - p == 17 && p[13] == '.') {
		lr->second_ns = *ns / NS_PER_S * NS_PER_S;
		memcpy(lr->second_text, p, 10);
	}
	return end;
}

/* What follows a name is the same in all lines of a writer: it may be in the hash. */
static inline struct line_known_name *known_ifname(struct line_reader *lr, const char *text)
{
	return &lr->ifnames[(load64(text) * 0x9e3779b97f4a7c15ull) >> 60];
}

static const char *get_new_ifname(const char *p, struct line_reader *lr)
{
	struct line_known_name *known = known_ifname(lr, p + 1);
	const char *end = get_string(p, lr->ifname_decoded, &lr->ifname);

	lr->ifname_serial = 0;
	/* As it stands in the line, it can be compared. */
	if (!end || lr->ifname.text != p + 1 || lr->ifname.length >= sizeof(known->pattern.text))
		return end;
	pattern_make(&known->pattern, lr->ifname.text, lr->ifname.length);
	known->serial = lr->ifname_serial = ++lr->ifname_serials;
	return end;
}

KIND(ifname, u8 *iface)
{
	const struct line_known_name *known = known_ifname(lr, p + 1);

	_Static_assert(LINE_KNOWN_NAMES == 16, "four bits of a hash");
	*iface = 0;
	if (*p != '"' || !known->serial || !matches(p + 1, &known->pattern))
		return get_new_ifname(p, lr);
	lr->ifname = (struct line_text){ p + 1, known->pattern.length };
	lr->ifname_serial = known->serial;
	return p + 1 + known->pattern.length + 1;
}

KIND(direction, u8 *direction)
{
	if (BEGINS(p, "\"ingress\"")) {
		*direction = DIRECTION_INGRESS;
		return p + 9;
	}
	*direction = DIRECTION_EGRESS;
	return BEGINS(p, "\"egress\"") ? p + 8 : NULL;
}

KIND(u16, u16 *value)
{
	u64 number = 0;

	p = get_number(p, UINT16_MAX, &number);
	*value = (u16)number;
	return p;
}

KIND(u32, u32 *value)
{
	u64 number = 0;

	p = get_number(p, UINT32_MAX, &number);
	*value = (u32)number;
	return p;
}

KIND(u64, u64 *value)
{
	return get_number(p, COUNT_MAX, value);
}

KIND(bool, u8 *value)
{
	bool set = false;

	p = get_bool(p, &set);
	*value = set;
	return p;
}

KIND(ip_version, u8 *version)
{
	*version = *p == '4' || *p == '6' ? (u8)(*p - '0') : 0;
	lr->ip_version = *version;
	return *version ? p + 1 : get_null(p);
}

KIND(proto, struct flow_key *key)
{
	struct line_text name;
	int is_ip = 1;

	if (BEGINS(p, "\"TCP\"")) {
		key->protocol = 6;
		p += 5;
	} else if (BEGINS(p, "\"UDP\"")) {
		key->protocol = 17;
		p += 5;
	} else {
		p = get_plain_string(p, &name);
		if (!p || protocol_parse(name.text, name.length, &key->protocol, &is_ip))
			return NULL;
	}
	lr->key = key;
	lr->proto_is_ip = (u8)is_ip;
	return p;
}

KIND(src_ip, struct flow_key *key)
{
	return get_address(p, key->src_ip, &lr->src_version, &key->flags);
}

KIND(dst_ip, struct flow_key *key)
{
	return get_address(p, key->dst_ip, &lr->dst_version, &key->flags);
}

KIND(src_port, struct flow_key *key)
{
	return get_place(p, lr, PLACE_SRC_PORT, UINT16_MAX, &key->src_port_be);
}

KIND(dst_port, struct flow_key *key)
{
	return get_place(p, lr, PLACE_DST_PORT, UINT16_MAX, &key->dst_port_be);
}

KIND(icmp_type, struct flow_key *key)
{
	return get_place(p, lr, PLACE_ICMP_TYPE, UINT8_MAX, &key->src_port_be);
}

KIND(icmp_code, struct flow_key *key)
{
	return get_place(p, lr, PLACE_ICMP_CODE, UINT8_MAX, &key->dst_port_be);
}

KIND(tcp_flags, struct flow_key *key, u8 *flags)
{
	static const u8 bits[256] = {
		['F'] = 0x01, ['S'] = 0x02, ['R'] = 0x04, ['P'] = 0x08,
		['A'] = 0x10, ['U'] = 0x20, ['E'] = 0x40, ['C'] = 0x80,
	};

	(void)key;
	if (*p != '"')
		return get_null(p);
	*flags = 0;
	for (p++; *p != '"'; p++) {
		u8 bit = bits[(unsigned char)*p];

		if (!bit)
			return NULL;
		*flags |= bit;
	}
	return p + 1;
}

KIND(ttl, struct flow_key *key, u8 *ttl)
{
	u64 value = 0;

	(void)key;
	if (*p == 'n')
		return get_null(p);
	p = get_number(p, UINT8_MAX, &value);
	*ttl = (u8)value;
	return p;
}

KIND(vlan, u16 *vlan)
{
	const char *end = get_null(p);
	u64 value = VLAN_NONE;

	*vlan = VLAN_NONE;
	if (end)
		return end;
	p = get_number(p, 4095, &value);
	*vlan = (u16)value;
	return p;
}

KIND(fragment, struct flow_key *key)
{
	bool fragment = false;

	p = get_bool(p, &fragment);
	if (fragment)
		key->flags |= FLOW_FRAGMENT;
	return p;
}

KIND(u32_or_null, u32 *value)
{
	*value = 0;
	return *p == 'n' ? get_null(p) : line_get_u32(p, lr, value);
}

static const char *get_string_or_null(const char *p, char *buf, struct line_text *ret)
{
	*ret = (struct line_text){ NULL, 0 };
	return *p == 'n' ? get_null(p) : get_string(p, buf, ret);
}

KIND(connection_event, u8 *event)
{
	struct line_text name;
	int number;

	p = get_plain_string(p, &name);
	number = p ? connection_event_parse(name.text, name.length) : -1;
	*event = (u8)number;
	return number < 0 ? NULL : p;
}

/* What is no reason that we know is an error without a number. */
KIND(connection_reason, u8 *reason, u16 *error)
{
	const size_t prefix = sizeof(REASON_ERROR_PREFIX) - 1;
	struct line_text name;
	u64 number = 0;
	int known;

	*reason = REASON_NONE;
	*error = 0;
	if (*p == 'n')
		return get_null(p);
	p = get_plain_string(p, &name);
	if (!p)
		return NULL;
	known = connection_reason_parse(name.text, name.length);
	*reason = known < 0 ? REASON_ERROR : (u8)known;
	if (known < 0 && name.length > prefix && BEGINS(name.text, REASON_ERROR_PREFIX) &&
	    get_number(name.text + prefix, UINT16_MAX, &number))
		*error = (u16)number;
	return p;
}

/* Of at most 15 bytes in a record, NUL-padded; longer ones are cut. */
static const char *get_name16(const char *p, u8 *name)
{
	char decoded[LINE_TEXT_MAX];
	struct line_text text;

	p = get_string(p, decoded, &text);
	if (p)
		memcpy(name, text.text, text.length < 15 ? text.length : 15);
	return p;
}

KIND(command, u8 *command)
{
	memset(command, 0, 16);
	return get_name16(p, command);
}

KIND(owner_pid, struct socket_owner *owner)
{
	return line_get_u32_or_null(p, lr, &owner->pid);
}

KIND(owner_command, struct socket_owner *owner)
{
	return *p == 'n' ? get_null(p) : line_get_command(p, lr, owner->command);
}

KIND(owner_uid, struct socket_owner *owner)
{
	return line_get_u32_or_null(p, lr, &owner->uid);
}

KIND(cgroup, struct socket_owner *owner __attribute__((unused)))
{
	return get_string_or_null(p, lr->cgroup_decoded, &lr->cgroup);
}

KIND(service, struct flow_key *key __attribute__((unused)))
{
	return get_string_or_null(p, lr->service_decoded, &lr->service);
}

KIND(duration_ms, u64 *duration_ns)
{
	*duration_ns = DURATION_NONE;
	return *p == 'n' ? get_null(p) : get_any_time(p, duration_ns);
}

KIND(process_version, struct process_key *key)
{
	return line_get_ip_version(p, lr, &key->ip_version);
}

KIND(process_proto, struct process_key *key)
{
	struct line_text name;
	int is_ip = 0;

	p = get_plain_string(p, &name);
	if (!p)
		return NULL;
	key->protocol = 0;
	if (name.length != sizeof(PROCESS_PACKET_NAME) - 1 || !BEGINS(name.text, PROCESS_PACKET_NAME)) {
		if (protocol_parse(name.text, name.length, &key->protocol, &is_ip) || !is_ip)
			return NULL;
	}
	lr->process = key;
	lr->proto_is_ip = (u8)is_ip;
	return p;
}

KIND(remote_ip, struct process_key *key)
{
	u8 no_address = 0;

	p = get_address(p, key->remote_ip, &lr->src_version, &no_address);
	if (!no_address)
		key->flags |= PROCESS_REMOTE;
	return p;
}

KIND(remote_port, struct process_key *key)
{
	u8 place = lr->places;

	p = get_place(p, lr, PLACE_SRC_PORT, UINT16_MAX, &key->remote_port_be);
	if (lr->places != place)
		key->flags |= PROCESS_PORT;
	return p;
}

KIND(drop_ifname, u8 *ifname)
{
	memset(ifname, 0, 16);
	return *p == 'n' ? get_null(p) : get_name16(p, ifname);
}

KIND(proto_or_null, struct flow_key *key)
{
	if (*p != 'n')
		return line_get_proto(p, lr, key);
	lr->key = key;
	return get_null(p);
}

/* The text is for people; reason_code is what counts. */
KIND(drop_reason, u32 *reason __attribute__((unused)))
{
	return get_string(p, lr->reason_decoded, &lr->reason);
}

KIND(location, u16 *location __attribute__((unused)))
{
	return get_string_or_null(p, lr->location_decoded, &lr->location);
}

#undef KIND

/* Before the fields of a line are read. */
static inline void begin(struct line_reader *lr)
{
	lr->host.text = NULL;
	lr->key = NULL;
	lr->process = NULL;
	lr->ip_version = lr->proto_is_ip = lr->src_version = lr->dst_version = lr->places = 0;
	lr->is_other = false;
}

static bool process_agrees(const struct line_reader *lr)
{
	return lr->proto_is_ip == (lr->ip_version != 0) &&
	       (!lr->src_version || lr->src_version == lr->ip_version);
}

/*
 * Behind them: protocol and addresses are of the IP version that the line says, and
 * there are two ports, or an ICMP type and code, or neither.
 */
static ALWAYS_INLINE bool agrees(struct line_reader *lr)
{
	struct flow_key *key = lr->key;

	if (!key)
		return !lr->process || process_agrees(lr);
	switch (lr->places) {
	case PLACE_SRC_PORT | PLACE_DST_PORT:
		key->flags |= FLOW_PORTS;
		break;
	case PLACE_ICMP_TYPE | PLACE_ICMP_CODE:
		key->flags |= FLOW_ICMP;
		break;
	case 0:
		break;
	default:
		return false;
	}
	return lr->proto_is_ip == (lr->ip_version != 0) && lr->src_version == lr->dst_version &&
	       (!lr->src_version || lr->src_version == lr->ip_version);
}

/* ---- the strict scanner --------------------------------------------------------- */

static ALWAYS_INLINE const char *skip_space(const char *p)
{
	/* None, or a single one: what there is between tokens nearly always. */
	if ((unsigned char)*p > ' ')
		return p;
	if (*p == ' ' && (unsigned char)p[1] > ' ')
		return p + 1;
	while (*p == ' ' || *p == '\t' || *p == '\r')
		p++;
	return p;
}

static const char *digits_end(const char *p)
{
	const char *start = p;

	while (is_digit(*p))
		p++;
	return p == start ? NULL : p;
}

/* RFC 8259 6. */
static const char *number_end(const char *p)
{
	p += *p == '-';
	if (*p == '0' && is_digit(p[1]))
		return NULL;
	p = digits_end(p);
	if (p && *p == '.')
		p = digits_end(p + 1);
	if (p && (*p == 'e' || *p == 'E'))
		p = digits_end(p + (p[1] == '+' || p[1] == '-' ? 2 : 1));
	return p;
}

static const char *value_end(const char *p, unsigned int depth);

/* Of the array or object whose bracket p is at. */
static const char *nested_end(const char *p, unsigned int depth)
{
	bool is_object = *p == '{';
	char close = is_object ? '}' : ']';

	p = skip_space(p + 1);
	if (*p == close)
		return p + 1;
	for (;; p = skip_space(p + 1)) {
		if (is_object) {
			p = *p == '"' ? string_end(p) : NULL;
			p = p ? skip_space(p) : NULL;
			if (!p || *p != ':')
				return NULL;
			p = skip_space(p + 1);
		}
		p = value_end(p, depth);
		p = p ? skip_space(p) : NULL;
		if (!p || *p == close)
			return p ? p + 1 : NULL;
		if (*p != ',')
			return NULL;
	}
}

/* The end of any value; NULL if it is none, or nested too deep. */
static const char *value_end(const char *p, unsigned int depth)
{
	bool ignored;

	switch (*p) {
	case '"':
		return string_end(p);
	case 't':
	case 'f':
		return get_bool(p, &ignored);
	case 'n':
		return get_null(p);
	case '[':
	case '{':
		return depth ? nested_end(p, depth - 1) : NULL;
	default:
		return number_end(p);
	}
}

/* ---- keys ------------------------------------------------------------------------ */

#define KEY_BYTES 16
#define KEYS_MAX 32
#define KEY_SLOTS 64	/* a power of two, twice the keys */
#define NO_KEY 0xff

struct key_words {
	u64 low, high;
};

/* The keys of a LINE by number; behind them "host", which any line may have, and "type". */
struct key_table {
	const char (*texts)[KEY_BYTES];	/* padded with zeroes */
	u8 n;
	bool ready;
	u8 slots[KEY_SLOTS];		/* number of a key, or NO_KEY */
	struct line_pattern patterns[KEYS_MAX];
	/*
	 * Which key came behind this one the last time (behind none: [n]). Whoever writes
	 * keys in an order of his own keeps to it.
	 */
	u8 after[KEYS_MAX + 1];
};

static inline u32 key_slot(struct key_words key)
{
	return (u32)((key.low * 0x9e3779b97f4a7c15ull ^ key.high * 0xc2b2ae3d27d4eb4full) >> 58);
}

static inline u64 low_bytes(u64 word, size_t n)
{
	return n < 8 ? word & ((1ull << 8 * n) - 1) : word;
}

static ALWAYS_INLINE struct key_words key_words(const char *text, size_t length)
{
	return (struct key_words){ low_bytes(load_le64(text), length),
				   length > 8 ? low_bytes(load_le64(text + 8), length - 8) : 0 };
}

static void key_table_ready(struct key_table *t)
{
	if (t->ready)
		return;
	memset(t->slots, NO_KEY, sizeof(t->slots));
	for (u8 i = 0; i < t->n; i++) {
		u32 slot = key_slot(key_words(t->texts[i], KEY_BYTES));

		while (t->slots[slot] != NO_KEY)
			slot = (slot + 1) % KEY_SLOTS;
		t->slots[slot] = i;
		pattern_make(&t->patterns[i], t->texts[i], strlen(t->texts[i]));
		t->after[i] = (u8)(i + 1 < t->n ? i + 1 : 0);
	}
	t->after[t->n] = t->n - 1;
	t->ready = true;
}

/* The number of a key, or NO_KEY. */
static ALWAYS_INLINE u8 key_find(const struct key_table *t, const char *text, size_t length)
{
	struct key_words key;

	if (length > KEY_BYTES)
		return NO_KEY;
	key = key_words(text, length);
	for (u32 slot = key_slot(key);; slot = (slot + 1) % KEY_SLOTS) {
		u8 i = t->slots[slot];

		if (i == NO_KEY || (load_le64(t->texts[i]) == key.low &&
				    load_le64(t->texts[i] + 8) == key.high))
			return i;
	}
}

/* Behind a key and its colon, where the value begins; NULL if there is no colon. */
static ALWAYS_INLINE const char *skip_colon(const char *p)
{
	p = skip_space(p);
	return *p == ':' ? skip_space(p + 1) : NULL;
}

/*
 * A member's key, p behind the brace or comma: its number, or NO_KEY. *last is the number
 * of the known key before it. Returns where its value begins, or NULL.
 */
static ALWAYS_INLINE const char *get_key(const char *p, struct key_table *t, u8 *last, u8 *ret)
{
	u8 next = t->after[*last];
	struct line_text key;

	p = skip_space(p);
	if (*p == '"' && matches(p + 1, &t->patterns[next])) {
		*last = *ret = next;
		return skip_colon(p + t->patterns[next].length + 2);
	}
	p = get_plain_string(p, &key);
	if (!p)
		return NULL;
	*ret = key_find(t, key.text, key.length);
	if (*ret != NO_KEY) {
		t->after[*last] = *ret;
		*last = *ret;
	}
	return skip_colon(p);
}

static const char *get_host(const char *p, struct line_reader *lr)
{
	return *p == 'n' ? get_null(p) : get_string(p, lr->host_decoded, &lr->host);
}

/* The type must be this one, with its quotes. */
static const char *get_type(const char *p, struct line_reader *lr, const char *type, size_t length)
{
	struct line_text other;

	if (!memcmp(p, type, length))
		return p + length;
	lr->is_other = get_plain_string(p, &other) != NULL;
	return NULL;
}

/* ---- what jansson says of anything else ------------------------------------------ */

/* As reals, or an integer of twenty digits that nobody asks for were no JSON. */
#define LOAD_FLAGS (JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL)

static json_t *load(const char *line, size_t length)
{
	return json_loadb(line, length, LOAD_FLAGS, NULL);
}

/* Behind the key that comes twice the line may still be broken. */
static bool is_json(const json_error_t *error, const char *line, size_t length)
{
	json_t *root = NULL;

	if (json_error_code(error) == json_error_duplicate_key)
		root = load(line, length);
	json_decref(root);
	return root;
}

/* Numbers that are whole are written so: 1e3 is 1000. */
static void make_whole(json_t *root, const char *key, const json_t *value)
{
	double number = json_real_value(value), most = (double)COUNT_MAX;

	if (json_is_real(value) && number >= -most && number <= most &&
	    number == (double)(json_int_t)number)
		json_object_set_new(root, key, json_integer((json_int_t)number));
}

/*
 * The line as it could have been written in way 2: known keys once, no needless escapes. No key
 * may come twice, not even one that nobody asks for.
 */
static enum line_status respell(struct line_reader *lr, const struct key_table *keys,
				const char *line, size_t length)
{
	json_error_t error;
	json_t *root = json_loadb(line, length, LOAD_FLAGS | JSON_REJECT_DUPLICATES, &error), *value;
	const char *key;
	char *text = NULL;
	size_t spelled;
	void *next;

	if (!root)
		return is_json(&error, line, length) ? LINE_WRONG_TYPE : LINE_NOT_JSON;
	json_object_foreach_safe(root, next, key, value) {
		size_t n = strlen(key);
		char padded[KEY_BYTES] = { 0 };

		memcpy(padded, key, n < KEY_BYTES ? n : KEY_BYTES);
		if (n > KEY_BYTES || key_find(keys, padded, n) == NO_KEY)
			json_object_del(root, key);
		else
			make_whole(root, key, value);
	}
	/* 16 digits: what a time in milliseconds with three decimals has. */
	if (json_is_object(root))
		text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(16));
	json_decref(root);
	free(lr->canonical);
	spelled = text ? strlen(text) : 0;
	lr->canonical = text ? realloc(text, spelled + LINE_READ_PADDING) : NULL;
	if (!lr->canonical) {
		free(text);
		return LINE_WRONG_TYPE;
	}
	/* It is read as words, beyond its end as well. */
	memset(lr->canonical + spelled, 0, LINE_READ_PADDING);
	return LINE_OK;
}

/* ---- types ------------------------------------------------------------------------- */

/* A name that outlives the parsed line: of a known type, else "?". */
static struct line_text known_type(const char *type)
{
#define LINE(name, record, producer, what) \
	if (!strcmp(type, #name)) \
		return (struct line_text){ #name, sizeof(#name) - 1 };
#define TEXT(name, producer, what) LINE(name, , producer, what)
#include "common/events.def"
	return (struct line_text){ "?", 1 };
}

static enum line_status odd_line_type(const char *line, size_t length, struct line_text *ret_type)
{
	json_t *root = load(line, length);
	const char *type = json_string_value(json_object_get(root, "type"));
	enum line_status status = root ? LINE_WRONG_TYPE : LINE_NOT_JSON;

	if (type) {
		*ret_type = known_type(type);
		status = LINE_OK;
	}
	json_decref(root);
	return status;
}

enum line_status line_type(const char *line, size_t length, struct line_text *ret_type)
{
	const char *p = line;
	char sign = '{';

#define LINE(name, record, producer, what) \
	if (BEGINS(line, "{\"type\":\"" #name "\"")) { \
		*ret_type = (struct line_text){ #name, sizeof(#name) - 1 }; \
		return LINE_OK; \
	}
#define TEXT(name, producer, what) LINE(name, , producer, what)
#include "common/events.def"
	for (p = skip_space(p); p && *p == sign; sign = ',') {
		struct line_text key;

		p = get_plain_string(skip_space(p + 1), &key);
		p = p ? skip_colon(p) : NULL;
		if (!p)
			break;
		if (key.length == 4 && BEGINS(key.text, "type") && get_plain_string(p, ret_type))
			return LINE_OK;
		p = value_end(p, NESTING_MAX);
		p = p ? skip_space(p) : NULL;
	}
	return odd_line_type(line, length, ret_type);
}

/* ---- the readers ------------------------------------------------------------------- */

#define EXPECT(literal) \
	if (!BEGINS(p, literal)) \
		return false; \
	p += sizeof(literal) - 1;

/* 1: as line_write.c spells it. */
#define LINE(name, record, producer, what) \
	static bool name##_read_ours(struct line_reader *lr, const char *p, const char *end, \
				     struct record *r) \
	{ \
		EXPECT("{\"type\":\"" #name "\"")
#define FIELD(key, kind, what, ...) \
		EXPECT(",\"" #key "\":") \
		p = line_get_##kind(p, lr, __VA_ARGS__); \
		if (!p) \
			return false;
#define LINE_END(name) \
		return *p == '}' && p + 1 == end && agrees(lr); \
	}
#include "common/events.def"

/* 2: any order. The keys, numbered as they stand in events.def. */
#define LINE(name, record, producer, what) \
	static const char name##_key_texts[][KEY_BYTES] = {
#define FIELD(key, kind, what, ...) #key,
#define LINE_END(name) \
		"host", "type" \
	}; \
	_Static_assert(sizeof(name##_key_texts) / KEY_BYTES <= KEYS_MAX, "keys of " #name); \
	static struct key_table name##_keys = { \
		.texts = name##_key_texts, .n = sizeof(name##_key_texts) / KEY_BYTES \
	};
#include "common/events.def"

/* The value of key number `field`: __COUNTER__ goes up with each FIELD. */
#define LINE(name, record, producer, what) \
	static const char *name##_get_field(struct line_reader *lr, const char *p, u8 field, \
					    struct record *r) \
	{ \
		enum { first = __COUNTER__ + 1 }; \
		switch (field) {
#define FIELD(key, kind, what, ...) \
		case __COUNTER__ - first: \
			return line_get_##kind(p, lr, __VA_ARGS__);
#define LINE_END(name) \
		case __COUNTER__ - first: \
			return get_host(p, lr); \
		default: \
			return get_type(p, lr, "\"" #name "\"", sizeof(#name) + 1); \
		} \
	}
#include "common/events.def"

/*
 * False for a key that comes twice: readers do not agree on which of them counts, so nobody
 * can say what the line says. Jansson says so, too.
 */
#define LINE(name, record, producer, what) \
	static bool name##_read_any(struct line_reader *lr, const char *p, const char *end, \
				    struct record *r) \
	{ \
		const u8 n = sizeof(name##_key_texts) / KEY_BYTES; \
		const u64 host = 1ull << (n - 2), all = (1ull << n) - 1; \
		u64 seen = 0; \
		char sign = '{'; \
		u8 last = n, field; \
		for (p = skip_space(p); *p == sign; sign = ',') { \
			p = get_key(p + 1, &name##_keys, &last, &field); \
			if (!p) \
				return false; \
			if (field == NO_KEY) { \
				p = value_end(p, NESTING_MAX); \
			} else { \
				if (seen >> field & 1) \
					return false; \
				seen |= 1ull << field; \
				p = name##_get_field(lr, p, field, r); \
			} \
			if (!p) \
				return false; \
			p = skip_space(p); \
		} \
		return *p == '}' && skip_space(p + 1) == end && (seen | host) == all && \
		       agrees(lr); \
	}
#define LINE_END(name)
#include "common/events.def"

/* 3: as jansson understands it. */
#define LINE(name, record, producer, what) \
	enum line_status name##_line_read(struct line_reader *lr, const char *line, \
					  size_t length, struct record *ret) \
	{ \
		enum line_status status; \
		begin(lr); \
		memset(ret, 0, sizeof(*ret)); \
		if (name##_read_ours(lr, line, line + length, ret)) \
			return LINE_OK; \
		begin(lr); \
		memset(ret, 0, sizeof(*ret)); \
		key_table_ready(&name##_keys); \
		if (name##_read_any(lr, line, line + length, ret)) \
			return LINE_OK; \
		if (lr->is_other) \
			return LINE_OTHER_TYPE; \
		status = respell(lr, &name##_keys, line, length); \
		if (status != LINE_OK) \
			return status; \
		begin(lr); \
		memset(ret, 0, sizeof(*ret)); \
		if (name##_read_any(lr, lr->canonical, lr->canonical + strlen(lr->canonical), ret)) \
			return LINE_OK; \
		return lr->is_other ? LINE_OTHER_TYPE : LINE_WRONG_TYPE; \
	}
#include "common/events.def"
