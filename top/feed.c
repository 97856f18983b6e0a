/* SPDX-License-Identifier: MIT */
/* Lines from a descriptor: the newest snapshot among them. */
#include "top/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "top/text.h"

#define READ_BYTES (1u << 18)
#define NOTE_MAX 8192		/* lines of other types that are looked into */
#define PIPE_BYTES (1 << 20)	/* what everyone is allowed (pipe(7)) */

void feed_init(struct feed *feed, int fd)
{
	memset(feed, 0, sizeof(*feed));
	feed->fd = fd;
	fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);	/* fails on anything but a pipe: no matter */
}

void feed_free(struct feed *feed)
{
	free(feed->buffer);
	memset(feed, 0, sizeof(*feed));
}

static int make_room(struct feed *feed)
{
	size_t size = feed->size ? feed->size : READ_BYTES;
	char *buffer;

	if (feed->begin) {
		memmove(feed->buffer, feed->buffer + feed->begin, feed->end - feed->begin);
		feed->end -= feed->begin;
		feed->scanned -= feed->begin;
		feed->begin = 0;
	}
	if (feed->end > FEED_LINE_MAX) {
		feed->unread += !feed->skipping;
		feed->skipping = true;
		feed->end = feed->scanned = 0;
	}
	while (size - feed->end < READ_BYTES)
		size *= 2;
	if (size == feed->size)
		return 0;
	buffer = realloc(feed->buffer, size);
	if (!buffer)
		return -ENOMEM;
	feed->buffer = buffer;
	feed->size = size;
	return 0;
}

int feed_fill(struct feed *feed)
{
	int err = make_room(feed);
	ssize_t got;

	if (err)
		return err;
	got = read(feed->fd, feed->buffer + feed->end, READ_BYTES);
	if (got < 0)
		return -errno;
	feed->ended = got == 0;
	feed->end += (size_t)got;
	return 0;
}

static bool begins(const char *line, size_t length, const char *with)
{
	size_t n = strlen(with);

	return length >= n && !memcmp(line, with, n);
}

/* What a stage on the way complains of, in `why`; null: no longer. */
static void heed(char trouble[FEED_TROUBLE], const char *who, const char *line, size_t length)
{
	json_t *note = json_loadb(line, length, 0, NULL), *why = json_object_get(note, "why");
	size_t n;

	if (note)
		trouble[0] = '\0';
	if (json_is_string(why)) {
		n = (size_t)snprintf(trouble, FEED_TROUBLE, "%s: ", who);
		text_clean(json_string_value(why), json_string_length(why), trouble + n, FEED_TROUBLE - n);
	}
	json_decref(note);
}

/* True if a line is a snapshot, or, written by others, may be one. */
static bool look(struct feed *feed, const char *line, size_t length)
{
	if (begins(line, length, "{\"type\":\"snapshot\""))
		return true;
	if (begins(line, length, "{\"type\":\"recorder\"") && length < NOTE_MAX)
		heed(feed->recorder, "recorder", line, length);
	else if (begins(line, length, "{\"type\":\"connect\"") && length < NOTE_MAX)
		heed(feed->connect, "connect", line, length);
	else if (begins(line, length, "{\"type\":\"status\",\"stale\":true"))
		snprintf(feed->connect, FEED_TROUBLE, "connect: the server gets no snapshots");
	return !begins(line, length, "{\"type\":\"") && memmem(line, length, "\"snapshot\"", 10);
}

static char *find_end(struct feed *feed)
{
	char *end = NULL;

	if (feed->scanned < feed->end)
		end = memchr(feed->buffer + feed->scanned, '\n', feed->end - feed->scanned);
	feed->scanned = end ? (size_t)(end - feed->buffer) + 1 : feed->end;
	/* What has no newline at the end of input is a line too. */
	if (!end && feed->ended && feed->end > feed->begin)
		end = feed->buffer + feed->end;
	return end;
}

const char *feed_next(struct feed *feed, size_t *ret_length)
{
	char *end;

	while ((end = find_end(feed))) {
		const char *line = feed->buffer + feed->begin;
		size_t length = (size_t)(end - line);
		bool skipped = feed->skipping;

		feed->begin = feed->scanned;
		feed->skipping = false;
		if (skipped || !look(feed, line, length))
			continue;
		feed->connect[0] = '\0';
		*ret_length = length;
		return line;
	}
	return NULL;
}

json_t *feed_parse(struct feed *feed, const char *line, size_t length)
{
	/* A name may hold a NUL; a number beyond all that fits a double is a broken line. */
	json_t *value = json_loadb(line, length, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_string_value(json_object_get(value, "type"));

	if (type && !strcmp(type, "snapshot"))
		return value;
	json_decref(value);
	feed->unread++;
	return NULL;
}
