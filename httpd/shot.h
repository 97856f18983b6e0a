/* SPDX-License-Identifier: MIT */
/* The latest snapshot in the forms that requests ask for; made once, read many times. */
#ifndef JOPIL_HTTPD_SHOT_H
#define JOPIL_HTTPD_SHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "httpd/body.h"
#include "httpd/topics.h"

#define SHOT_PARTS_MAX 128	/* a snapshot has about 40 */

/* How many of its packets a message shows; topics without packets know one form. */
enum shot_form {
	SHOT_LIMITED,	/* as many as shot_limit_packets() said */
	SHOT_BARE,	/* none: for clients who had their share */
	SHOT_FORMS
};

struct shot {
	unsigned int refs;
	struct blob *text;	/* the whole snapshot, one line, no line break */
	struct blob *message[TOPIC_COUNT][SHOT_FORMS];	/* NULL until made */
	size_t bytes;		/* of all these texts, each counted once */
	size_t packets;		/* rows of its array of packets */
	size_t packets_shown;	/* at most, in a message */
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
	SHOT_NOT_JSON,
	SHOT_BAD,	/* not an object, a type that is not a string, a snapshot's key twice */
	SHOT_NO_MEMORY,
};

/*
 * Reads one line: whether it is JSON is jansson's word, all else is taken from
 * the text as it was written. *ret_shot only for SHOT_SNAPSHOT.
 */
enum shot_result shot_parse(struct slice line, struct shot **ret_shot);
struct shot *shot_ref(struct shot *shot);
/* The last owner frees it; NULL is fine. */
void shot_unref(struct shot *shot);

/* The member called key as it was written; "null" if there is none. */
struct slice shot_part(const struct shot *shot, const char *key);

/* Calls take with each object in the array called key. */
void shot_each(const struct shot *shot, const char *key,
	       void (*take)(void *closure, struct slice row), void *closure);

/*
 * From now on messages show at most so many packets, evenly chosen, and add the
 * rest to packets_left_out. Before the first message is made.
 */
void shot_limit_packets(struct shot *shot, size_t most);

/*
 * The message of a topic: {"type":"flows","seq":1,"timestamp":...,"interval_ms":...,
 * "final":..., and its members as they were written. Made when first asked for; the
 * shot keeps it. NULL without memory.
 */
struct blob *shot_message(struct shot *shot, enum topic topic, enum shot_form form);

/* How many packets that message shows. */
size_t shot_message_packets(const struct shot *shot, enum topic topic, enum shot_form form);

#endif
