// SPDX-License-Identifier: MIT
// A panel with a live table: filter, sort and pause, kept in the URL where the view wants it.

import { h, setText } from '../core/dom.mjs';
import { exact } from '../lib/format.mjs';
import { formatSort, parseSort } from '../lib/route.mjs';
import { createFilterBox } from './filter-box.mjs';
import { createEmpty, createPanel } from './panel.mjs';
import { createPause } from './pause.mjs';
import { createTable } from './table.mjs';

/*
 * what: "flows". columns(state), rows(state) and note(state, shown, all) say what is in it, hint(state) what to do when
 * there is nothing: [sentence, command]. sort is the order without a choice, ids are the columns to sort by.
 * params(params) is told of choices. aside: more for the head.
 */
export function createLiveTable(options) {
	const { id, title, what, columns, ids, sort, rows, note, hint, params = () => {}, className = '', aside = [] } = options;
	const plain = formatSort(sort);
	let latest = null;	// state that came last
	let state = null;	// state that is shown
	let given = [];
	const filter = createFilterBox({
		id: `${id}-filter`,
		label: `Filter ${what}`,
		changed(text) {
			params({ filter: text });
			show();
		},
	});
	const pause = createPause(what, () => {
		if (!pause.paused() && latest)
			take();
	});
	const table = createTable({
		caption: title, columns: [], sort, long: true, className,
		sorted: (next) => params({ sort: formatSort(next) === plain ? '' : formatSort(next) }),
	});
	const empty = createEmpty();
	const notes = h('p', { class: 'panel-note', id: `${id}-note` });
	const element = createPanel({
		id, title, className: 'full', aside: [notes, pause.note, filter.element, pause.element, ...aside],
		body: [table.element, empty.element],
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
		setParams(chosen) {
			filter.set(chosen.filter ?? '');
			table.setSort(parseSort(chosen.sort ?? '', ids) ?? sort);
		},
	};
}
