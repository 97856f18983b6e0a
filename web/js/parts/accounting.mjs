// SPDX-License-Identifier: MIT
// The sum that must come out: lines + folded + unattributed = totals.

import { h, setAttribute, setText } from '../core/dom.mjs';
import { verdict } from '../lib/accounting.mjs';
import { exact } from '../lib/format.mjs';
import { LOSS_WORDS, lossLevel, lossRows } from '../lib/losses.mjs';

// What is left out where it is 0.
const RARE = new Set(['before', 'difference']);
const TERMS = [
	['packet_lines', 'packet lines', ''],
	['flow_packets', 'in flow lines', '+'],
	['unattributed', 'unattributed', '+'],
	['before', 'read before this stream', '+'],
	['difference', 'to be read', '+'],
	['total', 'packets counted', '='],
];

function showLosses() {
	document.getElementById('losses')?.scrollIntoView({ block: 'center' });
}

export function createAccounting() {
	const terms = new Map();
	const sum = h('p', { class: 'accounting-sum' });
	const words = h('strong', { class: 'accounting-verdict' });
	const difference = h('span', { class: 'accounting-difference', id: 'accounting-difference' });
	const losses = h('button', { type: 'button', class: 'badge', on: { click: () => showLosses() } });
	const panel = h('section', { class: 'accounting', id: 'accounting', 'aria-label': 'Accounting' },
		h('p', {}, words, ' ', difference, losses), sum);

	for (const [id, label, sign] of TERMS) {
		const number = h('b');
		const element = h('span', { class: 'term' }, sign ? h('b', {}, `${sign} `) : '', number, ` ${label}`);

		terms.set(id, { number, element });
		sum.append(' ', element);
	}
	return {
		element: panel,
		update(state) {
			const { accounting } = state.snapshot;
			const [level, text] = verdict(accounting);
			const loss = lossLevel(lossRows(state));

			terms.forEach((term, id) => {
				setText(term.number, exact(accounting[id]));
				term.element.hidden = RARE.has(id) && !(accounting[id] > 0);
			});
			sum.hidden = accounting.total === null;
			setText(words, text);
			setText(difference, accounting.difference === null ? '' : `difference ${exact(accounting.difference)}`);
			setAttribute(panel, 'data-level', level);
			setText(losses, `Losses: ${LOSS_WORDS[loss]}`);
			setAttribute(losses, 'data-level', loss);
		},
	};
}
