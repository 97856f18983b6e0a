/* SPDX-License-Identifier: MIT */
/* The messages for all stream clients: framed once, remembered briefly, shared. */
#include "httpd/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS 3

static const char status_text[] = "{\"type\":\"status\",\"stale\":true}";

static struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static void frame_sse(struct frame *frame, int64_t id)
{
	struct slice *part = frame->sse.part;

	switch (frame->kind) {
	case FRAME_SNAPSHOT:
		snprintf(frame->sse_head, sizeof(frame->sse_head),
			 "id: %" PRId64 "\nevent: snapshot\ndata: ", id);
		part[0] = slice_of(frame->sse_head);
		part[1] = (struct slice){ frame->text->data, frame->text->length };
		break;
	case FRAME_STATUS:
		part[0] = slice_of("event: status\ndata: {\"stale\":true}");
		break;
	case FRAME_TICK:
		part[0] = slice_of(": still here");
		break;
	}
	part[2] = slice_of("\n\n");
}

static void frame_websocket(struct frame *frame)
{
	struct slice *part = frame->websocket.part;
	int opcode = frame->kind == FRAME_TICK ? WEBSOCKET_PING : WEBSOCKET_TEXT;

	if (frame->kind == FRAME_SNAPSHOT)
		part[1] = (struct slice){ frame->text->data, frame->text->length };
	else if (frame->kind == FRAME_STATUS)
		part[1] = slice_of(status_text);
	part[0].data = (const char *)frame->websocket_head;
	part[0].length = websocket_head(opcode, part[1].length, frame->websocket_head);
}

static void add_up(struct framing *framing)
{
	for (size_t i = 0; i < PARTS; i++)
		framing->length += framing->part[i].length;
}

struct frame *frame_new(enum frame_kind kind, struct blob *text, int64_t id)
{
	struct frame *frame = calloc(1, sizeof(*frame));

	if (!frame)
		return NULL;
	frame->refs = 1;
	frame->kind = kind;
	frame->text = text ? blob_ref(text) : NULL;
	frame_sse(frame, id);
	frame_websocket(frame);
	add_up(&frame->sse);
	add_up(&frame->websocket);
	return frame;
}

struct frame *frame_ref(struct frame *frame)
{
	frame->refs++;
	return frame;
}

void frame_unref(struct frame *frame)
{
	if (!frame || --frame->refs)
		return;
	blob_unref(frame->text);
	free(frame);
}

size_t framing_rest(const struct framing *framing, size_t offset, struct iovec parts[PARTS])
{
	size_t used = 0;

	for (size_t i = 0; i < PARTS; i++) {
		const struct slice *part = &framing->part[i];

		if (offset >= part->length) {
			offset -= part->length;
			continue;
		}
		parts[used].iov_base = (char *)part->data + offset;
		parts[used++].iov_len = part->length - offset;
		offset = 0;
	}
	return used;
}

size_t framing_copy(const struct framing *framing, size_t offset, char *data, size_t size)
{
	struct iovec parts[PARTS];
	size_t used = framing_rest(framing, offset, parts), copied = 0;

	for (size_t i = 0; i < used && copied < size; i++) {
		size_t length = parts[i].iov_len;

		if (length > size - copied)
			length = size - copied;
		memcpy(data + copied, parts[i].iov_base, length);
		copied += length;
	}
	return copied;
}

int feed_init(struct feed *feed, struct bounds *bounds)
{
	*feed = (struct feed){ .bounds = bounds, .tick = frame_new(FRAME_TICK, NULL, 0) };
	return feed->tick ? 0 : -ENOMEM;
}

static struct frame **place(struct feed *feed, uint64_t number)
{
	return &feed->ring[number % LIMIT_FEED_FRAMES];
}

static size_t frame_bytes(const struct frame *frame)
{
	return frame->text ? frame->text->length : 0;
}

static void forget_first(struct feed *feed)
{
	struct frame **frame = place(feed, feed->first++);

	feed->bytes -= frame_bytes(*frame);
	frame_unref(*frame);
	*frame = NULL;
}

void feed_free(struct feed *feed)
{
	while (feed->first < feed->next)
		forget_first(feed);
	frame_unref(feed->tick);
	feed->tick = NULL;
}

static void forget_to_fit(struct feed *feed, size_t bytes)
{
	while (feed->first < feed->next &&
	       feed->bytes + bytes > bounds_limit(feed->bounds, BOUND_FEED_BYTES)) {
		bounds_hit(feed->bounds, BOUND_FEED_BYTES);
		forget_first(feed);
	}
}

void feed_publish(struct feed *feed, struct frame *frame)
{
	size_t bytes = frame_bytes(frame);

	if (feed->next - feed->first == LIMIT_FEED_FRAMES)
		forget_first(feed);
	if (frame->kind == FRAME_SNAPSHOT) {
		forget_to_fit(feed, bytes);
		feed->snapshot = feed->next;
		feed->has_snapshot = true;
	}
	*place(feed, feed->next++) = frame_ref(frame);
	feed->bytes += bytes;
}

void feed_tick(struct feed *feed)
{
	feed->ticks++;
}

/* Where the freshest state begins: the last snapshot, and the status after it. */
static uint64_t freshest(const struct feed *feed)
{
	if (feed->has_snapshot && feed->snapshot >= feed->first)
		return feed->snapshot;
	return feed->first;
}

void feed_join(const struct feed *feed, struct feed_cursor *cursor)
{
	*cursor = (struct feed_cursor){ .next = freshest(feed), .ticks = feed->ticks };
}

void feed_leave(struct feed_cursor *cursor)
{
	frame_unref(cursor->frame);
	cursor->frame = NULL;
}

uint64_t feed_miss(struct feed *feed, struct feed_cursor *cursor)
{
	uint64_t lost;

	if (cursor->next >= feed->first)
		return 0;
	lost = feed->first - cursor->next;
	cursor->next = feed->first;
	if (!cursor->behind)
		bounds_hit(feed->bounds, BOUND_FEED_FRAMES);
	cursor->behind = true;
	return lost;
}

bool feed_take(struct feed *feed, struct feed_cursor *cursor, uint64_t *ret_lost)
{
	*ret_lost = 0;
	if (cursor->frame)
		return true;
	*ret_lost = feed_miss(feed, cursor);
	if (cursor->behind) {
		*ret_lost += freshest(feed) - cursor->next;
		cursor->next = freshest(feed);
		cursor->behind = false;
	}
	if (cursor->next < feed->next)
		cursor->frame = frame_ref(*place(feed, cursor->next++));
	else if (cursor->ticks < feed->ticks)
		cursor->frame = frame_ref(feed->tick);
	cursor->ticks = feed->ticks;
	cursor->sent = 0;
	return cursor->frame;
}

void feed_done(struct feed_cursor *cursor)
{
	frame_unref(cursor->frame);
	cursor->frame = NULL;
}
