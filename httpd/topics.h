/* SPDX-License-Identifier: MIT */
/* The topics of the streams: which members of a snapshot each of them carries. */
#ifndef JOPIL_HTTPD_TOPICS_H
#define JOPIL_HTTPD_TOPICS_H

#include "httpd/body.h"

/* In the order in which the messages of one snapshot come. */
enum topic {
	TOPIC_SNAPSHOT,	/* the whole of it, as it was written */
	TOPIC_STATS,	/* what belongs to none of those below */
	TOPIC_FLOWS,
	TOPIC_PACKETS,
	TOPIC_PROCESSES,
	TOPIC_CONNECTIONS,
	TOPIC_DROPS,
	TOPIC_LATENCY,
	TOPIC_COUNT
};

/* A set of topics. */
#define TOPIC_BIT(topic) (1u << (topic))

const char *topic_name(enum topic topic);

/* "snapshot, stats, ..., latency": for people who named another one. */
const char *topics_known(void);

/*
 * The topic that carries the member called key. TOPIC_SNAPSHOT: of those below
 * none does, because it is in each message, or in none.
 */
enum topic topic_of(struct slice key);

/* Whether a message of that topic has the snapshot's member called key. */
bool topic_carries(enum topic topic, const char *key);

/* The members that each message has, in this order, after its type; ends in NULL. */
extern const char *const topic_head[];

/* The topic called name; -EINVAL if there is none. */
int topic_find(const char *name, size_t length);

/*
 * Names separated by commas ("" is the empty set) to a set. 0, or -EINVAL and
 * the name that is none.
 */
int topics_parse(const char *text, unsigned int *ret_set, struct slice *ret_unknown);

/* Appends ["stats","flows"]. */
void topics_write(unsigned int set, struct body *body);

#endif
