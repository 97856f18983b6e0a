// SPDX-License-Identifier: MIT
/* Snapshots of any shape, a line each: what history takes of them, and that it gives all of it back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.c"
#include "httpd/bounds.c"
#include "httpd/json_text.c"
#include "httpd/history_slot.c"
#include "httpd/history_last.c"

/* Names that several of the files have for themselves. */
#undef ROOM_MIN
#define make_room make_room_in_body
#include "httpd/body.c"
#undef make_room
#undef ROOM_MIN
#define add add_key
#include "httpd/history_keys.c"
#undef add
#include "httpd/history.c"
#include "httpd/topics.c"
#include "httpd/shot.c"

#define KEYS 40		/* few, so that they run out */

static void take(struct history *history, const char *line, size_t length)
{
	struct shot *shot;

	if (shot_parse((struct slice){ line, length }, &shot) != SHOT_SNAPSHOT)
		return;
	history_take(history, shot);
	shot_unref(shot);
}

static void check_slot(const struct history *history, const struct history_slot *slot)
{
	for (int kind = 0; kind < HISTORY_KINDS; kind++)
		for (uint32_t i = 0; i < slot->list[kind].count; i++) {
			uint32_t key = slot->list[kind].row[i].key;

			if (!history->keys.key[key].refs || history->keys.key[key].kind != kind ||
			    (i && slot->list[kind].row[i - 1].key >= key))
				abort();
		}
	for (uint32_t i = 0; i < slot->buckets; i++)
		if (slot->bucket[i].bucket >= LATENCY_BUCKETS ||
		    (i && slot->bucket[i - 1].bucket >= slot->bucket[i].bucket))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	struct history history;
	struct bounds bounds;

	bounds_init(&bounds);
	bounds.row[BOUND_HISTORY_KEYS].limit = KEYS;
	bounds.row[BOUND_HISTORY_ROWS].limit = bounds.row[BOUND_HISTORY_NAMES].limit = 2;
	history_init(&history, &bounds);
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((newline ? newline : end) - at);

		take(&history, at, length);
		at += length + 1;
	}
	for (int tier = 0; tier < HISTORY_TIERS; tier++)
		for (int64_t i = 0; history.tier[tier].slot && i < history_slots(tier); i++)
			check_slot(&history, &history.tier[tier].slot[i]);
	history_free(&history);
	if (history.keys.count || history.keys.bytes)
		abort();
	return 0;
}
