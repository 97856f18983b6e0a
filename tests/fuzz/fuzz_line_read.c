// SPDX-License-Identifier: MIT
/*
 * Any bytes as a line: no read strays, each of the three ways says what jansson says, and
 * what was read and written again reads the same.
 */
#include <stdbool.h>

#include "common/line_read.c"
#include "common/line_write.c"
#include "common/names.c"
#include "common/protocol.c"
#include "common/utf8.c"

static struct line_reader reader;
static struct line_writer writer;

/* One for each LINE: what was read and written is read and written again. */
#define LINE(name, record, producer, what) \
	static void name##_same_again(const struct record *r) \
	{ \
		char line[LINE_MAX_BYTES + LINE_READ_PADDING], second[LINE_MAX_BYTES]; \
		size_t length = (size_t)(name##_line_write(line, &writer, r) - line); \
		struct record again; \
		if (name##_line_read(&reader, line, length - 1, &again) != LINE_OK) \
			__builtin_trap(); \
		if (length != (size_t)(name##_line_write(second, &writer, &again) - second) || \
		    memcmp(line, second, length)) \
			__builtin_trap(); \
	} \
	static void name##_try(const char *line, size_t size) \
	{ \
		struct record r; \
		if (name##_line_read(&reader, line, size, &r) == LINE_OK) \
			name##_same_again(&r); \
	}
#include "common/events.def"

/* Times of more than 15 digits are not the same as a double. */
static bool same_time(u64 one, u64 other)
{
	u64 apart = one > other ? one - other : other - one;

	return apart <= 1 + one / 1000000000000000ull;
}

/* What jansson makes of the line is what was read, whichever way that was. */
static void check(enum line_status status, const char *line, size_t size, struct packet_record r)
{
	static struct line_reader other;
	struct packet_record want = { 0 };
	json_error_t error;
	json_t *root = json_loadb(line, size, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
	enum line_status read;

	json_decref(root);
	if (!root && json_error_code(&error) == json_error_numeric_overflow)
		return;	/* 1e999 is JSON, but not for jansson */
	if (status == LINE_OTHER_TYPE)
		return;	/* said before all is read */
	if ((status == LINE_NOT_JSON) != !root)
		__builtin_trap();
	key_table_ready(&packet_keys);
	read = respell(&other, &packet_keys, line, size);
	begin(&other);
	if (read == LINE_OK && !packet_read_any(&other, other.canonical,
						other.canonical + strlen(other.canonical), &want))
		read = other.is_other ? LINE_OTHER_TYPE : LINE_WRONG_TYPE;
	if (read != status)
		__builtin_trap();
	if (status != LINE_OK)
		return;
	if (!same_time(r.time_ns, want.time_ns))
		__builtin_trap();
	r.time_ns = want.time_ns;
	if (memcmp(&r, &want, sizeof(r)) || other.ifname.length != reader.ifname.length ||
	    memcmp(other.ifname.text, reader.ifname.text, reader.ifname.length) ||
	    !other.host.text != !reader.host.text || (reader.host.text &&
	    (other.host.length != reader.host.length ||
	     memcmp(other.host.text, reader.host.text, reader.host.length))))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet_record packet;
	struct line_text type;
	enum line_status status;
	char *line;

	if (!writer.ifnames[0].length) {
		line_write_init();
		line_writer_init(&writer);
	}
	/* The caller cuts lines at newlines. */
	if (memchr(data, '\n', size))
		return 0;
	line = malloc(size + LINE_READ_PADDING);
	memcpy(line, data, size);
	memset(line + size, '"', LINE_READ_PADDING);
	line[size] = '\n';
	line_type(line, size, &type);
	status = packet_line_read(&reader, line, size, &packet);
	check(status, line, size, packet);
#define LINE(name, record, producer, what) name##_try(line, size);
#include "common/events.def"
	free(line);
	return 0;
}
