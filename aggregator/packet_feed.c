/* SPDX-License-Identifier: MIT */
/* The packet lines that a snapshot shows: all of its interval, or an even choice. */
#include "aggregator/packet_feed.h"

#define NS_PER_S 1000000000ull

void packet_feed_init(struct packet_feed *feed, u64 interval_ns)
{
	u64 most = interval_ns >= NS_PER_S ? FEED_PACKETS : FEED_PACKETS * interval_ns / NS_PER_S;

	feed->most = most ? (u32)most : 1;
	packet_feed_clear(feed);
}

void packet_feed_clear(struct packet_feed *feed)
{
	feed->seen = 0;
	feed->kept = 0;
	feed->step = 1;
}

void packet_feed_thin(struct packet_feed *feed)
{
	feed->kept /= 2;
	for (u32 i = 1; i < feed->kept; i++)
		feed->entry[i] = feed->entry[2 * i];
	feed->step *= 2;
}

u32 packet_feed_shown(const struct packet_feed *feed)
{
	return feed->kept < feed->most ? feed->kept : feed->most;
}

bool packet_feed_shows(const struct packet_feed *feed, u32 index)
{
	u32 shown = packet_feed_shown(feed);

	return (index + 1) * shown / feed->kept > index * shown / feed->kept;
}
