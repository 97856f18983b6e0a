// SPDX-License-Identifier: MIT
// The first view: everything at a glance.

import { h } from '../core/dom.js';
import { formatRoute } from '../lib/route.js';
import { createAccounting } from '../parts/accounting.js';
import { createCpus, createInterfaces, createProtocols } from '../parts/breakdowns.js';
import { createFlows } from '../parts/flows.js';
import { createLosses } from '../parts/losses.js';
import { createPackets } from '../parts/packets.js';
import { createThroughput } from '../parts/throughput.js';
import { createTiles } from '../parts/tiles.js';

export function createOverview({ params }) {
	const allFlows = h('a', { href: formatRoute('flows') }, 'All flows');
	let chosen = {};
	const choose = (more) => {
		chosen = { ...chosen, ...more };
		allFlows.href = formatRoute('flows', chosen);
	};
	const flows = createFlows({
		className: 'low',
		aside: [allFlows],
		params(more) {
			choose(more);
			params(more);
		},
	});
	const packets = createPackets({ className: 'low', aside: [h('a', { href: formatRoute('packets') }, 'All packets')] });
	const parts = [
		createTiles(), createAccounting(), createThroughput(), createProtocols(), flows, createInterfaces(), createCpus(),
		packets, createLosses(),
	];

	return {
		element: h('div', { class: 'view grid' }, ...parts.map((part) => part.element)),
		update: (state) => parts.forEach((part) => part.update(state)),
		setParams(given) {
			choose(given);
			flows.setParams(given);
		},
	};
}
