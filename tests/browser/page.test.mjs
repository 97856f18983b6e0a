// SPDX-License-Identifier: MIT
// The core of the page in a real browser: time range, topics of the feed, reconnection, the engine, memory.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { axeViolations, becomes, launch, openPage, packetsTotal, settled, shows, startHttpd } from './helpers.mjs';
import { createManyFlows, createMeter } from './measure.mjs';
import { createTraffic, nastySnapshot } from './traffic.mjs';

let browser;

before(async () => {
	browser = await launch();
});

after(() => browser?.close());

/*
 * A server of its own that has seen `past` snapshots, and a page of it. through(url): what the page is given instead of it.
 * act(page, feed, { httpd, seen: what was written, traffic })
 */
async function withPage(act, { path = '', past = 1, through = (url) => url, args = [], start, ...options } = {}) {
	const httpd = await startHttpd({ args });
	const traffic = createTraffic({ seed: 3, flows: 60, limit: 60, history: 20, start });
	const seen = [];
	let page;

	try {
		for (let i = 0; i < past; i++) {
			seen.push(traffic.next());
			await httpd.write(seen.at(-1));
		}
		page = await openPage(browser, through(httpd.url) + path, options);
		await shows(page, seen.at(-1));
		await act(page, async (snapshot = traffic.next()) => {
			seen.push(snapshot);
			await httpd.write(snapshot);
			await shows(page, snapshot);
			return snapshot;
		}, { httpd, seen, traffic });
		assert.deepEqual(page.faults, []);
	} finally {
		await page?.context().close();
		await httpd.stop();
	}
}

const rows = (page, panel) => page.locator(`#${panel} tbody tr:not(.space)`);
const titles = (page, panel, cell) => page.locator(`#${panel} tbody tr:not(.space) > :nth-child(${cell})`).evaluateAll((all) => all.map((one) => one.title));
const range = (page, name) => page.getByRole('group', { name: 'Time range' }).getByRole('button', { name, exact: true });
const words = (page) => page.locator('#range-words');

// Waits until the page shows the past that it asked for.
async function ranged(page, text) {
	await words(page).filter({ hasText: text }).waitFor();
	await settled(page);
}

// ---- time range --------------------------------------------------------------

