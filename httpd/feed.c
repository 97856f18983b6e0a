/* SPDX-License-Identifier: MIT */
/* The messages for all stream clients: made once, remembered briefly, shared. */
#include "httpd/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a frame's parts, those that are its text; the others make a chunk of it. */
#define TEXT_FIRST 1
#define TEXT_END 4
#define ID_MAX 64
/* A browser that lost the stream waits so long before it asks again. */
#define RETRY_TEXT "retry: 2000\n\n"

/* ---- frames ---------------------------------------------------------------- */

static struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

/* When its text is there. */
static void make_chunk(struct frame *frame)
{
	for (size_t i = TEXT_FIRST; i < TEXT_END; i++)
		frame->sse_length += frame->sse[i].length;
	snprintf(frame->chunk_head, sizeof(frame->chunk_head), "%zx\r\n", frame->sse_length);
	frame->sse[0] = slice_of(frame->chunk_head);
	frame->sse[FRAME_PARTS - 1] = slice_of("\r\n");
	frame->chunk_length = frame->sse[0].length + frame->sse_length +
			      frame->sse[FRAME_PARTS - 1].length;
}

struct frame *frame_new(const char *event, const char *id, struct blob *text)
{
	struct frame *frame = calloc(1, sizeof(*frame));

	if (!frame)
		return NULL;
	frame->refs = 1;
	frame->counts = true;
	frame->text = blob_ref(text);
	snprintf(frame->head, sizeof(frame->head), "%s%s%sevent: %s\ndata: ", id ? "id: " : "",
		 id ? id : "", id ? "\n" : "", event);
	frame->sse[1] = slice_of(frame->head);
	frame->sse[2] = (struct slice){ text->data, text->length };
	frame->sse[3] = slice_of("\n\n");
	make_chunk(frame);
	websocket_message_init(&frame->websocket, text->data, text->length);
	return frame;
}

/* What only event streams have; the text lives for ever. */
static struct frame *frame_sse_only(const char *text)
{
	struct frame *frame = calloc(1, sizeof(*frame));

	if (!frame)
		return NULL;
	frame->refs = 1;
	frame->sse[1] = slice_of(text);
	make_chunk(frame);
	return frame;
}

struct frame *frame_printf(const char *event, const char *format, ...)
{
	struct frame *frame = NULL;
	struct blob *text;
	char line[256];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= sizeof(line))
		return NULL;
	text = blob_new(line, (size_t)length);
	if (text)
		frame = frame_new(event, NULL, text);
	blob_unref(text);
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
	if (frame->held)
		*frame->held -= frame->text->length;
	blob_unref(frame->text);
	free(frame);
}

size_t frame_copy_sse(const struct frame *frame, size_t offset, char *data, size_t size)
{
	size_t copied = 0;

	for (size_t i = TEXT_FIRST; i < TEXT_END && copied < size; i++) {
		const struct slice *part = &frame->sse[i];
		size_t length;

		if (offset >= part->length) {
			offset -= part->length;
			continue;
		}
		length = part->length - offset;
		if (length > size - copied)
			length = size - copied;
		memcpy(data + copied, part->data + offset, length);
		copied += length;
		offset = 0;
	}
	return copied;
}

size_t frame_chunk_rest(const struct frame *frame, size_t offset, struct iovec parts[FRAME_PARTS])
{
	size_t used = 0;

	for (size_t i = 0; i < FRAME_PARTS; i++) {
		const struct slice *part = &frame->sse[i];
		size_t passed = offset < part->length ? offset : part->length;

		offset -= passed;
		if (passed == part->length)
			continue;
		parts[used].iov_base = (char *)part->data + passed;
		parts[used++].iov_len = part->length - passed;
	}
	return used;
}

/* ---- what is remembered ---------------------------------------------------- */

