/* SPDX-License-Identifier: MIT */
/* Lines to records: the readers made from events.def. */
#include "common/line_read.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/protocol.h"
#include "common/utf8.h"

#define NS_PER_S 1000000000ull
#define COUNT_MAX (1ull << 53)
#define FIELDS_MAX 32
#define NESTING_MAX 64	/* of values that are passed over; jansson has its own bound */

void line_reader_init(struct line_reader *lr)
{
	memset(lr, 0, sizeof(*lr));
}

void line_reader_free(struct line_reader *lr)
{
	free(lr->canonical);
	lr->canonical = NULL;
}

/* ---- values: each get_ function returns the end of the value, or NULL ---------- */

static inline bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

static inline const char *get_number(const char *p, u64 max, u64 *ret)
{
	const char *start = p;
	u64 value = 0;

	while (is_digit(*p) && p - start < 17)
		value = value * 10 + (u64)(*p++ - '0');
	if (p == start || is_digit(*p) || *p == '.' || *p == 'e' || *p == 'E' || value > max ||
	    (*start == '0' && p - start > 1))
		return NULL;
	*ret = value;
	return p;
}

static inline const char *get_null(const char *p)
{
	return memcmp(p, "null", 4) ? NULL : p + 4;
}

static inline const char *get_bool(const char *p, bool *ret)
{
	if (!memcmp(p, "false", 5)) {
		*ret = false;
		return p + 5;
	}
	if (!memcmp(p, "true", 4)) {
		*ret = true;
		return p + 4;
	}
	return NULL;
}

static inline int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Of a character that may stand in a string as it is; 0 for others. */
static inline size_t character_length(const char *p)
{
	if ((unsigned char)(*p - 0x20) < 0x60)
		return 1;
	return (unsigned char)*p < 0x20 ? 0 : utf8_length((const unsigned char *)p, 4);
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
		if (hex_digit(p[i]) < 0)
			return 0;
	return (p[2] | 0x20) == 'd' && hex_digit(p[3]) >= 8 ? 0 : 6;
}

/* A string without escapes. Returns the end behind its closing quote. */
static inline const char *get_plain_string(const char *p, struct line_text *ret)
{
	const char *start = p + 1;

	if (*p != '"')
		return NULL;
	for (p = start; *p != '"';) {
		size_t n = character_length(p);

		if (!n || *p == '\\')
			return NULL;
		p += n;
	}
	ret->text = start;
	ret->length = (size_t)(p - start);
	return p + 1;
}

/* The end of any string, escapes passed over; NULL at a control character. */
static const char *string_end(const char *p)
{
	for (p++; *p != '"';) {
		size_t n = *p == '\\' ? escape_length(p) : character_length(p);

		if (!n)
			return NULL;
		p += n;
	}
	return p + 1;
}

/* A string with escapes, decoded into buf of LINE_TEXT_MAX bytes. */
static const char *get_escaped_string(const char *p, char *buf, struct line_text *ret)
{
	const char *end = *p == '"' ? string_end(p) : NULL;
	json_t *value = end ? json_loadb(p, (size_t)(end - p), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)
			    : NULL;
	size_t length = json_string_length(value);

	if (!value || length >= LINE_TEXT_MAX) {
		json_decref(value);
		return NULL;
	}
	memcpy(buf, json_string_value(value), length);
	json_decref(value);
	ret->text = buf;
	ret->length = length;
	return end;
}

static inline const char *get_string(const char *p, char *buf, struct line_text *ret)
{
	const char *end = get_plain_string(p, ret);

	return end ? end : get_escaped_string(p, buf, ret);
}

static const char *get_ipv4(const char *p, u8 *address)
{
	for (int i = 0; i < 4; i++) {
		unsigned int value = 0;
		const char *start = p;

		while (is_digit(*p) && p - start < 3)
			value = value * 10 + (unsigned int)(*p++ - '0');
		if (p == start || value > 255 || (*start == '0' && p - start > 1))
			return NULL;
		address[i] = (u8)value;
		if (i < 3 && *p++ != '.')
			return NULL;
	}
	return p;
}

