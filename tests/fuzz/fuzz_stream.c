// SPDX-License-Identifier: MIT
/* What stream clients say: topics, subscriptions, ids; and that nothing is lost uncounted, whatever they do. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.c"
#include "httpd/body.c"
#include "httpd/bounds.c"
#include "httpd/json_text.c"
#include "httpd/shot.c"
#include "httpd/subscription.c"
#include "httpd/topics.c"
#include "httpd/websocket.c"

#define slice_of feed_slice_of
#include "httpd/feed.c"

#define ALL_TOPICS (TOPIC_BIT(TOPIC_COUNT) - 1)
#define STEPS_MAX 400

static void fuzz_topics(const char *text)
{
	struct slice unknown;
	unsigned int set = 0;
	struct body body = { 0 };

	if (topics_parse(text, &set, &unknown)) {
		if (unknown.data < text || unknown.data + unknown.length > text + strlen(text))
			abort();
		return;
	}
	topics_write(set, &body);
	if ((set & ~ALL_TOPICS) || body.failed)
		abort();
	free(body.data);
}

static void fuzz_subscription(const char *text, size_t size)
{
	struct subscription subscription;
	const char *why;

	if (subscription_parse(text, size, &subscription, &why)) {
		/* Goes into a JSON string as it is. */
		if (!why || strpbrk(why, "\"\\"))
			abort();
		return;
	}
	if (why || ((subscription.add | subscription.remove) & ~ALL_TOPICS))
		abort();
}

static void publish(struct feed *feed, uint64_t now_ms)
{
	static const char line[] = "{\"type\":\"snapshot\",\"interval_ms\":100,\"packets\":[1,2,3,4,5,6,7,8,9,"
				   "10,11,12,13,14,15,16,17,18,19,20,21,22],\"packets_left_out\":0}";
	struct shot *shot;

	if (shot_parse((struct slice){ line, sizeof(line) - 1 }, &shot) != SHOT_SNAPSHOT)
		abort();
	feed_publish(feed, shot, now_ms);
	shot_unref(shot);
}

/* What a client got, and what it was told. */
struct ears {
	uint64_t messages, told, lost;
};

/* Takes at most so many frames. */
static void hear(struct feed *feed, struct feed_cursor *cursor, unsigned int frames,
		 uint64_t now_ms, struct ears *ears)
{
	uint64_t lost, told;
	char start[64];
	bool has = true;

	while (has && frames--) {
		has = feed_take(feed, cursor, now_ms, &lost);
		ears->lost += lost;
		if (!has)
			break;
		/* No string: it ends where its length says. */
		snprintf(start, sizeof(start), "%.*s", (int)cursor->frame->text->length,
			 cursor->frame->text->data);
		if (sscanf(start, "{\"type\":\"lost\",\"frames\":%" SCNu64, &told) == 1)
			ears->told += told;
		else if (strncmp(start, "{\"type\":\"status\"", 16) &&
			 strncmp(start, "{\"type\":\"lost\"", 14))
			ears->messages++;
		feed_done(cursor);
	}
}

static void fuzz_id(const char *id)
{
	struct feed_cursor cursor;
	struct bounds bounds;
	struct ears ears = { 0 };
	struct feed feed;

	bounds_init(&bounds);
	if (feed_init(&feed, 0xabc, &bounds))
		abort();
	for (int i = 0; i < 12; i++)
		publish(&feed, 1000);
	ears.lost = feed_resume(&feed, &cursor, ALL_TOPICS, id);
	hear(&feed, &cursor, STEPS_MAX, 1000, &ears);
	if (ears.lost != ears.told || ears.messages > 8 * TOPIC_COUNT ||
	    ears.messages + ears.lost > 12 * TOPIC_COUNT)
		abort();
	feed_leave(&cursor);
	feed_free(&feed);
}

/* One client of the same topics all the time, one that changes its mind; each byte is a step. */
static void fuzz_steps(const uint8_t *steps, size_t size)
{
	struct feed_cursor steady, fickle;
	struct ears heard[2] = { { 0 } };
	struct bounds bounds;
	struct feed feed;
	uint64_t now_ms = 1000, published = 0;

	bounds_init(&bounds);
	bounds.row[BOUND_FEED_BYTES].limit = 2000;
	if (feed_init(&feed, 0xabc, &bounds))
		abort();
	feed_join(&feed, &steady, TOPIC_BIT(TOPIC_STATS) | TOPIC_BIT(TOPIC_PACKETS));
	feed_join(&feed, &fickle, 0);
	for (size_t i = 0; i < size && i < STEPS_MAX; i++) {
		unsigned int what = steps[i] % 6, how = steps[i] / 6;

		now_ms += how;
		if (what == 0)
			feed_subscribe(&feed, &fickle, how * 7 & ALL_TOPICS);
		else if (what == 1)
			feed_unsubscribe(&fickle, how * 11 & ALL_TOPICS);
		else if (what == 2)
			hear(&feed, &steady, how, now_ms, &heard[0]);
		else if (what == 3)
			hear(&feed, &fickle, how, now_ms, &heard[1]);
		else if (how % 8 == 7)
			feed_tell_stale(&feed);
		else {
			publish(&feed, now_ms);
			published++;
			heard[0].lost += feed_miss(&feed, &steady);
			heard[1].lost += feed_miss(&feed, &fickle);
		}
	}
	hear(&feed, &steady, 100, now_ms, &heard[0]);
	hear(&feed, &fickle, 100, now_ms, &heard[1]);
	if (heard[0].lost != heard[0].told || heard[1].lost != heard[1].told ||
	    heard[0].messages + heard[0].lost != 2 * published)
		abort();
	feed_leave(&steady);
	feed_leave(&fickle);
	feed_free(&feed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 4) {
	case 0:
		fuzz_topics(text);
		break;
	case 1:
		fuzz_subscription(text, size - 1);
		break;
	case 2:
		fuzz_id(text);
		break;
	case 3:
		fuzz_steps(data + 1, size - 1);
		break;
	}
	free(text);
	return 0;
}
