// SPDX-License-Identifier: MIT
// A panel with a short table: sorts, exports, says what to do when there is nothing.

import { h, setText } from '../core/dom.mjs';
import { hostColumn } from '../lib/column.mjs';
import { exact } from '../lib/format.mjs';
import { createExport } from './export.mjs';
import { createEmpty, createPanel } from './panel.mjs';
import { createTable } from './table.mjs';

/*
 * rows(state, subject) is what it shows, columns(sums) with which columns, sums() of what sum(rows) says; byHost: a column of
 * hosts where there are several. what: the words of the export. empty(state): [sentence, command]. limit: so many rows at
 * most, of all in the order of `sort`. aside, below: more in the head, and under the table. bare: without a frame of its own.
 */
export function createShortTable(options) {
	const {
		id, title, what = title.toLowerCase(), caption = title, className = '', rows, columns, sum = () => ({}), sort,
		byHost = false, empty: emptyWords = () => ['Nothing counted yet.'], opens = null, key, aside = [], above = [], below = [],
		size = 'short',
	} = options;
	let sums = sum([]);
	let several = false;
	let timestamp = null;
	const own = columns(() => sums);
	const many = h('span', { class: 'muted', id: `${id}-count` });
	const table = createTable({ caption, columns: own, sort, className: size, opens, key });
	const empty = createEmpty();
	const element = createPanel({
		id, title, className, aside: [many, ...aside, createExport(what, table.rows, () => timestamp)],
		body: [...above, table.element, empty.element, ...below],
	});

	return {
		element,
		update(state, subject) {
			const { snapshot } = state;
			const shown = rows(state, subject);

			timestamp = snapshot.timestamp;
			sums = sum(shown);
			if (byHost && several !== snapshot.hosts.length > 1) {
				several = !several;
				table.setColumns(several ? [hostColumn, ...own] : own);
			}
			table.update(shown);
			setText(many, shown.length ? exact(shown.length) : '');
			if (shown.length)
				empty.hide();
			else
				empty.show(...emptyWords(state));
		},
	};
}
