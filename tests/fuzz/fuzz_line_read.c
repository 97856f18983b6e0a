// SPDX-License-Identifier: MIT
/*
 * Any bytes as a line: no read strays, what is called not JSON is not JSON for jansson
 * either, and what was read and written again reads the same.
 */
#include <stdbool.h>

#include "common/line_read.c"
#include "common/line_write.c"
#include "common/protocol.c"
#include "common/utf8.c"

static struct line_reader reader;
static struct line_writer writer;

static void same_again(const struct packet_record *r)
{
	char line[LINE_MAX_BYTES + LINE_READ_PADDING], second[LINE_MAX_BYTES];
	size_t length = (size_t)(packet_line_write(line, &writer, r) - line);
	struct packet_record again;

	if (packet_line_read(&reader, line, length - 1, &again) != LINE_OK)
		__builtin_trap();
	if (length != (size_t)(packet_line_write(second, &writer, &again) - second) ||
	    memcmp(line, second, length))
		__builtin_trap();
}

static void check_status(enum line_status status, const char *line, size_t size)
{
	json_t *root = json_loadb(line, size, JSON_ALLOW_NUL, NULL);

	if (status == LINE_OK && !root)
		__builtin_trap();
	if (status == LINE_NOT_JSON && root)
		__builtin_trap();
	json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet_record packet;
	struct flow_record flow;
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
	flow_line_read(&reader, line, size, &flow);
	status = packet_line_read(&reader, line, size, &packet);
	check_status(status, line, size);
	if (status == LINE_OK)
		same_again(&packet);
	free(line);
	return 0;
}
