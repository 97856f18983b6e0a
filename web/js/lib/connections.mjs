// SPDX-License-Identifier: MIT
// Order and sums of connections.

import { toNumber } from './format.mjs';

export const STATES = ['failed', 'connecting', 'open', 'closed'];

const when = (row) => toNumber(row.ended) ?? toNumber(row.started) ?? 0;

// Failures first, then the newest: what has just ended or begun.
export function byUrgency(rows) {
	const failed = (row) => (row.state === 'failed' ? 0 : 1);

	return [...rows].sort((a, b) => failed(a) - failed(b) || when(b) - when(a));
}

// Map(state -> how many), also for states with none.
export function countStates(rows) {
	const counts = new Map(STATES.map((state) => [state, 0]));

	for (const row of rows)
		if (counts.has(row.state))
			counts.set(row.state, counts.get(row.state) + 1);
	return counts;
}
