// SPDX-License-Identifier: MIT
// The first view: everything at a glance.

import { h } from '../core/dom.mjs';
import { formatRoute } from '../lib/route.mjs';
import { createAlertList } from '../parts/alerts.mjs';
import { createAccounting } from '../parts/accounting.mjs';
import { createCpus, createInterfaces, createProtocols } from '../parts/breakdowns.mjs';
import { createTopDrops } from '../parts/drops.mjs';
import { createFlows } from '../parts/flows.mjs';
import { createRttSummary } from '../parts/latency.mjs';
import { createLosses } from '../parts/losses.mjs';
import { createPackets } from '../parts/packets.mjs';
import { createTopProcesses } from '../parts/processes.mjs';
import { createThroughput } from '../parts/throughput.mjs';
import { createTiles } from '../parts/tiles.mjs';

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
		createTiles(), createAccounting(), createAlertList(), createThroughput(), createProtocols(), createTopProcesses(),
		createTopDrops(), createRttSummary(), flows, createInterfaces(), createCpus(),
		packets, createLosses(),
	];

	return {
		element: h('div', { class: 'view grid' }, ...parts.map((part) => part.element)),
		update: (state) => parts.forEach((part) => part.update(state)),
		// at: a part to go to
		setParams({ at, ...given }, moved) {
			if (at && moved)
				requestAnimationFrame(() => document.getElementById(at)?.scrollIntoView({ block: 'center' }));
			choose(given);
			flows.setParams(given);
		},
	};
}
