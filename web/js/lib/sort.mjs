// SPDX-License-Identifier: MIT
// Ordering of rows: numbers by value, text by code point, what does not exist last in either direction.

export function compare(a, b) {
	if (typeof a === typeof b)
		return a < b ? -1 : a > b ? 1 : 0;
	return typeof a === 'number' ? -1 : 1;
}

function isMissing(value) {
	return value === null || value === undefined || Number.isNaN(value);
}

// A new array. value(row) is asked once a row; equal rows keep their order.
export function sortRows(rows, value, descending = false) {
	const sign = descending ? -1 : 1;
	const keyed = [];
	const missing = [];

	for (const row of rows) {
		const key = value(row);

		if (isMissing(key))
			missing.push(row);
		else
			keyed.push({ key, row });
	}
	keyed.sort((a, b) => sign * compare(a.key, b.key));
	const sorted = keyed.map((entry) => entry.row);
	for (const row of missing)
		sorted.push(row);
	return sorted;
}
