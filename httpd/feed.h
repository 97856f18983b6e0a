/* SPDX-License-Identifier: MIT */
/* The messages for all stream clients: made once, remembered briefly, shared. */
#ifndef JOPIL_HTTPD_FEED_H
#define JOPIL_HTTPD_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "httpd/body.h"
#include "httpd/bounds.h"
#include "httpd/pace.h"
#include "httpd/shot.h"
#include "httpd/topics.h"
#include "httpd/websocket.h"

#define FRAME_HEAD_MAX 96
#define FRAME_CHUNK_HEAD_MAX 20		/* a length in hexadecimal digits, CR, LF */
#define FRAME_PARTS 5

/* One message, in both protocols. Its text exists once, whatever the number of clients. */
struct frame {
	unsigned int refs;
	bool counts;		/* a message; not a sign of life */
	size_t *held;		/* where it is counted when the feed has forgotten it; else NULL */
	struct blob *text;	/* NULL = nothing to say over WebSocket */
	/* One chunk of an answer (RFC 9112, section 7.1): its head, three parts of text, its end. */
	struct slice sse[FRAME_PARTS];
	size_t sse_length;	/* of the text */
	size_t chunk_length;	/* of all parts */
	char chunk_head[FRAME_CHUNK_HEAD_MAX];
	struct websocket_message websocket;
	char head[FRAME_HEAD_MAX];
};

/*
 * A frame with one owner, or NULL without memory: text is JSON without a line break
 * (the frame takes an own reference), event its SSE name, id its SSE id (NULL = none).
 */
struct frame *frame_new(const char *event, const char *id, struct blob *text);

/* The same of a text that is printed; its SSE id is none. */
struct frame *frame_printf(const char *event, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

struct frame *frame_ref(struct frame *frame);
void frame_unref(struct frame *frame);

/* Copies from offset of the SSE form to data, at most size bytes; how many. */
size_t frame_copy_sse(const struct frame *frame, size_t offset, char *data, size_t size);

/* What is left of its chunk from offset on, for sendmsg(): how many of parts are used. */
size_t frame_chunk_rest(const struct frame *frame, size_t offset, struct iovec parts[FRAME_PARTS]);

/*
 * The last snapshots, and the messages of their topics that somebody wanted. They
 * are numbered from 1; a client that wants one which is forgotten has lost it.
 */
struct feed {
	struct moment {
		struct shot *shot;
		struct frame *frame[TOPIC_COUNT][SHOT_FORMS];	/* NULL until wanted */
		size_t bytes;	/* counted below */
	} ring[LIMIT_FEED_FRAMES];
	uint64_t first;		/* number of the oldest one remembered */
	uint64_t next;		/* number of the one that comes next */
	size_t bytes;		/* of the texts remembered */
	size_t held;		/* of those forgotten that are under way to clients */
	struct pace pace;	/* of the packets shown */
	bool stale;		/* after the last snapshot */
	uint64_t ticks;
	char run[17];		/* of this feed and no other: in the ids of its messages */
	struct frame *status;	/* shared by everybody, as the two below */
	struct frame *tick;	/* an SSE comment */
	struct frame *hello;	/* the beginning of an event stream */
	struct bounds *bounds;
};

/* run tells this feed from any other; 0 or -ENOMEM. */
int feed_init(struct feed *feed, uint64_t run, struct bounds *bounds);
void feed_free(struct feed *feed);

/*
 * Remembers the snapshot (with an own reference), and forgets what is too old. It shows
 * so many packets that those of all snapshots are at most LIMIT_PACKETS a second.
 */
void feed_publish(struct feed *feed, struct shot *shot, uint64_t now_ms);

/* Data are stale, until the next snapshot. */
void feed_tell_stale(struct feed *feed);

/* A sign of life for event streams that have nothing else to get. */
void feed_tick(struct feed *feed);

/*
 * Where a client is, and the frame it is being sent (an own reference). A client
 * holds at most this one frame; a frame is sent to its end or not at all.
 */
struct feed_cursor {
	unsigned int topics;	/* it wants */
	uint64_t number;	/* it has all up to this snapshot */
	unsigned int left;	/* but these topics of it */
	uint64_t lost;		/* messages, not yet told */
	bool lost_unknown;	/* and some of another feed */
	bool behind;		/* has lost some: goes on with the last snapshot */
	bool told_stale;
	uint64_t ticks;
	struct pace pace;	/* of the packets it was shown */
	struct frame *frame;
	size_t sent;
};

/* A new client begins with the last snapshot and what came after it. */
void feed_join(const struct feed *feed, struct feed_cursor *cursor, unsigned int topics);

/*
 * A client that comes back begins after the message with that id; how many messages it
 * has lost. Those of another feed cannot be counted; an id that nobody gave is passed over.
 */
uint64_t feed_resume(struct feed *feed, struct feed_cursor *cursor, unsigned int topics,
		     const char *id);

/* The first frame of an event stream: how long to wait before coming back. */
void feed_greet(const struct feed *feed, struct feed_cursor *cursor);

void feed_leave(struct feed_cursor *cursor);

/* Wants more topics, and gets their last messages; or less. */
void feed_subscribe(const struct feed *feed, struct feed_cursor *cursor, unsigned int topics);
void feed_unsubscribe(struct feed_cursor *cursor, unsigned int topics);

/*
 * To be called for each client after feed_publish(): how many messages it has
 * lost by it. Counted as it happens, for a client that stalls may never come back.
 */
uint64_t feed_miss(struct feed *feed, struct feed_cursor *cursor);

/*
 * With no frame under way, takes the next one: true if there is one. A client
 * that fell behind what is remembered is told how much it has lost, and goes on with
 * the last snapshot; *ret_lost is the number of messages that it passes over by that.
 */
bool feed_take(struct feed *feed, struct feed_cursor *cursor, uint64_t now_ms,
	       uint64_t *ret_lost);

/* The same when feed_take() has nothing: a sign of life, if it is time for one. */
bool feed_take_tick(struct feed *feed, struct feed_cursor *cursor);

/*
 * Whether clients who are late keep too much, and this one is such a client: it is to
 * be closed, and to leave.
 */
bool feed_must_end(const struct feed *feed, const struct feed_cursor *cursor);

/* The frame under way has been sent. */
void feed_done(struct feed_cursor *cursor);

#endif
