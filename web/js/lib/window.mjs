// SPDX-License-Identifier: MIT
// Which rows of a long table have to exist: those in sight, and some around them.

const AROUND = 6;

// All in pixels, count in rows -> { first, last }, last not included.
export function rowsInSight(scrollTop, height, rowHeight, count) {
	const sight = Math.ceil(height / rowHeight) + 2 * AROUND;
	const first = Math.max(0, Math.min(Math.floor(scrollTop / rowHeight) - AROUND, count - sight));

	return { first, last: Math.min(count, first + sight) };
}
