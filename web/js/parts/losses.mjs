// SPDX-License-Identifier: MIT
// What was lost or left out, by cause.

import { h, setAttribute, setHidden, setText } from '../core/dom.mjs';
import { toFile } from '../lib/export.mjs';
import { exact } from '../lib/format.mjs';
import { LOSS_WORDS, lossLevel, lossRows, lossSentence } from '../lib/losses.mjs';
import { createExport } from './export.mjs';
import { createPanel } from './panel.mjs';

function createRow({ id, label, hint }) {
	const count = h('td', { class: 'k-number', id: `loss-${id}` });
	const help = h('p', { class: 'hint', hidden: true }, hint);
	const element = h('tr', { title: hint }, h('th', { scope: 'row' }, label, help), count);

	return {
		element,
		update(row, all) {
			const level = row.count > 0 ? row.weight : row.count === null ? 'unknown' : 'none';

			setText(count, exact(row.count));
			setAttribute(element, 'data-level', level);
			help.hidden = !(row.count > 0);
			setHidden(element, !all && !(row.count > 0));
		},
	};
}

export function createLosses() {
	const level = h('span', { class: 'badge', id: 'loss-level' });
	const sentence = h('p', { class: 'panel-note', id: 'loss-sentence' });
	let all = false;
	const toggle = h('button', { type: 'button', id: 'loss-all', 'aria-pressed': 'false', on: { click: () => showAll() } }, 'All causes');
	const rows = new Map();
	let now = [];
	let timestamp = null;
	const body = h('tbody');
	const table = h('table', { class: 'losses' }, h('caption', { class: 'unseen' }, 'Losses by cause'),
		h('thead', { class: 'unseen' }, h('tr', {}, h('th', { scope: 'col' }, 'Cause'), h('th', { scope: 'col' }, 'Count'))),
		body);
	const element = createPanel({
		id: 'losses', title: 'Losses', body: [sentence, table],
		aside: [level, toggle, createExport('losses', (kind) => toFile(kind, now), () => timestamp)],
	});

	function show() {
		for (const row of now) {
			if (!rows.has(row.id)) {
				rows.set(row.id, createRow(row));
				body.append(rows.get(row.id).element);
			}
			rows.get(row.id).update(row, all);
		}
		setHidden(table, !all && !now.some((row) => row.count > 0));
	}

	function showAll() {
		all = !all;
		setAttribute(toggle, 'aria-pressed', String(all));
		show();
	}

	return {
		element,
		update(state) {
			now = lossRows(state);
			timestamp = state.snapshot.timestamp;
			show();
			setText(sentence, lossSentence(now));
			setText(level, LOSS_WORDS[lossLevel(now)]);
			setAttribute(level, 'data-level', lossLevel(now));
		},
	};
}
