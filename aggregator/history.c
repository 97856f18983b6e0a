/* SPDX-License-Identifier: MIT */
/* Packets and bytes of the last 300 seconds, a row a second. */
#include "aggregator/history.h"

#include <string.h>

#define NS_PER_S 1000000000ull

void history_add(struct history *h, u64 unix_ns, u8 direction, u64 packets, u64 bytes)
{
	u64 second = unix_ns / NS_PER_S;
	struct history_row *row = &h->rows[second % HISTORY_SECONDS];

	if (second + HISTORY_SECONDS <= h->newest)
		return;
	if (row->second != second) {
		memset(row, 0, sizeof(*row));
		row->second = second;
	}
	row->packets[direction] += packets;
	row->bytes[direction] += bytes;
	if (second > h->newest)
		h->newest = second;
}

void history_add_span(struct history *h, u64 from_ns, u64 to_ns, u8 direction, u64 packets, u64 bytes)
{
	const u64 window = HISTORY_SECONDS * NS_PER_S;

	/* All of it belongs to the last instant where the times make no sense. */
	if (from_ns >= to_ns || to_ns - from_ns > window) {
		history_add(h, to_ns ? to_ns - 1 : 0, direction, packets, bytes);
		return;
	}
	while (from_ns < to_ns) {
		u64 end = (from_ns / NS_PER_S + 1) * NS_PER_S;
		u64 part_packets = packets, part_bytes = bytes;

		if (end < to_ns) {
			double share = (double)(end - from_ns) / (double)(to_ns - from_ns);

			part_packets = (u64)((double)packets * share);
			part_bytes = (u64)((double)bytes * share);
		}
		history_add(h, from_ns, direction, part_packets, part_bytes);
		packets -= part_packets;
		bytes -= part_bytes;
		from_ns = end;
	}
}

const struct history_row *history_row(const struct history *h, u64 second)
{
	const struct history_row *row = &h->rows[second % HISTORY_SECONDS];

	return row->second == second && second ? row : NULL;
}