/* One group; NULL if there is none or it has more than four digits. */
static const char *get_group(const char *p, u8 *to)
{
	unsigned int value = 0;
	int n, digit;

	for (n = 0; (digit = hex_digit(*p)) >= 0; n++, p++)
		value = value << 4 | (unsigned int)digit;
	if (n < 1 || n > 4)
		return NULL;
	to[0] = (u8)(value >> 8);
	to[1] = (u8)value;
	return p;
}

/* RFC 4291 2.2: groups, one "::", maybe a dotted tail. */
static const char *get_ipv6(const char *p, u8 *address)
{
	int n = 0, gap = -1;
	u8 bytes[16];

	if (p[0] == ':' && p[1] == ':') {
		gap = 0;
		p += 2;
	}
	while (*p != '"' && n < 16) {
		const char *next = n <= 12 ? get_ipv4(p, bytes + n) : NULL;

		if (next && *next == '"') {
			n += 4;
			p = next;
			break;
		}
		p = get_group(p, bytes + n);
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
	if (gap < 0 ? n != 16 : n > 14)
		return NULL;
	memset(address, 0, 16);
	if (gap < 0)
		gap = n;
	memcpy(address, bytes, (size_t)gap);
	memcpy(address + 16 - (n - gap), bytes + gap, (size_t)(n - gap));
	return p;
}

static const char *get_address(const char *p, u8 *address, u8 *ret_version, u8 *flags)
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

/* A number for one of the two places where ports, or ICMP type and code, stand. */
static inline const char *get_place(const char *p, u64 max, u8 flag, u8 *flags, u16 *place_be)
{
	u64 value;

	if (*p == 'n')
		return get_null(p);
	p = get_number(p, max, &value);
	if (!p)
		return NULL;
	*flags |= flag;
	*place_be = __builtin_bswap16((u16)value);
	return p;
}

/* ---- kinds: how a field of events.def is understood ---------------------------- */

#define KIND(name, ...) \
	static inline __attribute__((always_inline)) const char *line_get_##name( \
		const char *p, struct line_reader *lr __attribute__((unused)), __VA_ARGS__)

/* Milliseconds with any number of decimals, cut to nanoseconds. */
static const char *get_any_time(const char *p, u64 *ns)
{
	u64 ms = 0, unit = 100000, rest = 0;
	const char *start = p;

	while (is_digit(*p) && p - start < 14)
		ms = ms * 10 + (u64)(*p++ - '0');
	if (p == start || is_digit(*p) || (*start == '0' && p - start > 1))
		return NULL;
	if (*p == '.') {
		if (!is_digit(*++p))
			return NULL;
		for (; is_digit(*p); p++, unit /= 10)
			rest += (u64)(*p - '0') * unit;
	}
	if (*p == 'e' || *p == 'E')
		return NULL;
	*ns = ms * 1000000 + rest;
	return p;
}

static inline u32 three_digits(const char *p)
{
	return (u32)(p[0] - '0') * 100 + (u32)(p[1] - '0') * 10 + (u32)(p[2] - '0');
}

KIND(unix_ms, u64 *ns)
{
	bool ours = is_digit(p[10]) && is_digit(p[11]) && is_digit(p[12]) && p[13] == '.' &&
		    is_digit(p[14]) && is_digit(p[15]) && is_digit(p[16]) &&
		    (p[17] == ',' || p[17] == '}');

	if (!ours || memcmp(p, lr->second_text, 10)) {
		const char *end = get_any_time(p, ns);

		if (end && ours && end == p + 17) {
			lr->second = *ns / NS_PER_S;
			memcpy(lr->second_text, p, 10);
		}
		return end;
	}
	*ns = lr->second * NS_PER_S + (three_digits(p + 10) * 1000ull + three_digits(p + 14)) * 1000;
	return p + 17;
}

KIND(ifname, u8 *iface)
{
	*iface = 0;
	return get_string(p, lr->ifname_decoded, &lr->ifname);
}

KIND(direction, u8 *direction)
{
	if (!memcmp(p, "\"ingress\"", 9)) {
		*direction = DIRECTION_INGRESS;
		return p + 9;
	}
	*direction = DIRECTION_EGRESS;
	return memcmp(p, "\"egress\"", 8) ? NULL : p + 8;
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
	if (*p == '4' || *p == '6')
		*version = (u8)(*p - '0');
	else
		*version = 0;
	lr->ip_version = *version;
	return *version ? p + 1 : get_null(p);
}

