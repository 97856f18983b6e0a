// SPDX-License-Identifier: MIT
/*
 * Any bytes as a capture file, by libpcap, parser and accounting as `reader --pcap` has them: it ends, each line is JSON,
 * and lines, flows and what is not attributed are the packets of the totals, whatever the file says. The last byte says
 * how many packets a second become lines.
 */
#include <jansson.h>
#include <stdarg.h>
#include <sys/mman.h>

#include "common/line_write.c"
#include "common/names.c"
#include "common/protocol.c"
#include "common/utf8.c"
#include "reader/account.c"
#include "reader/fold.c"
#include "reader/link.c"
#include "reader/pcapng.c"

/* Names that several of the files have for themselves. */
#undef NS_PER_S
#define put_bytes put_tally_bytes
#include "reader/tally.c"
#undef put_bytes
#define parse parse_frame
#define write_flow write_folded
#include "reader/capture.c"

#define CHECK(condition) do { if (!(condition)) __builtin_trap(); } while (0)

static struct sink sink;
static unsigned int complaints;

/* By the lines, and by the totals behind them; those are told anew each time. */
static json_int_t packets, total;
static bool has_totals;

/* ---- what the file's lines come to ------------------------------------------------------- */

static json_int_t number(json_t *line, const char *key)
{
	json_t *value = json_object_get(line, key);

	CHECK(json_is_integer(value) && json_integer_value(value) >= 0);
	return json_integer_value(value);
}

/* What a line's rows come to; the sums beside them are in each line of the interface. */
static json_int_t rows_of(json_t *line)
{
	json_int_t sum = 0;
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(line, "protocols"), i, row)
		sum += number(row, "packets") - number(row, "unattributed");
	return sum;
}

static void check_line(const char *text, size_t length)
{
	json_t *line = json_loadb(text, length, 0, NULL);
	const char *type = json_string_value(json_object_get(line, "type"));

	CHECK(type && length < LINE_MAX_BYTES);
	if (!strcmp(type, "counters")) {
		total = (has_totals ? total : 0) + rows_of(line);
		has_totals = true;
	} else {
		packets += strcmp(type, "packet") ? number(line, "packets") : 1;
		has_totals = false;
	}
	json_decref(line);
}

int sink_add(struct sink *s, const char *end, unsigned int lines, struct line_source *source)
{
	(void)source;
	CHECK(lines == 1 && end[-1] == '\n' && !memchr(s->buffer, '\n', (size_t)(end - s->buffer) - 1));
	check_line(s->buffer, (size_t)(end - s->buffer) - 1);
	return 0;
}

int sink_flush(struct sink *s)
{
	return s->error;
}

/* ---- what else there is of a reader ------------------------------------------------------- */

int begin_hello(struct sink *s)
{
	return s->error;
}

int begin_ready(const struct request *request, struct sink *s)
{
	(void)request;
	return s->error;
}

int confine_capture(bool verbose)
{
	(void)verbose;
	return 0;
}

bool halt_is_wanted(void)
{
	return false;
}

u64 walltime_monotonic_ns(void)
{
	return 0;
}

void log_error(const char *format, ...)
{
	char text[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	complaints++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request request = { .interval_ns = 1000000000, .types = PRINT_ALL };
	static char path[32];
	static int file = -1;
	enum status status;

	if (!size)
		return 0;
	if (file < 0) {
		line_write_init();
		file = memfd_create("capture", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
		request.pcap = path;
	}
	CHECK(!ftruncate(file, 0) && pwrite(file, data, size - 1, 0) == (ssize_t)size - 1);
	request.packet_lines = data[size - 1] % 8 == 7 ? PACKET_LINES_ALL : data[size - 1] % 8;
	sink = (struct sink){ .data_left = UINT64_MAX };
	complaints = 0;
	packets = total = 0;
	has_totals = false;
	status = capture_run(&request, &sink);
	CHECK(packets == total);
	CHECK(status == STATUS_DONE ? !complaints : status == STATUS_FAILED && complaints == 1);
	return 0;
}