int feed_init(struct feed *feed, uint64_t run, struct bounds *bounds)
{
	*feed = (struct feed){
		.first = 1,
		.next = 1,
		.bounds = bounds,
		.status = frame_printf("status", "{\"type\":\"status\",\"stale\":true}"),
		.tick = frame_sse_only(": still here\n\n"),
		.hello = frame_sse_only(RETRY_TEXT),
	};
	snprintf(feed->run, sizeof(feed->run), "%" PRIx64, run);
	return feed->status && feed->tick && feed->hello ? 0 : -ENOMEM;
}

static struct moment *moment_of(struct feed *feed, uint64_t number)
{
	return &feed->ring[number % LIMIT_FEED_FRAMES];
}

/* Others ask for messages of the last snapshot, too. */
static void count_bytes(struct feed *feed, struct moment *moment)
{
	feed->bytes += moment->shot->bytes - moment->bytes;
	moment->bytes = moment->shot->bytes;
}

/* The feed's own reference goes; who is being sent the frame keeps it until it is done. */
static void forget_frame(struct feed *feed, struct frame *frame)
{
	if (frame && frame->refs > 1) {
		frame->held = &feed->held;
		feed->held += frame->text->length;
	}
	frame_unref(frame);
}

static void forget_first(struct feed *feed)
{
	struct moment *moment = moment_of(feed, feed->first++);

	feed->bytes -= moment->bytes;
	for (int topic = 0; topic < TOPIC_COUNT; topic++)
		for (int form = 0; form < SHOT_FORMS; form++)
			forget_frame(feed, moment->frame[topic][form]);
	shot_unref(moment->shot);
	*moment = (struct moment){ 0 };
}

void feed_free(struct feed *feed)
{
	while (feed->first < feed->next)
		forget_first(feed);
	frame_unref(feed->status);
	frame_unref(feed->tick);
	frame_unref(feed->hello);
	feed->status = feed->tick = feed->hello = NULL;
}

/* Until there is room for so many bytes more; of what comes from number on, nothing. */
static void forget_to_fit(struct feed *feed, uint64_t number, size_t bytes)
{
	while (feed->first < number &&
	       feed->bytes + bytes > bounds_limit(feed->bounds, BOUND_FEED_BYTES)) {
		bounds_hit(feed->bounds, BOUND_FEED_BYTES);
		forget_first(feed);
	}
}

/* A snapshot has what comes in within its interval, but no more than that of a second. */
static void limit_packets(struct feed *feed, struct shot *shot, uint64_t now_ms)
{
	uint64_t a_second = bounds_limit(feed->bounds, BOUND_PACKETS);
	uint64_t ms = shot->interval_ms < 1000 ? shot->interval_ms : 1000;
	uint64_t most = a_second * ms > PACE_UNIT ? a_second * ms : PACE_UNIT;

	pace_fill(&feed->pace, a_second, most, now_ms);
	shot_limit_packets(shot, pace_left(&feed->pace));
	pace_take(&feed->pace, shot->packets_shown);
	if (shot->packets_shown < shot->packets)
		bounds_hit(feed->bounds, BOUND_PACKETS);
}

void feed_publish(struct feed *feed, struct shot *shot, uint64_t now_ms)
{
	if (feed->next - feed->first == LIMIT_FEED_FRAMES)
		forget_first(feed);
	forget_to_fit(feed, feed->next, shot->bytes);
	limit_packets(feed, shot, now_ms);
	moment_of(feed, feed->next)->shot = shot_ref(shot);
	count_bytes(feed, moment_of(feed, feed->next++));
	feed->stale = false;
}

void feed_tell_stale(struct feed *feed)
{
	feed->stale = true;
}

void feed_tick(struct feed *feed)
{
	feed->ticks++;
}

/* The message of a topic, made when somebody first wants it; NULL without memory. */
static struct frame *message_of(struct feed *feed, uint64_t number, enum topic topic,
				enum shot_form form)
{
	struct moment *moment = moment_of(feed, number);
	struct frame **frame = &moment->frame[topic][form];
	struct blob *text;
	char id[ID_MAX];

