// SPDX-License-Identifier: MIT
// A panel with a live table: filter, sort and pause, kept in the URL where the view wants it. The engine has its rows.

import { h, setText } from '../core/dom.mjs';
import { toFile } from '../lib/export.mjs';
import { exact } from '../lib/format.mjs';
import { isLive } from '../lib/range.mjs';
import { formatSort, parseSort } from '../lib/route.mjs';
import { createRows } from '../lib/rows.mjs';
import { createExport } from './export.mjs';
import { createFilterBox } from './filter-box.mjs';
import { createEmpty, createPanel } from './panel.mjs';
import { createPause } from './pause.mjs';
import { createTable } from './table.mjs';

const AHEAD = 60;	// rows beyond the sight that are there when somebody scrolls
const NEAR = 20;	// rows from the end of those that are there, when more are asked for

/*
 * what: "flows". rows: a name in lib/tables.mjs. columns(state) and note(state, shown, all) say what is in it, hint(state) what to do when
 * there is nothing: [sentence, command]. sums(sums): told of what is known of all rows. sort is the order without a
 * choice, ids are the columns to sort by. params(params) is told of choices. aside: more for the head, above: more over the
 * table. examples, placeholder: of the filter. opens(row): the hash of its details, key(row) names it; the row open in the
 * URL is marked. chosen(text): told of each filter text. past: { what, columns: ids, sort, rows(answer), all(answer) } of a time range
 * that is not live (core/past.mjs): sums, in the columns that have them.
 */
export function createLiveTable(options) {
	const {
		id, title, what, rows, columns, ids, sort: plainSort, note, hint, sums = () => {}, params = () => {}, className = '', aside = [],
		above = [], examples, placeholder, opens = null, key, chosen = () => {}, past = null,
	} = options;
	const plain = formatSort(plainSort);
	let state = null;	// that came last
	let answer = null;
	let held = null;	// the state that is shown while it is paused
	let sort = plain;
	let wanted = { first: 0, last: 2 * AHEAD };
	let open = null;
	let back = null;	// { answer, rows, columns } of a time range
	const filter = createFilterBox({
		id: `${id}-filter`,
		label: `Filter ${what}`,
		examples,
		placeholder,
		changed(text) {
			params({ filter: text });
			chosen(text);
			again();
		},
	});
	const pause = createPause(what, () => {
		held = pause.paused() ? state : null;
		ask();
	});
	const table = createTable({
		caption: title, columns: [], sort: plainSort, long: true, className, opens, key, current: () => open, needed,
		sorted(next) {
			sort = formatSort(next);
			params({ sort: sort === plain ? '' : sort });
			again();
		},
		place: async (wantedKey) => (back ? back.rows.arranged().findIndex((row) => key(row) === wantedKey) : state.call(id, 'place', { key: wantedKey })),
	});
	const empty = createEmpty();
	const notes = h('p', { class: 'panel-note', id: `${id}-note` });
	const element = createPanel({
		id, title, className: past ? 'full ranged' : 'full', body: [...above, table.element, empty.element],
		aside: [
			notes, pause.note, filter.element, pause.element,
			createExport(what, (kind) => (back ? toFile(kind, back.rows.arranged()) : state.call(id, 'save', { kind })), () => answer?.timestamp ?? null), ...aside,
		],
	});

	// Rows of a time range, as far as its answer is there.
	function lookBack() {
		const found = state.past.of(past.what);

		if (!found)
			return;
		if (back?.answer !== found) {
			const own = columns(state).filter((column) => past.columns.includes(column.id));

			back = { answer: found, columns: back?.columns ?? own, rows: createRows(back?.columns ?? own) };
			back.rows.set(past.rows(found));
		}
		const order = parseSort(sort, past.columns) ?? past.sort;

		table.setSort(order);
		answer = { ...back.rows.window({ filter: filter.valid(), sort: formatSort(order), ...wanted }), sums: {}, timestamp: found.to };
	}

	function ask() {
		if (!state)
			return;
		if (past && !isLive(state.range)) {
			lookBack();
			return;
		}
		if (back) {
			back = null;
			table.setSort(parseSort(sort, ids) ?? plainSort);
		}
		answer = state.select(id, 'table', { table: rows, filter: filter.valid(), sort, ...wanted, hold: pause.paused() });
	}

	// Something else is wanted: the engine's answer comes with an update, one from here is there.
	function again() {
		ask();
		if (back)
			show();
	}

	function pastNote() {
		const all = past.all(back.answer) ?? answer.all;

		return `${exact(answer.count)} of ${exact(all)} ${what}; sums of the time range`;
	}

	// The table has these in sight.
	function needed(first, last) {
		const isThere = (first >= wanted.first + NEAR || wanted.first === 0) && last <= wanted.last - NEAR;

		if (isThere)
			return;
		wanted = { first: Math.max(0, first - AHEAD), last: last + AHEAD };
		again();
	}

	function show() {
		const shown = held ?? state;

		if (!answer)
			return;
		if (!back)
			sums(answer.sums);
		table.setColumns(back ? back.columns : columns(shown));
		table.update(answer);
		setText(notes, answer.all ? back ? pastNote() : note(shown, answer.count, answer.all) : '');
		if (answer.count)
			empty.hide();
		else if (answer.all)
			empty.show(`None of ${exact(answer.all)} ${what} matches the filter.`);
		else
			empty.show(...(back ? ['Nothing is remembered of this time range.'] : hint(shown)));
	}

	return {
		element,
		update(next) {
			if (held && state.received !== next.received)
				pause.missed(answer?.timestamp ?? null);
			state = next;
			ask();
			show();
		},
		setParams(given) {
			const chosenSort = parseSort(given.sort ?? '', ids) ?? plainSort;

			open = given.open ?? null;
			filter.set(given.filter ?? '');
			sort = formatSort(chosenSort);
			table.setSort(chosenSort);
			ask();
		},
		filter,
		focus: table.focus,
	};
}
