// SPDX-License-Identifier: MIT
// The rate of one thing since it was opened here.

import { h, setText } from '../core/dom.mjs';
import { clock } from '../lib/format.mjs';
import { createRateLog } from '../lib/rate-log.mjs';
import { createMirrorChart } from './mirror-chart.mjs';

// rates(row): { inbound, outbound } in bit/s, each a number or null. -> { element, update(state, row or null) }
export function createRateHistory(subject, rates) {
	const log = createRateLog();
	const chart = createMirrorChart(subject, 'small');
	const note = h('span', { class: 'muted' });
	let seen = null;

	return {
		element: h('div', { class: 'rate-history' }, h('div', { class: 'rate-head' }, note, chart.reading), chart.element),
		update({ received, snapshot }, row) {
			if (seen === received || snapshot.timestamp === null)
				return;
			seen = received;
			log.add(snapshot.timestamp / 1000, snapshot.interval_ms / 1000, row ? rates(row) : null);
			setText(note, `${subject}, since ${clock(log.series().times[0] * 1000)} when it was opened here`);
			chart.show(log.series(), 'bits');
		},
	};
}
