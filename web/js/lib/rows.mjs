// SPDX-License-Identifier: MIT
// The rows of one table, filtered, sorted, and of them those from one place to another.

import { parseFilter } from './filter.mjs';
import { parseSort } from './route.mjs';
import { sortRows } from './sort.mjs';

/*
 * columns: see lib/column.mjs. set(rows), then window({ filter, sort: "-bps" or "", first, last }) -> { rows, first, count (after the
 * filter), all (before it), has: ids of optional columns that ever had a value }; arranged(): all that match, in order.
 */
export function createRows(columns) {
	const ids = columns.map((column) => column.id);
	const has = new Set();
	let given = [];
	let arranged = null;
	let how = '';

	function arrange(filter, sort) {
		const { test, empty, error } = parseFilter(filter);
		const order = parseSort(sort, ids);
		const matching = empty || error ? given : given.filter(test);

		return order ? sortRows(matching, columns.find((column) => column.id === order.id).value, order.descending) : matching;
	}

	function lookForValues() {
		for (const { id, optional, value } of columns)
			if (optional && !has.has(id) && given.some((row) => value(row) !== null))
				has.add(id);
	}

	return {
		set(rows) {
			given = rows;
			arranged = null;
			lookForValues();
		},
		window({ filter = '', sort = '', first = 0, last = Infinity }) {
			const wanted = JSON.stringify([filter, sort]);

			if (!arranged || how !== wanted)
				arranged = arrange(filter, sort);
			how = wanted;
			return { rows: arranged.slice(first, last), first, count: arranged.length, all: given.length, has: [...has] };
		},
		arranged: () => arranged ?? given,
	};
}
