// SPDX-License-Identifier: MIT
/*
 * What comes into top, as lines or as server-sent events: the snapshots that come out, and what is counted and said, must
 * not depend on how the bytes are cut into reads. The first byte says which of both, and how many bytes a read has.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/utf8.c"
#include "top/feed.c"
#include "top/sse.c"
#include "top/text.c"

#define BYTES_MAX 32768	/* fits a pipe */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came out. */
struct trace {
	size_t lines, bytes;
	uint64_t hash;
	unsigned long long unread;
	char recorder[FEED_TROUBLE], connect[FEED_TROUBLE];
};

static void note(struct trace *trace, struct feed *feed)
{
	const char *line;
	size_t length;

	while ((line = feed_next(feed, &length))) {
		if (memchr(line, '\n', length))
			abort();
		trace->lines++;
		trace->bytes += length;
		for (size_t i = 0; i < length; i++)
			trace->hash = trace->hash * 1099511628211u + (unsigned char)line[i];
		json_decref(feed_parse(feed, line, length));
	}
}

static void check_clean(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			abort();
}

static void put(int fd, const char *bytes, size_t length)
{
	if (write(fd, bytes, length) != (ssize_t)length)
		abort();
}

static void run(const char *bytes, size_t length, size_t step, bool events, struct trace *trace)
{
	static char lines[BYTES_MAX];
	struct sse sse = { 0 };
	struct feed feed;
	int fds[2];

	memset(trace, 0, sizeof(*trace));
	if (pipe(fds))
		abort();
	feed_init(&feed, fds[0]);
	for (size_t at = 0, n; at < length; at += n) {
		size_t out;

		n = length - at < step ? length - at : step;
		memcpy(lines, bytes + at, n);
		out = events ? sse_lines(&sse, bytes + at, n, lines) : n;
		if (out > n)
			abort();
		if (!out)
			continue;
		put(fds[1], lines, out);
		if (feed_fill(&feed))
			abort();
		note(trace, &feed);
	}
	close(fds[1]);
	if (feed_fill(&feed) || !feed.ended)
		abort();
	note(trace, &feed);
	trace->unread = feed.unread;
	strcpy(trace->recorder, feed.recorder);
	strcpy(trace->connect, feed.connect);
	check_clean(trace->recorder);
	check_clean(trace->connect);
	feed_free(&feed);
	close(fds[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct trace whole, cut;
	bool events;

	if (!size || size > BYTES_MAX)
		return 0;
	events = *data & 1;
	run((const char *)data + 1, size - 1, size, events, &whole);
	run((const char *)data + 1, size - 1, (size_t)(*data >> 1) + 1, events, &cut);
	if (memcmp(&whole, &cut, sizeof(whole)))
		abort();
	return 0;
}
