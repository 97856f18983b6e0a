// SPDX-License-Identifier: MIT
// Histograms: [[upper bound, count], ...], bounds inclusive, whole microseconds. Coarse cells for a heat map.

const CELLS = 4;	// of an octave: each holds whole buckets of the kernel, which has 32 of them

// { low, high } of the cell a bucket lies in, both inclusive. Below 4 each number has its own.
export function cellOf(upper) {
	const size = upper < CELLS ? 1 : 2 ** Math.floor(Math.log2(upper)) / CELLS;
	const low = Math.floor(upper / size) * size;

	return { low, high: low + size - 1 };
}

// Cells of one histogram, lowest first: [{ low, high, count }]; their counts add up to those of the buckets.
export function cellsOf(buckets) {
	const cells = new Map();

	for (const [upper, count] of buckets) {
		const cell = cellOf(upper);

		cells.set(cell.low, { ...cell, count: (cells.get(cell.low)?.count ?? 0) + count });
	}
	return [...cells.values()].sort((a, b) => a.low - b.low);
}

// 0..1 of how strongly a count is painted beside the largest one: by its logarithm, never invisible.
export function strength(count, most) {
	if (!(count > 0))
		return 0;
	return most > 1 ? 0.18 + (0.82 * Math.log(count)) / Math.log(most) : 1;
}
