// SPDX-License-Identifier: MIT
// Throughput of the whole host, of the last five minutes or of the time range chosen.

import { seriesOf } from '../lib/history.mjs';
import { ratesOf } from '../lib/past.mjs';
import { isLive, windowOf } from '../lib/range.mjs';
import { UNITS, createMirrorChart } from './mirror-chart.mjs';
import { NO_PACKETS, createEmpty, createPanel } from './panel.mjs';
import { createSwitch } from './switch.mjs';

export function createThroughput() {
	const chart = createMirrorChart('Throughput');
	const empty = createEmpty();
	let kind = 'bits';
	let state = null;

	const unit = createSwitch({
		label: 'Unit of the chart',
		choices: Object.entries(UNITS).map(([id, { label }]) => [id, label]),
		chosen: kind,
		choose(next) {
			kind = next;
			if (state)
				draw();
		},
	});
	const element = createPanel({
		id: 'throughput', title: 'Throughput', className: 'wide charted ranged',
		aside: [chart.reading, unit.element],
		body: [chart.element, empty.element],
	});

	function draw() {
		const answer = isLive(state.range) ? null : state.past.of('rates');

		if (!answer && !isLive(state.range))
			return;
		const series = answer ? ratesOf(answer, kind) : seriesOf(state.snapshot, kind);

		if (series.times.length === 0) {
			empty.show(...(answer ? ['Nothing is remembered of this time range.'] : NO_PACKETS));
			chart.clear();
		} else {
			empty.hide();
			chart.show(series, kind, windowOf(state));
		}
	}

	return {
		element,
		update(next) {
			state = next;
			draw();
		},
	};
}
