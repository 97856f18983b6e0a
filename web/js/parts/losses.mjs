// SPDX-License-Identifier: MIT
// What was lost or left out, by cause.

import { h, setAttribute, setText } from '../core/dom.mjs';
import { exact } from '../lib/format.mjs';
import { LOSS_WORDS, lossLevel, lossRows } from '../lib/losses.mjs';
import { createExport } from './export.mjs';
import { createPanel } from './panel.mjs';

function createRow({ id, label, hint }) {
	const count = h('td', { class: 'k-number', id: `loss-${id}` });
	const help = h('p', { class: 'hint', hidden: true }, hint);
	const element = h('tr', { title: hint }, h('th', { scope: 'row' }, label, help), count);

	return {
		element,
		update(row) {
			const level = row.count > 0 ? row.weight : row.count === null ? 'unknown' : 'none';

			setText(count, exact(row.count));
			setAttribute(element, 'data-level', level);
			help.hidden = !(row.count > 0);
		},
	};
}

export function createLosses() {
	const level = h('span', { class: 'badge', id: 'loss-level' });
	const rows = new Map();
	let now = [];
	let timestamp = null;
	const body = h('tbody');
	const table = h('table', { class: 'losses' }, h('caption', { class: 'unseen' }, 'Losses by cause'),
		h('thead', { class: 'unseen' }, h('tr', {}, h('th', { scope: 'col' }, 'Cause'), h('th', { scope: 'col' }, 'Count'))),
		body);
	const element = createPanel({
		id: 'losses', title: 'Losses', body: [table],
		aside: [level, createExport('losses', () => now, () => timestamp)],
	});

	return {
		element,
		update(state) {
			now = lossRows(state);
			timestamp = state.snapshot.timestamp;

			for (const row of now) {
				if (!rows.has(row.id)) {
					rows.set(row.id, createRow(row));
					body.append(rows.get(row.id).element);
				}
				rows.get(row.id).update(row);
			}
			setText(level, LOSS_WORDS[lossLevel(now)]);
			setAttribute(level, 'data-level', lossLevel(now));
		},
	};
}