	if (*frame)
		goto out;
	text = shot_message(moment->shot, topic, form);
	if (!text)
		goto out;
	count_bytes(feed, moment);
	forget_to_fit(feed, number, 0);
	snprintf(id, sizeof(id), "%s-%" PRIu64 "-%s", feed->run, number, topic_name(topic));
	*frame = frame_new(topic_name(topic), id, text);
out:
	return *frame;
}

/* ---- clients --------------------------------------------------------------- */

void feed_join(const struct feed *feed, struct feed_cursor *cursor, unsigned int topics)
{
	*cursor = (struct feed_cursor){ .topics = topics, .ticks = feed->ticks };
	if (feed->next > feed->first)
		cursor->number = feed->next - 2;
}

/* "RUN-NUMBER-TOPIC". 0; -EINVAL: nothing that a feed says; -ESTALE: of another feed. */
static int parse_id(const struct feed *feed, const char *id, uint64_t *ret_number,
		    enum topic *ret_topic)
{
	size_t run = strspn(id, "0123456789abcdef"), digits;
	const char *number = id + run + 1;
	int topic;

	if (!run || id[run] != '-')
		return -EINVAL;
	digits = strspn(number, "0123456789");
	/* 18 digits fit. */
	if (!digits || digits > 18 || number[digits] != '-')
		return -EINVAL;
	topic = topic_find(number + digits + 1, strlen(number + digits + 1));
	if (topic < 0)
		return -EINVAL;
	if (run != strlen(feed->run) || memcmp(id, feed->run, run))
		return -ESTALE;
	*ret_number = strtoull(number, NULL, 10);
	*ret_topic = (enum topic)topic;
	return 0;
}

uint64_t feed_resume(struct feed *feed, struct feed_cursor *cursor, unsigned int topics,
		     const char *id)
{
	uint64_t number = 0;
	enum topic topic;
	int err = parse_id(feed, id, &number, &topic);

	feed_join(feed, cursor, topics);
	cursor->lost_unknown = err == -ESTALE;
	if (err || !number || number >= feed->next)
		return 0;
	cursor->number = number;
	cursor->left = topics & ~((TOPIC_BIT(topic) << 1) - 1);
	return feed_miss(feed, cursor);
}

void feed_leave(struct feed_cursor *cursor)
{
	frame_unref(cursor->frame);
	cursor->frame = NULL;
}

void feed_subscribe(const struct feed *feed, struct feed_cursor *cursor, unsigned int topics)
{
	unsigned int more = topics & ~cursor->topics;

	cursor->topics |= more;
	/* Who is not there yet gets them with what is to come. */
	if (cursor->number >= feed->first && cursor->number + 1 == feed->next)
		cursor->left |= more;
}

void feed_unsubscribe(struct feed_cursor *cursor, unsigned int topics)
{
	cursor->topics &= ~topics;
	cursor->left &= ~topics;
}

static uint64_t count(unsigned int set)
{
	return (uint64_t)__builtin_popcount(set);
}

/* Passes over all that comes before number; how many messages that were. */
static uint64_t pass_over(struct feed_cursor *cursor, uint64_t number)
{
	uint64_t lost = count(cursor->left) + (number - 1 - cursor->number) * count(cursor->topics);

	cursor->number = number - 1;
	cursor->left = 0;
	cursor->lost += lost;
	return lost;
}

/* Whether there is something it wants of what is forgotten. */
static bool has_missed(const struct feed *feed, const struct feed_cursor *cursor)
{
	return cursor->number < feed->first &&
	       (cursor->left || cursor->number + 1 < feed->first);
}

uint64_t feed_miss(struct feed *feed, struct feed_cursor *cursor)
{
	uint64_t lost;

	if (!has_missed(feed, cursor))
		return 0;
	lost = pass_over(cursor, feed->first);
	if (lost && !cursor->behind) {
		bounds_hit(feed->bounds, BOUND_FEED_FRAMES);
		cursor->behind = true;
	}
	return lost;
}