KIND(proto, struct flow_key *key)
{
	struct line_text name;
	int is_ip = 1;

	if (!memcmp(p, "\"TCP\"", 5)) {
		key->protocol = 6;
		p += 5;
	} else if (!memcmp(p, "\"UDP\"", 5)) {
		key->protocol = 17;
		p += 5;
	} else {
		p = get_plain_string(p, &name);
		if (!p || protocol_parse(name.text, name.length, &key->protocol, &is_ip))
			return NULL;
	}
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
	return get_place(p, UINT16_MAX, FLOW_PORTS, &key->flags, &key->src_port_be);
}

KIND(dst_port, struct flow_key *key)
{
	return get_place(p, UINT16_MAX, FLOW_PORTS, &key->flags, &key->dst_port_be);
}

KIND(icmp_type, struct flow_key *key)
{
	return get_place(p, UINT8_MAX, FLOW_ICMP, &key->flags, &key->src_port_be);
}

KIND(icmp_code, struct flow_key *key)
{
	return get_place(p, UINT8_MAX, FLOW_ICMP, &key->flags, &key->dst_port_be);
}

KIND(tcp_flags, struct flow_key *key, u8 *flags)
{
	static const char letters[] = "FSRPAUEC";

	(void)key;
	if (*p != '"')
		return get_null(p);
	for (p++; *p != '"'; p++) {
		const char *hit = *p ? strchr(letters, *p) : NULL;

		if (!hit)
			return NULL;
		*flags |= (u8)(1u << (hit - letters));
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
	u64 value = VLAN_NONE;

	if (*p == 'n') {
		*vlan = VLAN_NONE;
		return get_null(p);
	}
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

#undef KIND

/* Before the fields of a line are read. */
static inline void begin(struct line_reader *lr)
{
	lr->host.text = NULL;
	lr->ip_version = lr->proto_is_ip = lr->src_version = lr->dst_version = 0;
}

/* Protocol and addresses are of the IP version that the line says. */
static inline bool agrees(const struct line_reader *lr)
{
	return lr->proto_is_ip == (lr->ip_version != 0) &&
	       (!lr->src_version || lr->src_version == lr->ip_version) &&
	       (!lr->dst_version || lr->dst_version == lr->ip_version) &&
	       !lr->src_version == !lr->dst_version;
}

/* ---- the strict scanner --------------------------------------------------------- */

static inline const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\r')
		p++;
	return p;
}

/* RFC 8259 6. */
static const char *number_end(const char *p)
{
	const char *start;

	p += *p == '-';
	if (!is_digit(*p) || (*p == '0' && is_digit(p[1])))
		return NULL;
	while (is_digit(*p))
		p++;
	if (*p == '.') {
		for (start = ++p; is_digit(*p);)
			p++;
		if (p == start)
			return NULL;
	}
	if (*p == 'e' || *p == 'E') {
		p += p[1] == '+' || p[1] == '-' ? 2 : 1;
		for (start = p; is_digit(*p);)
			p++;
		if (p == start)
			return NULL;
	}
	return p;
}

/* The end of a value that is no array or object; of those NULL: jansson's. */
static const char *scalar_end(const char *p)
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
	default:
		return number_end(p);
	}
}

struct member {
	struct line_text key;
	const char *value, *end;
};

/*
 * The next member of an object, p behind '{' or ','. Returns where the ',' or '}' behind
 * it stands, or NULL if it is nothing that this scanner knows.
 */
static const char *next_member(const char *p, struct member *m)
{
	p = get_plain_string(skip_space(p), &m->key);
	if (!p)
		return NULL;
	p = skip_space(p);
	if (*p != ':')
		return NULL;
	m->value = skip_space(p + 1);
	m->end = scalar_end(m->value);
	if (!m->end)
		return NULL;
	p = skip_space(m->end);
	return *p == ',' || *p == '}' ? p : NULL;
}

static bool key_is(const struct member *m, const char *key, size_t length)
{
	return m->key.length == length && !memcmp(m->key.text, key, length);
}

#define KEY_IS(m, key) key_is(m, key, sizeof(key) - 1)

