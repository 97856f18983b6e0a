// SPDX-License-Identifier: MIT
// The sum that must come out: lines + folded + unattributed = totals.

import { h, setAttribute, setText } from '../core/dom.js';
import { exact } from '../lib/format.js';
import { LOSS_WORDS, lossLevel, lossRows } from '../lib/losses.js';

const TERMS = [
	['packet_lines', 'packet lines', ''],
	['flow_packets', 'in flow lines', '+'],
	['unattributed', 'unattributed', '+'],
	['total', 'packets counted', '='],
];

function verdict({ total, difference }) {
	if (total === null || difference === null)
		return ['none', 'No accounting yet'];
	if (difference === 0)
		return ['exact', total === 0 ? 'Nothing to count yet' : 'Every packet counted exactly once'];
	const less = difference > 0;
	return ['off', less ? 'The lines lack packets that the totals have' : 'The lines have packets that the totals lack'];
}

function showLosses() {
	document.getElementById('losses')?.scrollIntoView({ block: 'center' });
}

export function createAccounting() {
	const numbers = new Map();
	const sum = h('p', { class: 'accounting-sum' });
	const words = h('strong', { class: 'accounting-verdict' });
	const difference = h('span', { class: 'accounting-difference', id: 'accounting-difference' });
	const losses = h('button', { type: 'button', class: 'badge', on: { click: () => showLosses() } });
	const element = h('section', { class: 'accounting', id: 'accounting', 'aria-label': 'Accounting' },
		h('p', {}, words, ' ', difference, losses), sum);

	for (const [id, label, sign] of TERMS) {
		const number = h('b');

		numbers.set(id, number);
		sum.append(' ', h('span', { class: 'term' }, sign ? h('b', {}, `${sign} `) : '', number, ` ${label}`));
	}
	return {
		element,
		update(state) {
			const { accounting } = state.snapshot;
			const [level, text] = verdict(accounting);
			const loss = lossLevel(lossRows(state));

			numbers.forEach((number, id) => setText(number, exact(accounting[id])));
			sum.hidden = accounting.total === null;
			setText(words, text);
			setText(difference, accounting.difference === null ? '' : `difference ${exact(accounting.difference)}`);
			setAttribute(element, 'data-level', level);
			setText(losses, `Losses: ${LOSS_WORDS[loss]}`);
			setAttribute(losses, 'data-level', loss);
		},
	};
}