static void go(const struct feed *feed, struct feed_cursor *cursor, struct frame *frame)
{
	cursor->frame = frame;
	cursor->sent = 0;
	cursor->ticks = feed->ticks;
}

void feed_greet(const struct feed *feed, struct feed_cursor *cursor)
{
	go(feed, cursor, frame_ref(feed->hello));
}

static bool take_lost(const struct feed *feed, struct feed_cursor *cursor)
{
	struct frame *frame = cursor->lost_unknown ?
		frame_printf("lost", "{\"type\":\"lost\",\"frames\":null}") :
		frame_printf("lost", "{\"type\":\"lost\",\"frames\":%" PRIu64 "}", cursor->lost);

	/* Without memory it is told later. */
	if (!frame)
		return false;
	go(feed, cursor, frame);
	cursor->lost = 0;
	cursor->lost_unknown = false;
	return true;
}

/* Who catches up gets messages without packets, until the clock has filled its bucket again. */
static enum shot_form choose_form(struct feed *feed, struct feed_cursor *cursor,
				  const struct shot *shot, enum topic topic, uint64_t now_ms)
{
	uint64_t a_second = bounds_limit(feed->bounds, BOUND_PACKETS);
	size_t packets = shot_message_packets(shot, topic, SHOT_LIMITED);

	if (!packets)
		return SHOT_LIMITED;
	pace_fill(&cursor->pace, a_second, a_second * PACE_UNIT, now_ms);
	if (!pace_left(&cursor->pace))
		return SHOT_BARE;
	pace_take(&cursor->pace, packets);
	return SHOT_LIMITED;
}

/* The first topic left of the snapshot that it is at; what cannot be made is lost. */
static bool take_message(struct feed *feed, struct feed_cursor *cursor, uint64_t now_ms,
			 uint64_t *lost)
{
	enum topic topic = (enum topic)__builtin_ctz(cursor->left);
	const struct shot *shot = moment_of(feed, cursor->number)->shot;
	enum shot_form form = choose_form(feed, cursor, shot, topic, now_ms);
	struct frame *frame = message_of(feed, cursor->number, topic, form);

	cursor->left &= ~TOPIC_BIT(topic);
	cursor->told_stale = false;
	if (!frame) {
		cursor->lost++;
		(*lost)++;
		return false;
	}
	go(feed, cursor, frame_ref(frame));
	return true;
}

/* On to the next snapshot of which it wants something; false if there is none yet. */
static bool advance(const struct feed *feed, struct feed_cursor *cursor)
{
	while (!cursor->left && cursor->number + 1 < feed->next) {
		cursor->number++;
		cursor->left = cursor->topics;
	}
	return cursor->left;
}

bool feed_take(struct feed *feed, struct feed_cursor *cursor, uint64_t now_ms,
	       uint64_t *ret_lost)
{
	*ret_lost = 0;
	if (cursor->frame)
		return true;
	*ret_lost = feed_miss(feed, cursor);
	if (cursor->behind && feed->next > feed->first)
		*ret_lost += pass_over(cursor, feed->next - 1);
	cursor->behind = false;
	if (cursor->lost || cursor->lost_unknown)
		return take_lost(feed, cursor);
	while (advance(feed, cursor))
		if (take_message(feed, cursor, now_ms, ret_lost))
			return true;
	if (!feed->stale || cursor->told_stale)
		return false;
	cursor->told_stale = true;
	go(feed, cursor, frame_ref(feed->status));
	return true;
}

bool feed_take_tick(struct feed *feed, struct feed_cursor *cursor)
{
	if (cursor->ticks == feed->ticks)
		return false;
	go(feed, cursor, frame_ref(feed->tick));
	return true;
}

bool feed_must_end(const struct feed *feed, const struct feed_cursor *cursor)
{
	return cursor->frame && cursor->frame->held &&
	       feed->held > bounds_limit(feed->bounds, BOUND_HELD_BYTES);
}

void feed_done(struct feed_cursor *cursor)
{
	frame_unref(cursor->frame);
	cursor->frame = NULL;
}
