// SPDX-License-Identifier: MIT
// Whether the memory of the page stays flat: `node soak.mjs [MINUTES [FLOWS]]` feeds it a snapshot a second (5 minutes, 10 000
// flows), measures each half minute, and fails if what is in use at the end is more than what the bounds allow.

import { setTimeout as wait } from 'node:timers/promises';

import { launch, openPage, shows, startHttpd } from './helpers.mjs';
import { createManyFlows, createMeter } from './measure.mjs';
import { createTraffic } from './traffic.mjs';

/*
 * After the warm-up tables and charts are full; what is remembered of the past (charts of five minutes, a thousand packets)
 * fills in the first five minutes and weighs a few MB at most. A leak of one snapshot's rows would be 4 MB a second.
 */
const BOUNDS = { heap: 6e6, engineHeap: 12e6, nodes: 200, listeners: 20 };
const WARM_UP_S = 30;
const EVERY_S = 30;

const [minutes = '5', flows = '10000'] = process.argv.slice(2);
const seconds = Number(minutes) * 60;

if (!(seconds > 0) || !(Number(flows) > 0)) {
	console.error('usage: node soak.mjs [MINUTES [FLOWS]]');
	process.exit(2);
}

function report(at, taken) {
	console.log(`${String(at).padStart(5)} s: page ${(taken.heap / 1e6).toFixed(2)} MB, engine ${(taken.engineHeap / 1e6).toFixed(2)} MB, ` +
		`${taken.nodes} nodes, ${taken.listeners} listeners`);
}

async function soak(page, httpd, next) {
	const meter = await createMeter(page);
	let first = null;
	let last = null;

	for (let second = 0; second <= WARM_UP_S + seconds; second++) {
		const tick = wait(1000);
		const snapshot = next();

		await httpd.write(snapshot);
		await shows(page, snapshot);
		if (second >= WARM_UP_S && (second - WARM_UP_S) % EVERY_S === 0) {
			last = await meter.take();
			first ??= last;
			report(second - WARM_UP_S, last);
		}
		await tick;
	}
	return Object.entries(BOUNDS).filter(([name, most]) => last[name] - first[name] > most)
		.map(([name, most]) => `${name} grew by ${last[name] - first[name]}, more than ${most}`);
}

const browser = await launch();
const httpd = await startHttpd();
try {
	const next = createManyFlows(createTraffic({ seed: 3, flows: 400, limit: 300 }), Number(flows));

	await httpd.write(next());
	const page = await openPage(browser, `${httpd.url}#/flows`);
	const faults = [...await soak(page, httpd, next), ...page.faults];

	faults.forEach((fault) => console.error(fault));
	console.log(faults.length ? 'soak: not flat' : `soak: flat over ${minutes} minutes at ${flows} flows`);
	process.exitCode = faults.length ? 1 : 0;
} finally {
	await browser.close();
	await httpd.stop();
}
