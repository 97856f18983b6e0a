// SPDX-License-Identifier: MIT
// What a part of the page may ask the engine for: one row a kind of question.

import { toFile } from './export.mjs';
import { createRows } from './rows.mjs';
import { createSankeyGraph } from './sankey.mjs';
import { TABLES } from './tables.mjs';

/*
 * Rows of a table: args { table, subject, filter, sort, first, last, hold } -> those of lib/rows.mjs, with sums and timestamp. While
 * hold is set they are those of the snapshot when it was.
 */
function createTableAnswer() {
	let rows = null;	// before the first snapshot
	let known = {};
	let of = '';
	let seen = null;

	function look(data, { table, subject = null }) {
		const { columns, rows: rowsOf, sum = () => null } = TABLES[table];

		if (of !== table)
			rows = createRows(columns);
		of = table;
		const given = rowsOf(data, subject);
		rows.set(given);
		known = { sums: sum(given), timestamp: data.snapshot.timestamp };
	}

	return {
		answer(data, args) {
			if (seen !== data.snapshot && !(rows && args.hold)) {
				look(data, args);
				seen = data.snapshot;
			}
			return { ...rows.window(args), ...known };
		},
		// The file of all rows that match.
		save: ({ kind }) => toFile(kind, rows?.arranged() ?? []),
		// Where the row with this key is, -1: nowhere.
		place: ({ key }) => rows?.arranged().findIndex((row) => TABLES[of].key(row) === key) ?? -1,
	};
}

// One row of a table by its key: { row } or { row: null }.
function createRowAnswer() {
	return {
		answer(data, { table, key: wanted }) {
			const { rows, key } = TABLES[table];

			return { row: rows(data, null).find((row) => key(row) === wanted) ?? null };
		},
	};
}

// The graph of lib/sankey.mjs: args { way, hold }.
function createSankeyAnswer() {
	const graphs = createSankeyGraph();
	let snapshot = null;

	return {
		answer(data, { way, hold }) {
			if (!hold || !snapshot)
				({ snapshot } = data);
			return { ...graphs.update(snapshot, way), timestamp: snapshot.timestamp };
		},
	};
}

const ofTable = ({ table }) => TABLES[table].topics;

// topics(args): what has to come in; make(): one that answers, as long as it is asked.
export const ANSWERS = {
	table: { topics: ofTable, make: createTableAnswer },
	row: { topics: ofTable, make: createRowAnswer },
	sankey: { topics: () => ['flows'], make: createSankeyAnswer },
};
