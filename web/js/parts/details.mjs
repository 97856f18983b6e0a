// SPDX-License-Identifier: MIT
// The panel beside a table with everything about the row that the URL names.

import { h, setHidden, setText } from '../core/dom.mjs';
import { clock } from '../lib/format.mjs';
import { createEmpty } from './panel.mjs';

/*
 * what: "process". rows: a name in lib/tables.mjs. title(row). build(): { element, update(state, row) } for a thing that is
 * opened. closeHref(): the hash without it, closed(key) is told. -> { element, setKey(key), update(state) }
 */
export function createDetails({ what, rows, title, build, closeHref, closed }) {
	const heading = h('h2', { tabindex: '-1', id: 'details-title' }, '');
	const gone = h('p', { class: 'details-gone', role: 'status', hidden: true });
	const empty = createEmpty();
	const close = h('a', { class: 'button close', 'aria-label': `Close the details of this ${what}` }, 'Close');
	const body = h('div', { class: 'details-body' });
	const element = h('section', { class: 'panel details', id: 'details', 'aria-labelledby': heading.id, hidden: true, on: { keydown: keys } },
		h('header', { class: 'panel-head' }, heading, h('div', { class: 'panel-aside' }, close)), gone, body, empty.element);
	let key = null;
	let parts = null;
	let row = null;
	let lastSeen = null;
	let wantsFocus = false;

	function keys(event) {
		if (event.key === 'Escape' && !event.defaultPrevented)
			close.click();
	}

	function forget() {
		parts = null;
		row = null;
		body.replaceChildren();
		setText(heading, '');
	}

	function showMissing(state) {
		setHidden(gone, !row);
		if (row)
			setText(gone, `Not among the rows of the snapshot any more: what you see is from ${clock(lastSeen)}.`);
		else if (state.received > 0)
			empty.show(`This ${what} is not among the rows of the snapshot: it is over, or too quiet to be shown.`);
		setText(heading, row ? title(row) : key);
	}

	function update(state) {
		if (key === null)
			return;
		const answer = state.select(`details ${rows} ${key}`, 'row', { table: rows, key });
		const found = answer?.row ?? null;

		close.href = closeHref();
		if (!answer && state.received > 0) {
			setText(heading, key);
			return;
		}
		if (found) {
			row = found;
			lastSeen = state.snapshot.timestamp;
			empty.hide();
			setHidden(gone, true);
			if (!parts) {
				parts = build();
				body.replaceChildren(parts.element);
			}
			setText(heading, title(row));
		} else {
			showMissing(state);
		}
		if (row)
			parts.update(state, row, found !== null);
		if (wantsFocus) {
			wantsFocus = false;
			heading.focus();
		}
	}

	return {
		element,
		update,
		// by: whether somebody opened it now, and it did not come with the page
		setKey(next, by) {
			const before = key;

			if (next === before)
				return;
			forget();
			empty.hide();
			setHidden(gone, true);
			key = next;
			setHidden(element, key === null);
			wantsFocus = by && key !== null;
			if (by && key === null)
				closed(before);
		},
	};
}