/*
 * Members by field number. keys[] are in the order of the writer, so the search goes on
 * from the last hit. Returns false for what the scanner does not know.
 */
static bool scan(struct line_reader *lr, const char *line, const char *end,
		 const struct line_text *keys, size_t n, struct member *ret)
{
	const char *p = skip_space(line);
	size_t next = 0;
	char sign = '{';

	for (; *p == sign; sign = ',') {
		struct member m;

		p = next_member(p + 1, &m);
		if (!p)
			return false;
		for (size_t tried = 0; tried < n; tried++, next = next + 1 < n ? next + 1 : 0)
			if (key_is(&m, keys[next].text, keys[next].length)) {
				ret[next] = m;
				break;
			}
		if (KEY_IS(&m, "host") && get_string(m.value, lr->host_decoded, &lr->host) != m.end)
			return false;
	}
	return *p == '}' && sign == ',' && skip_space(p + 1) == end;
}

/* ---- what jansson says of anything else ------------------------------------------ */

/* The line as jansson would write it: compact, without needless escapes. */
static enum line_status respell(struct line_reader *lr, const char *line, size_t length)
{
	json_t *root = json_loadb(line, length, JSON_ALLOW_NUL, NULL), *value;
	const char *key;
	char *text;
	void *next;

	if (!root)
		return LINE_NOT_JSON;
	if (!json_is_object(root)) {
		json_decref(root);
		return LINE_WRONG_TYPE;
	}
	/* Nested values are of no meaning in a line that is made into a record. */
	json_object_foreach_safe(root, next, key, value)
		if (json_is_object(value) || json_is_array(value))
			json_object_del(root, key);
	/* 16 digits: what a time in milliseconds with three decimals has. */
	text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(16));
	json_decref(root);
	free(lr->canonical);
	lr->canonical = text ? realloc(text, strlen(text) + LINE_READ_PADDING) : NULL;
	if (!lr->canonical) {
		free(text);
		return LINE_WRONG_TYPE;
	}
	return LINE_OK;
}

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
	json_t *root = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
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
	const char *p;
	char sign = '{';

	if (!memcmp(line, "{\"type\":\"", 9) && get_plain_string(line + 8, ret_type))
		return LINE_OK;
	for (p = skip_space(line); *p == sign; sign = ',') {
		struct member m;

		p = next_member(p + 1, &m);
		if (!p)
			break;
		if (KEY_IS(&m, "type") && get_plain_string(m.value, ret_type))
			return LINE_OK;
	}
	return odd_line_type(line, length, ret_type);
}

/* ---- the readers ------------------------------------------------------------------- */

#define EXPECT(literal) \
	if (memcmp(p, literal, sizeof(literal) - 1)) \
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
		EXPECT("}") \
		return p == end && agrees(lr); \
	}
#include "common/events.def"

/* 2: any order. */
#define LINE(name, record, producer, what) \
	static const struct line_text name##_keys[] = {
#define FIELD(key, kind, what, ...) { #key, sizeof(#key) - 1 },
#define LINE_END(name) };
#include "common/events.def"

#define LINE(name, record, producer, what) \
	static bool name##_read_any(struct line_reader *lr, const char *line, const char *end, \
				    struct record *r) \
	{ \
		struct member members[FIELDS_MAX] = { 0 }, *m = members; \
		_Static_assert(sizeof(name##_keys) / sizeof(name##_keys[0]) <= FIELDS_MAX, #name); \
		if (!scan(lr, line, end, name##_keys, \
			  sizeof(name##_keys) / sizeof(name##_keys[0]), members)) \
			return false;
#define FIELD(key, kind, what, ...) \
		if (!m->value || line_get_##kind(m->value, lr, __VA_ARGS__) != m->end) \
			return false; \
		m++;
#define LINE_END(name) \
		return agrees(lr); \
	}
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
		if (name##_read_any(lr, line, line + length, ret)) \
			return LINE_OK; \
		status = respell(lr, line, length); \
		if (status != LINE_OK) \
			return status; \
		begin(lr); \
		memset(ret, 0, sizeof(*ret)); \
		return name##_read_any(lr, lr->canonical, \
				       lr->canonical + strlen(lr->canonical), ret) \
			? LINE_OK : LINE_WRONG_TYPE; \
	}
#include "common/events.def"
