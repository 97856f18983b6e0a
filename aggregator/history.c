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

const struct history_row *history_row(const struct history *h, u64 second)
{
	const struct history_row *row = &h->rows[second % HISTORY_SECONDS];

	return row->second == second && second ? row : NULL;
}
