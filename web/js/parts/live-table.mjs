// SPDX-License-Identifier: MIT
// A panel with a live table: filter, sort and pause, kept in the URL where the view wants it.

import { h, setText } from '../core/dom.mjs';
import { exact } from '../lib/format.mjs';
import { formatSort, parseSort } from '../lib/route.mjs';
import { createExport } from './export.mjs';
import { createFilterBox } from './filter-box.mjs';
import { createEmpty, createPanel } from './panel.mjs';
import { createPause } from './pause.mjs';
import { createTable } from './table.mjs';

/*
 * what: "flows". columns(state), rows(state) and note(state, shown, all) say what is in it, hint(state) what to do when
 * there is nothing: [sentence, command]. sort is the order without a choice, ids are the columns to sort by.
 * params(params) is told of choices. aside: more for the head, above: more over the table. examples, placeholder: of
 * the filter. opens(row): the hash of its details, key(row) names it; the row open in the URL is marked.
 * chosen(text): told of each filter text.
 */
export function createLiveTable(options) {
	const {
		id, title, what, columns, ids, sort, rows, note, hint, params = () => {}, className = '', aside = [], above = [],
		examples, placeholder, opens = null, key, chosen = () => {},
	} = options;
	const plain = formatSort(sort);
	let latest = null;	// state that came last
	let state = null;	// state that is shown
	let given = [];
	let open = null;
	const filter = createFilterBox({
		id: `${id}-filter`,
		label: `Filter ${what}`,
		examples,
		placeholder,
		changed(text) {
			params({ filter: text });
			chosen(text);
			show();
		},
	});
	const pause = createPause(what, () => {
		if (!pause.paused() && latest)
			take();
	});
	const table = createTable({
		caption: title, columns: [], sort, long: true, className, opens, key, current: () => open,
		sorted: (next) => params({ sort: formatSort(next) === plain ? '' : formatSort(next) }),
	});
	const empty = createEmpty();
	const notes = h('p', { class: 'panel-note', id: `${id}-note` });
	const element = createPanel({
		id, title, className: 'full', body: [...above, table.element, empty.element],
		aside: [
			notes, pause.note, filter.element, pause.element,
			createExport(what, table.rows, () => state?.snapshot.timestamp ?? null), ...aside,
		],
	});

	function show() {
		if (!state)
			return;
		const shown = filter.isEmpty() ? given : given.filter(filter.test);

		table.update(shown);
		setText(notes, given.length ? note(state, shown.length, given.length) : '');
		if (shown.length)
			empty.hide();
		else if (given.length)
			empty.show(`None of ${exact(given.length)} ${what} matches the filter.`);
		else
			empty.show(...hint(state));
	}

	function take() {
		state = latest;
		given = rows(state);
		table.setColumns(columns(state));
		show();
	}

	return {
		element,
		update(next) {
			const fresh = latest?.received !== next.received;

			latest = next;
			if (!pause.paused())
				take();
			else if (fresh && state)
				pause.missed(state.snapshot.timestamp);
		},
		setParams(wanted) {
			open = wanted.open ?? null;
			filter.set(wanted.filter ?? '');
			table.setSort(parseSort(wanted.sort ?? '', ids) ?? sort);
		},
		filter,
		focus: table.focus,
	};
}
