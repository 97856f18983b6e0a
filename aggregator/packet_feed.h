/* SPDX-License-Identifier: MIT */
/*
 * The packet lines that a snapshot shows: all of its interval, or an even choice. The
 * newest would be those of its last milliseconds, whatever else there was.
 */
#ifndef JOPIL_AGGREGATOR_PACKET_FEED_H
#define JOPIL_AGGREGATOR_PACKET_FEED_H

#include <stdbool.h>

#include "common/records.h"

#define FEED_PACKETS 200	/* shown at most; and a second, as httpd shows a client no more */

struct feed_entry {
	struct packet_record packet;
	u16 interface;
};

struct packet_feed {
	u32 most;	/* shown a snapshot: 1 to FEED_PACKETS */
	u64 seen;	/* lines of this interval */
	u32 kept;	/* of those */
	u32 step;	/* each step-th is kept: 1, 2, 4... */
	struct feed_entry entry[2 * FEED_PACKETS];
};

/* So many a second, but one at least. */
void packet_feed_init(struct packet_feed *feed, u64 interval_ns);

/* The next interval begins. */
void packet_feed_clear(struct packet_feed *feed);

/* Keeps only every other line. */
void packet_feed_thin(struct packet_feed *feed);

/* Where the next line is to be read into. */
static inline struct feed_entry *packet_feed_next(struct packet_feed *feed)
{
	if (feed->kept == 2 * feed->most)
		packet_feed_thin(feed);
	return &feed->entry[feed->kept];
}

/* That line was good. It stays where it is until the next one is to be read. */
static inline void packet_feed_add(struct packet_feed *feed)
{
	feed->kept += (feed->seen++ & (feed->step - 1)) == 0;
}

/* How many are shown, and whether the one with that index, of those kept, is. */
u32 packet_feed_shown(const struct packet_feed *feed);
bool packet_feed_shows(const struct packet_feed *feed, u32 index);

#endif
