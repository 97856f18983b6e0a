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

/* Times of more than 15 digits are not the same as a double. */
static bool same_time(u64 one, u64 other)
{
	u64 apart = one > other ? one - other : other - one;

	return apart <= 1 + one / 1000000000000000ull;
}

/* Times that are nearly the same are made the same: they are judged here, the rest byte by byte. */
static void judge_time(const char *kind, const void *field, const void *record, void *want)
{
	u64 one, *other = (u64 *)(void *)((char *)want + ((const char *)field - (const char *)record));

	if (strcmp(kind, "unix_ms") && strcmp(kind, "duration_ms"))
		return;
	memcpy(&one, field, sizeof(one));
	if (!same_time(one, *other))
		__builtin_trap();
	*other = one;
}

static bool same_text(struct line_text a, struct line_text b)
{
	return !a.text == !b.text && (!a.text || (a.length == b.length && !memcmp(a.text, b.text, a.length)));
}

/* They are only valid of lines that have them. */
static void forget_texts(struct line_reader *lr)
{
	lr->ifname = lr->host = lr->cgroup = lr->service = lr->reason = lr->location = (struct line_text){ 0 };
}

static bool same_texts(const struct line_reader *a, const struct line_reader *b)
{
	return same_text(a->ifname, b->ifname) && same_text(a->host, b->host) && same_text(a->cgroup, b->cgroup) &&
	       same_text(a->service, b->service) && same_text(a->reason, b->reason) &&
	       same_text(a->location, b->location);
}

/*
 * What jansson makes of a line: all else is compared with it. IS_DOUBTFUL: JSON with a key that comes twice, somewhere. If
 * it is one that is asked for, nobody takes the line; others, our own way passes over.
 */
enum oracle { IS_JSON, IS_DOUBTFUL, IS_NOT_JSON, IS_NEITHER };

static enum oracle ask_jansson(const char *line, size_t size)
{
	json_error_t error;
	json_t *root = json_loadb(line, size, LOAD_FLAGS, &error);

	json_decref(root);
	/* 1e999 is JSON, but not for jansson */
	if (!root && json_error_code(&error) == json_error_numeric_overflow)
		return IS_NEITHER;
	if (!root)
		return IS_NOT_JSON;
	root = json_loadb(line, size, LOAD_FLAGS | JSON_REJECT_DUPLICATES, &error);
	json_decref(root);
	return root ? IS_JSON : IS_DOUBTFUL;
}

#define FIRST(first, ...) first

/*
 * Three for each LINE: what was read is what jansson's spelling of the line reads as, whichever way it was; what was
 * read and written is read and written again; and both of a line.
 */
#define LINE(name, record, producer, what) \
	static void name##_judge_times(const struct record *r, struct record *want) \
	{
#define FIELD(key, kind, what, ...) \
		judge_time(#kind, FIRST(__VA_ARGS__, 0), r, want);
#define LINE_END(name) \
	}
#include "common/events.def"

#define LINE(name, record, producer, what) \
	static void name##_check(enum line_status status, const char *line, size_t size, const struct record *r) \
	{ \
		static struct line_reader other; \
		struct record want = { 0 }; \
		enum line_status read; \
		key_table_ready(&name##_keys); \
		read = respell(&other, &name##_keys, line, size); \
		begin(&other); \
		forget_texts(&other); \
		if (read == LINE_OK && !name##_read_any(&other, other.canonical, \
							other.canonical + strlen(other.canonical), &want)) \
			read = other.is_other ? LINE_OTHER_TYPE : LINE_WRONG_TYPE; \
		if (read != status) \
			__builtin_trap(); \
		if (status != LINE_OK) \
			return; \
		name##_judge_times(r, &want); \
		if (memcmp(r, &want, sizeof(want)) || !same_texts(&reader, &other)) \
			__builtin_trap(); \
	} \
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
	static void name##_try(const char *line, size_t size, enum oracle oracle) \
	{ \
		struct record r; \
		enum line_status status; \
		forget_texts(&reader); \
		status = name##_line_read(&reader, line, size, &r); \
		/* Another type is said before all is read. */ \
		if (status != LINE_OTHER_TYPE && oracle != IS_NEITHER) { \
			if ((status == LINE_NOT_JSON) != (oracle == IS_NOT_JSON)) \
				__builtin_trap(); \
			if (status != LINE_OK || oracle != IS_DOUBTFUL) \
				name##_check(status, line, size, &r); \
		} \
		if (status == LINE_OK) \
			name##_same_again(&r); \
	}
#define LINE_END(name)
#include "common/events.def"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line_text type;
	enum oracle oracle;
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
	oracle = ask_jansson(line, size);
#define LINE(name, record, producer, what) name##_try(line, size, oracle);
#include "common/events.def"
	free(line);
	return 0;
}
