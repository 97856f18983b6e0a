// SPDX-License-Identifier: MIT
// How fast the page is in headless Chromium: `node browser.mjs [ROUNDS]` prints a JSON line a measure: { what, unit, values, limit }.
// $BIN/httpd serves it from loopback, warm; every page is a new one with an empty cache.

import { launch, openPage, shows, startHttpd } from '../browser/helpers.mjs';
import { createManyFlows, watchPage } from '../browser/measure.mjs';
import { createTraffic } from '../browser/traffic.mjs';

const rounds = Number(process.argv[2] ?? 5);
const UPDATES = 60;	// rows a second that are new
const SECONDS = 5;

const say = (what, unit, values, limit) => console.log(JSON.stringify({ what, unit, values, limit }));
const most = (tasks) => Math.max(0, ...tasks);

async function paint(browser, httpd) {
	const page = await openPage(browser, httpd.url, { init: watchPage });

	await page.waitForFunction(() => window.firstNumbers);
	const ms = await page.evaluate(() => window.firstNumbers);

	await page.context().close();
	return ms;
}

/*
 * The longest task of the page, in ms, while `next` makes `times` snapshots a second for some seconds. What it takes to begin is not
 * counted: that is the paint. Chromium tells tasks of 50 ms and more; shorter ones are 0.
 */
async function longest(browser, httpd, { next, times, path }) {
	const page = await openPage(browser, httpd.url + path, { init: watchPage });
	let snapshot = next();

	await httpd.write(snapshot);
	await shows(page, snapshot);
	await page.evaluate(() => { window.longTasks = []; });
	for (let i = 0; i < times * SECONDS; i++) {
		const due = new Promise((resolve) => { setTimeout(resolve, 1000 / times); });

		snapshot = next();
		await httpd.write(snapshot);
		await due;
	}
	await shows(page, snapshot);
	const tasks = await page.evaluate(() => window.longTasks);

	await page.context().close();
	return most(tasks);
}

// A snapshot with one flow more each time.
function createTrickle(traffic) {
	const base = traffic.next();
	let count = 0;

	return () => {
		count++;
		return {
			...base, seq: base.seq + count, timestamp: base.timestamp + (count * 1000) / UPDATES,
			flows: [...base.flows, ...Array.from({ length: count }, (_, i) => ({ ...base.flows[0], src_port: i, bps: 1e9 + i }))],
		};
	};
}

const browser = await launch();
const httpd = await startHttpd();
try {
	const traffic = createTraffic({ seed: 3, flows: 400, limit: 300 });

	await httpd.write(traffic.next());
	await paint(browser, httpd);
	const paints = [];
	const rows = [];
	const flows = [];

	for (let i = 0; i < rounds; i++) {
		paints.push(await paint(browser, httpd));
		rows.push(await longest(browser, httpd, { next: createTrickle(traffic), times: UPDATES, path: '#/flows' }));
		flows.push(await longest(browser, httpd, { next: createManyFlows(traffic, 10000), times: 1, path: '#/flows' }));
	}
	say('page: first numbers painted, warm server, empty cache', 'ms', paints, 300);
	say(`page: longest task at ${UPDATES} new rows a second`, 'ms', rows, 50);
	say('page: longest task at 10 000 flows a second', 'ms', flows, 50);
} finally {
	await browser.close();
	await httpd.stop();
}
