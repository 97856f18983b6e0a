/* SPDX-License-Identifier: MIT */
/* The messages for all stream clients: framed once, remembered briefly, shared. */
#ifndef JOPIL_HTTPD_FEED_H
#define JOPIL_HTTPD_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "httpd/body.h"
#include "httpd/bounds.h"
#include "httpd/websocket.h"

enum frame_kind {
	FRAME_SNAPSHOT,
	FRAME_STATUS,
	FRAME_TICK,	/* nothing to say: an SSE comment, a WebSocket ping */
};

/* How a message looks on the wire of one protocol. */
struct framing {
	struct slice part[3];
	size_t length;	/* of all parts */
};

/* One message, in both protocols. Its text exists once, whatever the number of clients. */
struct frame {
	unsigned int refs;
	enum frame_kind kind;
	struct blob *text;
	struct framing sse;
	struct framing websocket;
	char sse_head[80];
	uint8_t websocket_head[WEBSOCKET_HEAD_MAX];
};

/*
 * A frame with one owner, or NULL without memory. For FRAME_SNAPSHOT, text is
 * the snapshot without a line break (the frame takes an own reference) and id its
 * SSE id; the others know what they say: FRAME_STATUS, that data are stale.
 */
struct frame *frame_new(enum frame_kind kind, struct blob *text, int64_t id);
struct frame *frame_ref(struct frame *frame);
void frame_unref(struct frame *frame);

/* Copies from offset of the framing to data, at most size bytes; how many. */
size_t framing_copy(const struct framing *framing, size_t offset, char *data, size_t size);

/* What is left of the framing from offset on, for sendmsg(); how many of parts are used. */
size_t framing_rest(const struct framing *framing, size_t offset, struct iovec parts[3]);

/*
 * The last frames. They are numbered; a client that wants one which is
 * forgotten already has lost it.
 */
struct feed {
	struct frame *ring[LIMIT_FEED_FRAMES];
	uint64_t first;		/* number of the oldest one remembered */
	uint64_t next;		/* number of the one that comes next */
	uint64_t snapshot;	/* number of the last snapshot */
	bool has_snapshot;
	size_t bytes;		/* of the texts remembered */
	struct frame *tick;	/* shared by everybody, remembered by nobody */
	uint64_t ticks;
	struct bounds *bounds;
};

/* 0 or -ENOMEM. */
int feed_init(struct feed *feed, struct bounds *bounds);
void feed_free(struct feed *feed);

/* Remembers frame (with an own reference), and forgets what is too old. */
void feed_publish(struct feed *feed, struct frame *frame);

/* A sign of life for every client that has nothing else to get. */
void feed_tick(struct feed *feed);

/*
 * Where a client is: the frame it is being sent (an own reference) and how
 * much of it went out. A client holds at most this one frame; a frame is sent to
 * its end or not at all.
 */
struct feed_cursor {
	uint64_t next;
	uint64_t ticks;
	bool behind;	/* has lost some: goes on with the last snapshot */
	struct frame *frame;
	size_t sent;
};

/* A new client begins with the last snapshot and what came after it. */
void feed_join(const struct feed *feed, struct feed_cursor *cursor);
void feed_leave(struct feed_cursor *cursor);

/*
 * To be called for each client after feed_publish(): how many frames it has
 * lost by it. Counted as it happens, for a client that stalls may never come back.
 */
uint64_t feed_miss(struct feed *feed, struct feed_cursor *cursor);

/*
 * With no frame under way, takes the next one: true if there is one. A client
 * that fell behind what is remembered goes on with the last snapshot, and
 * *ret_lost is the number of frames that it passes over by that.
 */
bool feed_take(struct feed *feed, struct feed_cursor *cursor, uint64_t *ret_lost);

/* The frame under way has been sent. */
void feed_done(struct feed_cursor *cursor);

#endif
