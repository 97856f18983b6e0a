// SPDX-License-Identifier: MIT
/*
 * Any bytes in the kernel's ring and maps: each record becomes one line, or none; whatever it says, and whatever names
 * it leads to, the line fits, is one, and is JSON of its type. And each record is given back, once its line is written.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/line_read.c"
#include "common/line_write.c"
#include "common/names.c"
#include "common/protocol.c"
#include "common/utf8.c"
#include "reader/ring.c"

/* Names that several of the files have for themselves. */
#undef KIND
#define write_drop write_drop_event
#include "reader/record_kind.c"
#undef write_drop
#undef KIND
#define put_bytes put_folded_bytes
#include "reader/folded.c"

#define RING_BYTES 16384u
#define CPUS 2
#define CHECK(condition) do { if (!(condition)) __builtin_trap(); } while (0)

/* What is left of the input. */
static const uint8_t *input;
static size_t left;

static struct sink sink;
static struct line_writer writer;
static struct line_reader line_reader;
static unsigned int lines;

/* Zeroes where it has ended. */
static void take(void *to, size_t n)
{
	size_t there = n < left ? n : left;

	memset(to, 0, n);
	memcpy(to, input, there);
	input += there;
	left -= there;
}

static uint8_t take_byte(void)
{
	uint8_t byte;

	take(&byte, 1);
	return byte;
}

/* ---- names: any bytes, of any length, or none ----------------------------------------- */

static const char *any_name(void)
{
	static char text[1024];
	size_t length = take_byte() * 4u;

	if (length % 8)
		return NULL;
	take(text, length);
	text[length] = '\0';
	return text;
}

const char *names_service(struct names *names, u16 protocol, u16 port_be)
{
	(void)names, (void)protocol, (void)port_be;
	return any_name();
}

const char *names_cgroup(struct names *names, u64 id)
{
	(void)names, (void)id;
	return NULL;
}

const char *names_reason(struct names *names, u32 code)
{
	(void)names, (void)code;
	return any_name();
}

const char *names_location(struct names *names, u16 location)
{
	(void)names, (void)location;
	return NULL;
}

static void learn(struct drain *drain, u8 iface)
{
	char name[LINE_IFNAME_BYTES];

	take(name, sizeof(name));
	name[sizeof(name) - 1] = '\0';
	line_writer_name(drain->writer, iface, name);
	drain->knows[iface] = true;
}

/* ---- lines ------------------------------------------------------------------------------ */

/* One of ours is read as its type, or (a number that lines do not have) as a wrong one. */
static void check_line(const char *line, size_t length)
{
	json_t *root = json_loadb(line, length, JSON_DECODE_INT_AS_REAL, NULL);
	const char *type = json_string_value(json_object_get(root, "type"));
	struct line_text text;

	CHECK(length < LINE_MAX_BYTES && !memchr(line, '\0', length));
	CHECK(type && line_type(line, length, &text) == LINE_OK);
	CHECK(strlen(type) == text.length && !memcmp(type, text.text, text.length));
#define LINE(name, record, producer, what) \
	if (!strcmp(type, #name)) { \
		struct record r; \
		enum line_status status = name##_line_read(&line_reader, line, length, &r); \
		CHECK(status == LINE_OK || status == LINE_WRONG_TYPE); \
	}
#include "common/events.def"
	json_decref(root);
}

static unsigned int check_lines(const char *p, const char *end)
{
	unsigned int n = 0;

	for (; p < end; n++) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));

		CHECK(newline);
		check_line(p, (size_t)(newline - p));
		p = newline + 1;
	}
	return n;
}

/* In place of the sink: lines are written one by one. */
int sink_add(struct sink *s, const char *end, unsigned int n, struct line_source *source)
{
	CHECK(check_lines(s->buffer, end) == n);
	lines += n;
	for (; n; n--)
		source->written(source, 1);
	return 0;
}

/* ---- the ring ------------------------------------------------------------------------------ */

/* What the kernel cannot write into a record is no version of IP. */
static u8 version_of(u8 byte)
{
	static const u8 versions[] = { 4, 6, 0, 4 };

	return versions[byte % 4];
}

