/* SPDX-License-Identifier: MIT */
/* Packets and bytes of the last 300 seconds, a row a second. */
#include "aggregator/history.h"

#include <string.h>

struct history_row *history_row_at(struct history *h, u64 unix_ns)
{
	u64 second = unix_ns / HISTORY_ROW_NS;
	struct history_row *row = &h->rows[second % HISTORY_SECONDS];

	if (second + HISTORY_SECONDS <= h->newest)
		return NULL;
	if (row->second != second) {
		memset(row, 0, sizeof(*row));
		row->second = second;
	}
	if (second > h->newest)
		h->newest = second;
	h->last = row;
	h->last_ns = second * HISTORY_ROW_NS;
	return row;
}

void history_add_span(struct history *h, u64 from_ns, u64 to_ns, u8 direction, u64 packets, u64 bytes)
{
	const u64 window = HISTORY_SECONDS * HISTORY_ROW_NS;

	/* All of it belongs to the last instant where the times make no sense. */
	if (from_ns >= to_ns || to_ns - from_ns > window) {
		history_add(h, to_ns ? to_ns - 1 : 0, direction, packets, bytes);
		return;
	}
	while (from_ns < to_ns) {
		u64 end = (from_ns / HISTORY_ROW_NS + 1) * HISTORY_ROW_NS;
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
