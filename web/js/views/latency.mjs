// SPDX-License-Identifier: MIT
// How long answers take.

import { h } from '../core/dom.mjs';
import { createLatencyCharts, createLatencyTable } from '../parts/latency.mjs';

export function createLatencyView({ params }) {
	const table = createLatencyTable({ params });
	const parts = [createLatencyCharts(), table];

	return {
		element: h('div', { class: 'view stack' }, ...parts.map((part) => part.element)),
		update: (state) => parts.forEach((part) => part.update(state)),
		setParams: table.setParams,
	};
}