test('range: charts and tables show the sums of the range, exactly; the others say that they are live', () => withPage(async (page, feed, { seen }) => {
	await range(page, '1 min').click();
	await ranged(page, /^the last 1 min; older is not remembered$/);
	assert.match(page.url(), /#\/overview\?range=1m$/);
	const bytes = (snapshot, proto) => snapshot.protocols.find((row) => row.proto === proto)?.bytes ?? 0;
	const sums = seen.at(-1).protocols.map(({ proto }) => [proto, bytes(seen.at(-1), proto) - bytes(seen[0], proto)])
		.filter(([, sum]) => sum > 0).sort((a, b) => b[1] - a[1]);
	assert.deepEqual(await titles(page, 'protocols', 2), sums.map(([, sum]) => `${sum.toLocaleString('en')} bytes`));
	assert.match(await page.locator('#flows h2').evaluate((head) => getComputedStyle(head, '::after').content), /live/);
	assert.equal(await page.locator('#throughput h2').evaluate((head) => getComputedStyle(head, '::after').content), 'none');
	assert.match(await page.locator('.chart').first().getAttribute('aria-label'), /In: now .*bit\/s, peak/);
	assert.deepEqual(await axeViolations(page), []);
	// It goes along to the other views.
	await page.getByRole('link', { name: 'Processes', exact: true }).click();
	await page.waitForURL(/#\/processes\?range=1m$/);
	await page.locator('#processes-note', { hasText: 'sums of the time range' }).waitFor();
	const moved = new Map(seen[0].processes.map((row) => [row.pid, row.rx_bytes]));
	const received = seen.at(-1).processes.map((row) => row.rx_bytes - (moved.get(row.pid) ?? 0)).sort((a, b) => b - a);
	assert.deepEqual(await titles(page, 'processes', 3), received.map((sum) => `${sum.toLocaleString('en')} bytes`));
	await page.locator('#range-live').click();
	await page.waitForURL(/#\/processes$/);
	await page.locator('#processes thead button', { hasText: '↓ In' }).waitFor();
	assert.equal(await words(page).textContent(), '');
}, { past: 20 }));

// A database of 60 days that end now, an hour a line: in each, process n of three received 1000 (n + 1) bytes.
async function recordDays() {
	const folder = mkdtempSync(join(tmpdir(), 'jopil-past-'));
	const path = join(folder, 'flows.db');
	const child = spawn(join(process.env.BIN ?? 'build/bin', 'recorder'), ['--db', path], { stdio: ['pipe', 'ignore', 'inherit'] });
	const now = Date.now();

	for (let hour = 60 * 24; hour > 0; hour--)
		for (let n = 0; n < 3; n++)
			child.stdin.write(`${JSON.stringify({
				type: 'process', timestamp: now - hour * 3600_000, pid: 10 + n, command: `old${n}`, uid: 0, ip_version: 4, proto: 'TCP',
				remote_ip: `10.0.0.${n}`, remote_port: 443, tx_bytes: 10, rx_bytes: 1000 * (n + 1), tx_calls: 1, rx_calls: 1,
			})}\n`);
	child.stdin.end();
	await once(child, 'exit');
	chmodSync(folder, 0o755);
	for (const name of readdirSync(folder))
		chmodSync(join(folder, name), 0o644);
	return { folder, path };
}

test('range: months back, from the database: choices, one request a view, sums, dates on the axes', async () => {
	const { folder, path } = await recordDays();
	const asked = [];

	try {
		await withPage(async (page, feed, { httpd }) => {
			const json = async (url) => (await fetch(url)).json();
			const database = async () => (await json(`${httpd.url}api/stats`)).httpd.database;

			page.on('request', (request) => request.url().includes('/api/history') && asked.push(request.url()));
			while ((await database()).oldest === null);
			await page.reload();
			await range(page, '30 days').click();
			await ranged(page, /^the last 30 days$/);
			await page.locator('#processes-note', { hasText: 'sums of the time range' }).waitFor();
			assert.equal(asked.length, 1);
			const [url] = asked;
			const answer = await json(url);
			const received = (name) => answer.processes.find((row) => row.command === name).rx_bytes;

			assert.equal(answer.step_ms, 3600_000);
			// 30 days, and what of the hour that they begin in lies before.
			assert.ok([720, 721].includes(received('old0') / 1000), received('old0'));
			assert.equal(received('old2'), 3 * received('old0'));
			assert.deepEqual((await titles(page, 'processes', 3)).slice(0, 3),
				[3, 2, 1].map((n) => `${(n * received('old0')).toLocaleString('en')} bytes`));
			const name = await rows(page, 'processes').first().innerText();
			assert.match(name, /old2/);
			// Another view, another question; a range within the database by dates.
			await page.getByRole('link', { name: 'Hosts', exact: true }).click();
			await page.locator('#hosts-note', { hasText: 'sums of the time range' }).waitFor();
			assert.equal(asked.length, 2);
			await page.getByRole('link', { name: 'Overview', exact: true }).click();
			await ranged(page, /^the last 30 days$/);
			const marks = page.locator('#throughput .chart');
			await marks.waitFor();
			await page.getByText('From \u2026 to').click();
			await page.getByLabel('From', { exact: true }).fill('2020-01-01T00:00');
			await page.getByLabel('To', { exact: true }).fill(new Date(Date.now() - 86400_000).toISOString().slice(0, 16));
			await page.getByRole('button', { name: 'Show' }).click();
			await page.waitForURL(/range=\d+\.\.\d+$/);
			await ranged(page, /; recorded since \d{4}-\d\d-\d\d \d\d:\d\d$/);
			assert.deepEqual(await axeViolations(page), []);
			await range(page, '6 h').click();
			await ranged(page, /^the last 6 h$/);
		}, { path: '#/processes', past: 3, args: ['--db', path], start: Date.now() - 3000 });
	} finally {
		rmSync(folder, { recursive: true });
	}
});

test('range: without a database an hour is all that is offered', () => withPage(async (page) => {
	assert.equal(await range(page, '1 h').isVisible(), true);
	assert.equal(await range(page, '6 h').isVisible(), false);
	assert.equal(await page.locator('#range-dates').isVisible(), false);
}));

test('range: in the URL; a filter and the order hold in it', () => withPage(async (page, feed, { seen }) => {
	await ranged(page, 'the last 5 min');
	const all = await rows(page, 'hosts').count();
	const { remote_ip: ip } = seen.at(-1).remotes[0];

	assert.ok(all > 2);
	assert.ok((await rows(page, 'hosts').allTextContents()).some((text) => text.includes(ip)));
	await page.getByRole('searchbox').fill(`ip:${ip}`);
	assert.equal(await rows(page, 'hosts').count(), 1);
	await page.getByRole('searchbox').fill('');
	await page.locator('#hosts thead button', { hasText: 'Sent' }).click();
	const sent = (await titles(page, 'hosts', 3)).map((text) => Number(text.replace(/[^\d]/g, '')));
	assert.deepEqual(sent, [...sent].sort((a, b) => b - a));
}, { path: '#/hosts?range=5m', past: 10 }));

test('range: a part of a chart that is marked is shown, and does not move', () => withPage(async (page, feed) => {
	await feed();
	const chart = page.locator('#drops-over-time .u-over');
	const { x, y, width, height } = await chart.boundingBox();

	await page.mouse.move(x + width * 0.95, y + height / 2);
	await page.mouse.down();
	await page.mouse.move(x + width * 0.99, y + height / 2, { steps: 4 });
	await page.mouse.up();
	await page.waitForURL(/#\/drops\?range=\d+\.\.\d+$/);
	await ranged(page, /\d\d:\d\d:\d\d to \d\d:\d\d:\d\d/);
	const legend = await page.locator('#drops-over-time .legend').innerText();
	const table = await rows(page, 'drops').allTextContents();
	assert.ok(table.length > 0);
	await feed();
	await feed();
	await settled(page);
	assert.equal(await page.locator('#drops-over-time .legend').innerText(), legend);
	assert.deepEqual(await rows(page, 'drops').allTextContents(), table);
	await page.reload();
	await ranged(page, /\d\d:\d\d:\d\d to \d\d:\d\d:\d\d/);
	assert.deepEqual(await rows(page, 'drops').allTextContents(), table);
	await range(page, 'Live').click();
	await page.waitForURL(/#\/drops$/);
	assert.notDeepEqual(await rows(page, 'drops').allTextContents(), table);
}, { path: '#/drops', past: 30 }));

test('range: latency of the past; a time of which nothing is remembered; a past that is not to be had', () => withPage(async (page) => {
	await ranged(page, 'the last 15 min');
	assert.match(await page.locator('#latency-lines .chart').getAttribute('aria-label'), /the time range chosen.*At its end: p50 .*s/);
	assert.match(await page.locator('#latency-heat .chart').getAttribute('aria-label'), /heat map of the time range chosen: [\d,]+ samples/);
	await page.goto(`${page.url().split('#')[0]}#/latency?range=1000000000000..1000000060000`);
	await ranged(page, /nothing is remembered of it/);
	await page.locator('#latency-lines .empty', { hasText: 'remembered of this time range' }).waitFor();
	await page.route('**/api/history?*', (route) => route.fulfill({ status: 500, json: { detail: 'it is broken' } }));
	await range(page, '1 h').click();
	await ranged(page, /not to be had: 500 it is broken/);
}, { path: '#/latency?range=15m', past: 10, expected: (text) => /500/.test(text) }));

// ---- feed --------------------------------------------------------------------

test('feed: the topics of the view, and those watched for alerts', () => withPage(async (page, feed) => {
	const asked = [];

	page.on('request', (request) => {
		if (/\/events\?/.test(request.url()))
			asked.push(new URL(request.url()).searchParams.get('topics').split(','));
	});
	await page.getByRole('link', { name: 'Flows', exact: true }).click();
	await feed();
	assert.ok(asked.at(-1).includes('flows') && !asked.at(-1).includes('packets'), JSON.stringify(asked));
	await page.getByRole('link', { name: 'Packets', exact: true }).click();
	await rows(page, 'packets').first().waitFor();
	assert.ok(asked.at(-1).includes('packets') && !asked.at(-1).includes('flows'), JSON.stringify(asked));
	await feed();
	assert.equal(asked.length, 2);
	await becomes(page, 'live');
	assert.equal(await page.locator('#banner').isVisible(), false);
}, { path: '#/latency' }));

// A way to the server that a test can cut.
async function createWay(port) {
	const open = new Set();
	const heard = [];
	const server = createServer((from) => {
		const to = connect(port, '127.0.0.1');

		open.add(from).add(to);
		from.on('data', (data) => heard.push(data.toString('latin1')));
		for (const socket of [from, to])
			socket.on('error', () => {}).on('close', () => [from, to].forEach((one) => one.destroy()));
		from.pipe(to).pipe(from);
	});

	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {
		port: server.address().port,
		heard: () => heard.join(''),
		cut: () => open.forEach((socket) => socket.destroy()),
		close() {
			server.close();
			this.cut();
		},
	};
}

test('feed: a stream that broke goes on where it was, nothing is lost', async () => {
	const httpd = await startHttpd();
	const traffic = createTraffic({ seed: 3, flows: 20, limit: 20 });
	const way = await createWay(httpd.port);

	try {
		const first = traffic.next();

		await httpd.write(first);
		const page = await openPage(browser, `http://127.0.0.1:${way.port}/#/overview`, { expected: (text) => /ERR_|Failed to load|failed request/.test(text) });

		await shows(page, first);
		const frozen = page.locator('#state[data-level="gone"]').waitFor();
		way.cut();
		await frozen;
		let last = null;
		for (let i = 0; i < 4; i++) {
			last = traffic.next();
			await httpd.write(last);
		}
		await shows(page, last);
		assert.match(way.heard(), /last-event-id: \S+/i);
		await page.locator('#loss-all').click();
		assert.equal(await page.locator('#loss-page_frames').textContent(), '0');
		assert.deepEqual(page.faults, []);
		await page.context().close();
	} finally {
		way.close();
		await httpd.stop();
	}
});

// ---- engine ------------------------------------------------------------------

test('without workers the page does it all itself', () => withPage(async (page, feed) => {
	const snapshot = await feed();

	assert.equal(page.workers().length, 0);
	assert.equal(await packetsTotal(page), snapshot.totals.packets);
	await page.getByRole('searchbox', { name: 'Filter flows' }).fill('udp');
	const udp = snapshot.flows.filter((flow) => flow.proto === 'UDP').length;
	assert.match(await page.locator('#flows-note').textContent(), new RegExp(`^${udp} of 60 flows`));
	await feed(nastySnapshot(snapshot.seq + 1));
	assert.equal(await page.locator('main img, main script').count(), 0);
	assert.equal(await page.evaluate(() => window.pwned), undefined);
}, { init: () => { delete window.Worker; } }));

test('a worker that cannot start is replaced', () => withPage(async (page, feed) => {
	const snapshot = await feed();

	assert.equal(await packetsTotal(page), snapshot.totals.packets);
	assert.ok(await page.evaluate(() => window.jopilPort !== undefined));
}, {
	init: () => {
		const { Worker } = window;

		// Its script is one that is not there.
		window.Worker = function BrokenWorker(path, options) {
			return new Worker(`${path}.gone`, options);
		};
	},
	expected: (text) => /404|Failed to load|\.gone/.test(text),
}));

test('long tables: rows far away come when somebody goes there; the keys reach the last one', () => withPage(async (page, feed, { traffic }) => {
	const many = createManyFlows(traffic, 5000);

	assert.equal(page.workers().length, 1);
	await feed(many());
	await page.locator('#flows tbody tr:not(.space) a').first().focus();
	await page.keyboard.press('End');
	await page.locator('#flows tr[aria-rowindex="5001"] a:focus').waitFor();
	await page.keyboard.press('Home');
	await page.locator('#flows tr[aria-rowindex="2"] a:focus').waitFor();
}, { path: '#/flows' }));

test('memory: a hundred snapshots leave nothing behind', () => withPage(async (page, feed, { httpd, traffic }) => {
	const many = createManyFlows(traffic, 500);
	const meter = await createMeter(page);
	const some = async (count) => {
		for (let i = 0; i < count; i++)
			await httpd.write(many());
		await feed(many());
	};

	const go = (view) => page.locator('nav a', { hasText: view }).click();

	// Each view has been made, charts and tables are full.
	for (const view of ['Overview', 'Flows', 'Connections', 'Flows', 'Overview']) {
		await go(view);
		await some(25);
	}
	const first = await meter.take();
	for (const view of ['Flows', 'Connections', 'Flows', 'Overview']) {
		await go(view);
		await some(25);
	}
	const last = await meter.take();
	const told = JSON.stringify([first, last]);
	// The rows of a hundred snapshots would be 25 MB, an element a snapshot a hundred nodes.
	assert.ok(last.nodes - first.nodes < 80, told);
	assert.ok(last.listeners - first.listeners < 20, told);
	assert.ok(last.heap - first.heap < 3e6, told);
	assert.ok(last.engineHeap - first.engineHeap < 6e6, told);
}, { path: '#/flows' }));