/* A record of a kind that there is, or of none; its bytes are any. */
static u64 put_record(u8 *at, u64 room)
{
	static const struct { u32 bytes, version_at; } shapes[] = {
		{ sizeof(struct packet_record), offsetof(struct packet_record, key.ip_version) },
		{ sizeof(struct connection_record), offsetof(struct connection_record, key.ip_version) },
		{ sizeof(struct drop_record), offsetof(struct drop_record, key.flow.ip_version) },
		{ 8, 0 }, { 80, 0 },
	};
	u8 what = take_byte();
	const u32 kind = what % 5, bytes = shapes[kind].bytes;
	u32 header = bytes | (what & 0x80 ? BPF_RINGBUF_DISCARD_BIT : what & 0x40 ? BPF_RINGBUF_BUSY_BIT : 0);

	if (stride(bytes) > room)
		return 0;
	memcpy(at, &header, sizeof(header));
	take(at + HEADER_BYTES, bytes);
	if (kind < RECORD_KINDS) {
		u8 *version = at + HEADER_BYTES + shapes[kind].version_at;

		*version = version_of(*version);
		if (!(what & 0x20))
			at[HEADER_BYTES + record_kinds[kind].type_at] = record_kinds[kind].type;
	}
	return stride(bytes);
}

static void try_ring(struct drain *drain)
{
	static u64 data[RING_BYTES / sizeof(u64)];
	u8 *bytes = (u8 *)data;
	u64 consumer = 0, producer = 0, busy = UINT64_MAX, records = 0;
	struct ring ring;

	for (u64 n = 1; left && n; producer += n) {
		n = put_record(bytes + producer, RING_BYTES - producer);
		if (n && busy == UINT64_MAX && *(u32 *)(void *)(bytes + producer) & BPF_RINGBUF_BUSY_BIT)
			busy = producer;
		records += n != 0;
	}
	ring_init(&ring, &consumer, &producer, bytes, RING_BYTES);
	lines = 0;
	CHECK(!ring_drain(&ring, drain));
	CHECK(consumer == (busy < producer ? busy : producer) && !ring.pending);
	CHECK(lines <= records && drain->records <= records);
}

/* ---- the maps ------------------------------------------------------------------------------- */

static void try_row(struct drain *drain, u8 what)
{
	const struct folded_kind *kind = &folded_kinds[what % FOLDED_KINDS];
	static u64 key[16], values[CPUS * sizeof(struct latency_value) / sizeof(u64)];
	struct folded_row row = { key, values, kind->is_per_cpu ? CPUS : 1, 1763704001000000000ull };
	static const u32 version_at[] = {
		[FOLD_PROCESS] = offsetof(struct process_key, ip_version),
		[FOLD_DROP] = offsetof(struct drop_key, flow.ip_version),
		[FOLD_LATENCY] = offsetof(struct latency_key, ip_version),
		[FOLDED_FLOW] = offsetof(struct flow_key, ip_version),
	};
	u8 *version = (u8 *)key + version_at[what % FOLDED_KINDS];
	unsigned int n = 0;
	u32 cursor = 0;

	take(key, kind->key_bytes);
	*version = version_of(*version);
	take(values, row.n_values * kind->value_bytes);
	do {
		char *end = kind->write(sink.buffer, drain, &row, &cursor);

		CHECK(check_lines(sink.buffer, end) == 1 && ++n <= LATENCY_BUCKETS);
	} while (cursor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct drain drain = { .sink = &sink, .writer = &writer, .types = PRINT_ALL, .learn = learn };
	u8 what;

	if (!writer.ifnames[0].length) {
		line_write_init();
		line_writer_init(&writer);
		line_reader_init(&line_reader);
	}
	input = data;
	left = size;
	sink.limit = SINK_BYTES;
	sink.data_left = UINT64_MAX;
	what = take_byte();
	if (what & 0x80)
		drain.types = what;
	take(&drain.walltime, what & 0x40 ? sizeof(drain.walltime) : 0);
	if (what % 8 < FOLDED_KINDS)
		try_row(&drain, what % 8);
	else
		try_ring(&drain);
	return 0;
}
