/* SPDX-License-Identifier: MIT */
/* The latest snapshot in the forms that requests ask for; made once, read many times. */
#ifndef JOPIL_HTTPD_SHOT_H
#define JOPIL_HTTPD_SHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "httpd/body.h"

#define SHOT_PARTS_MAX 128	/* a snapshot has about 40 */

struct shot {
	struct blob *text;	/* the whole snapshot, one line, no line break */
	struct blob *stats;	/* without flows, packets and the last brace; NULL until made */
	struct slice timestamp;	/* as written, "null" if there is none */
	int64_t seq;
	uint64_t interval_ms;
	int64_t timestamp_ms;	/* Unix time; 0 = it has none */
	size_t part_count;
	struct shot_part {
		struct slice key;
		struct slice value;
	} part[SHOT_PARTS_MAX];	/* its members, as written; those beyond are not looked at */
};

enum shot_result {
	SHOT_SNAPSHOT,
	SHOT_OTHER,	/* JSON with another type: hello, or not known here */
	SHOT_BAD,	/* not a JSON object, or a type that is not a string */
	SHOT_NO_MEMORY,
};

/*
 * Reads one line: whether it is JSON is jansson's word, all else is taken from
 * the text as it was written. *ret_shot only for SHOT_SNAPSHOT.
 */
enum shot_result shot_parse(struct slice line, struct shot **ret_shot);
void shot_free(struct shot *shot);

/* The member called key as it was written; "null" if there is none. */
struct slice shot_part(const struct shot *shot, const char *key);

/* Calls take with each object in the array called key. */
void shot_each(const struct shot *shot, const char *key,
	       void (*take)(void *closure, struct slice row), void *closure);

/* Whether .stats has the snapshot's member called key. */
bool shot_is_in_stats(const char *key);

/* Fills .stats, at the first request that wants it. 0 or -ENOMEM. */
int shot_make_stats(struct shot *shot);

#endif
