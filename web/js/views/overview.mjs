// SPDX-License-Identifier: MIT
// The first view: everything at a glance. The numbers come first; the rest is made when they are painted.

import { h } from '../core/dom.mjs';
import { afterPaint } from '../core/slices.mjs';
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

export function createOverview({ params, changed }) {
	const allFlows = h('a', { href: formatRoute('flows') }, 'All flows');
	let chosen = {};
	let flows = null;
	const choose = (more) => {
		chosen = { ...chosen, ...more };
		allFlows.href = formatRoute('flows', chosen);
	};
	const makeFlows = () => {
		flows = createFlows({
			className: 'low',
			aside: [allFlows],
			params(more) {
				choose(more);
				params(more);
			},
		});
		flows.setParams(chosen);
		return flows;
	};
	const makePackets = () => createPackets({ className: 'low', aside: [h('a', { href: formatRoute('packets') }, 'All packets')] });
	const parts = [createTiles()];
	const element = h('div', { class: 'view grid' }, ...parts.map((part) => part.element));
	const whole = afterPaint([
		createAccounting, createAlertList, createThroughput, createProtocols, createTopProcesses, createTopDrops,
		createRttSummary, makeFlows, createInterfaces, createCpus, makePackets, createLosses,
	]).then((made) => {
		parts.push(...made);
		element.append(...made.map((part) => part.element));
		changed();
	});

	return {
		element,
		isWhole: () => parts.length > 1,
		update: (state) => parts.forEach((part) => part.update(state)),
		// at: a part to go to
		setParams({ at, ...given }, moved) {
			if (at && moved)
				whole.then(() => requestAnimationFrame(() => document.getElementById(at)?.scrollIntoView({ block: 'center' })));
			choose(given);
			flows?.setParams(given);
		},
	};
}
