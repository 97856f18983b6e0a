// SPDX-License-Identifier: MIT
// How fast the page is in headless Chromium: `node browser.mjs [ROUNDS]` prints a JSON line a measure: { what, unit, values, limit },
// the limit null where there is none. $BIN/httpd serves it from loopback, warm; every page is a new one with an empty cache.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { launch, openPage, shows, startHttpd } from '../browser/helpers.mjs';
import { createManyFlows, watchPage } from '../browser/measure.mjs';
import { createTraffic } from '../browser/traffic.mjs';

const rounds = Number(process.argv[2] ?? 5);
const UPDATES = 60;	// rows a second that are new
const SECONDS = 5;

const say = (what, unit, values, limit) => console.log(JSON.stringify({ what, unit, values, limit }));
const most = (tasks) => Math.max(0, ...tasks);

// The floor of the first numbers: a document with one number and a script of a line, from the same server.
const BARE = {
	'index.html': '<!doctype html><title>bare</title><p id="tile-packets">1</p><script src="bare.js"></script>',
	'bare.js': "document.getElementById('tile-packets').dataset.exact = '1';",
};

async function startBare() {
	const folder = await mkdtemp(join(tmpdir(), 'jopil-bare-'));

	await chmod(folder, 0o755);	// for nobody
	await Promise.all(Object.entries(BARE).map(([name, text]) => writeFile(join(folder, name), text)));
	const httpd = await startHttpd({ args: ['--web', folder] });

	return { ...httpd, stop: () => Promise.all([httpd.stop(), rm(folder, { recursive: true })]) };
}

async function paint(browser, httpd) {
	const page = await openPage(browser, httpd.url, { init: watchPage });

	await page.waitForFunction(() => window.firstNumbers);
	const ms = await page.evaluate(() => window.firstNumbers);

	await page.context().close();
	return ms;
}

// The CPU time of the costliest task of the page's thread, in ms, from a trace of the browser.
function costliest(trace) {
	const { traceEvents } = JSON.parse(trace);
	const { pid, tid } = traceEvents.find(({ name }) => name === 'measured');
	const tasks = traceEvents.filter((event) => event.pid === pid && event.tid === tid && event.name.endsWith('RunTask'));

	return most(tasks.map(({ tdur }) => (tdur ?? 0) / 1000));
}

/*
 * The longest task of the page while `next` makes `times` snapshots a second for some seconds: { ms, cpu } (ms). What it takes to
 * begin is not counted: that is the paint. Chromium tells tasks of 50 ms and more; shorter ones are 0.
 */
async function longest(browser, httpd, { next, times, path }) {
	const page = await openPage(browser, httpd.url + path, { init: watchPage });
	let snapshot = next();

	await httpd.write(snapshot);
	await shows(page, snapshot);
	await browser.startTracing(null, { categories: ['toplevel', 'blink.user_timing'] });
	await page.evaluate(() => {
		performance.mark('measured');
		window.longTasks = [];
	});
	for (let i = 0; i < times * SECONDS; i++) {
		const due = new Promise((resolve) => { setTimeout(resolve, 1000 / times); });

		snapshot = next();
		await httpd.write(snapshot);
		await due;
	}
	await shows(page, snapshot);
	const tasks = await page.evaluate(() => window.longTasks);
	const cpu = costliest(await browser.stopTracing());

	await page.context().close();
	return { ms: most(tasks), cpu };
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
const bare = await startBare();
try {
	const traffic = createTraffic({ seed: 3, flows: 400, limit: 300 });

	await httpd.write(traffic.next());
	await paint(browser, httpd);
	await paint(browser, bare);
	const paints = [];
	const floors = [];
	const rows = [];
	const flows = [];

	for (let i = 0; i < rounds; i++) {
		paints.push(await paint(browser, httpd));
		floors.push(await paint(browser, bare));
		rows.push(await longest(browser, httpd, { next: createTrickle(traffic), times: UPDATES, path: '#/flows' }));
		flows.push(await longest(browser, httpd, { next: createManyFlows(traffic, 10000), times: 1, path: '#/flows' }));
	}
	say('page: first numbers painted, warm server, empty cache', 'ms', paints, 300);
	say('page: a document with one number painted', 'ms', floors, null);
	for (const [what, found] of [[`${UPDATES} new rows a second`, rows], ['10 000 flows a second', flows]]) {
		say(`page: longest task at ${what}`, 'ms', found.map(({ ms }) => ms), 50);
		say(`page: CPU time of the costliest task at ${what}`, 'ms', found.map(({ cpu }) => cpu), null);
	}
} finally {
	await browser.close();
	await httpd.stop();
	await bare.stop();
}
