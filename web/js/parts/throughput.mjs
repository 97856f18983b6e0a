// SPDX-License-Identifier: MIT
// Five minutes of throughput of the whole host.

import { seriesOf } from '../lib/history.mjs';
import { UNITS, createMirrorChart } from './mirror-chart.mjs';
import { NO_PACKETS, createEmpty, createPanel } from './panel.mjs';
import { createSwitch } from './switch.mjs';

export function createThroughput() {
	const chart = createMirrorChart('Throughput of the last five minutes');
	const empty = createEmpty();
	let kind = 'bits';
	let snapshot = null;

	const unit = createSwitch({
		label: 'Unit of the chart',
		choices: Object.entries(UNITS).map(([id, { label }]) => [id, label]),
		chosen: kind,
		choose(next) {
			kind = next;
			if (snapshot)
				draw();
		},
	});
	const element = createPanel({
		id: 'throughput', title: 'Throughput', className: 'wide charted',
		aside: [chart.reading, unit.element],
		body: [chart.element, empty.element],
	});

	function draw() {
		const series = seriesOf(snapshot, kind);

		if (series.times.length === 0) {
			empty.show(...NO_PACKETS);
			chart.clear();
		} else {
			empty.hide();
			chart.show(series, kind);
		}
	}

	return {
		element,
		update(state) {
			snapshot = state.snapshot;
			draw();
		},
	};
}
