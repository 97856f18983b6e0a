// SPDX-License-Identifier: MIT
// The page as httpd serves it, in a real browser, fed with snapshots that the test writes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
	WAIT_MS, axeViolations, becomes, launch, openPage, packetsTotal, packetsTotalIncreases, shows, startHttpd, widerThanScreen,
} from './helpers.mjs';
import { NASTY_NAMES, createTraffic, nastySnapshot } from './traffic.mjs';

const PHONE = { width: 375, height: 740 };

let browser;
let httpd;
let traffic;

before(async () => {
	browser = await launch();
	httpd = await startHttpd();
	traffic = createTraffic({ seed: 3, flows: 400, limit: 300, history: 120, gap: [60, 70] });
	await httpd.write(traffic.next());
});

after(async () => {
	await browser?.close();
	await httpd?.stop();
});

// A page for the duration of `act`, which must leave it without faults.
async function withPage(act, { path = '', server = httpd, ...options } = {}) {
	const page = await openPage(browser, server.url + path, options);

	try {
		await act(page);
		assert.deepEqual(page.faults, []);
	} finally {
		await page.context().close();
	}
}

// Writes a snapshot and waits until the page shows it.
async function feed(page, snapshot = traffic.next()) {
	await httpd.write(snapshot);
	await shows(page, snapshot);
	return snapshot;
}

const column = (page, panel, index) =>
	page.locator(`#${panel} tbody tr:not(.space) > :nth-child(${index})`).allTextContents();
const note = (page, panel = 'flows') => page.locator(`#${panel}-note`);
const sortBy = (page, panel, label) => page.locator(`#${panel} thead button`, { hasText: label }).click();

test('numbers move', () => withPage(async (page) => {
	let going = true;
	const increases = packetsTotalIncreases(page, { times: 3 }).finally(() => { going = false; });

	while (going)
		await feed(page);
	const seen = await increases;
	assert.equal(seen.length, 4);
	assert.ok(seen.every((total, i) => i === 0 || total > seen[i - 1]));
}));

test('the page says what the snapshot says', () => withPage(async (page) => {
	const snapshot = await feed(page);

	await becomes(page, 'live');
	assert.equal(await packetsTotal(page), snapshot.totals.packets);
	assert.equal(await page.locator('#tile-in').getAttribute('data-exact'), String(snapshot.rates.ingress_bps));
	assert.equal(await page.locator('#host').textContent(), 'web1');
	assert.equal(await page.locator('#accounting').getAttribute('data-level'), 'exact');
	assert.equal(await page.locator('#accounting-difference').textContent(), 'difference 0');
	assert.deepEqual((await column(page, 'protocols', 1)).slice(0, 2), snapshot.protocols.slice(0, 2).map((row) => row.proto));
	assert.deepEqual(await column(page, 'cpus', 1), ['0', '1', '2', '3']);
	assert.deepEqual((await column(page, 'interfaces', 1)).sort(), ['eth0', 'eth1']);
	assert.equal(await note(page).textContent(), '300 flows, the busiest of 400 active');
	assert.match(await note(page, 'packets').textContent(), new RegExp(`not shown: ${snapshot.packets_left_out} just now`));
	assert.match(await page.title(), /bit\/s .* web1 · jopil/);
	assert.match(await page.locator('.chart').getAttribute('aria-label'), /In: now .*bit\/s, peak .*bit\/s/);
}));

test('the chart draws both directions, and nothing where nothing is known', () => withPage(async (page) => {
	await feed(page);
	const colours = await page.locator('.chart canvas').evaluate((canvas) => {
		const { width, height } = canvas;
		const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
		const isBlue = (i) => data[i + 2] > data[i] + 15 && data[i + 2] > 200;	// the zero line is darker
		const isRed = (i) => data[i] > data[i + 2] + 15;
		const columns = { up: new Set(), down: new Set() };

		for (let i = 0; i < data.length; i += 4) {
			if (isBlue(i))
				columns.up.add((i / 4) % width);
			else if (isRed(i))
				columns.down.add((i / 4) % width);
		}
		const gaps = (set) => [...set].sort((a, b) => a - b).filter((x, i, all) => i > 0 && x - all[i - 1] > 10).length;
		return { up: columns.up.size, down: columns.down.size, upGaps: gaps(columns.up), downGaps: gaps(columns.down) };
	});

	assert.ok(colours.up > 100 && colours.down > 100, JSON.stringify(colours));
	assert.equal(colours.upGaps, 1, JSON.stringify(colours));
	assert.equal(colours.downGaps, 1, JSON.stringify(colours));
	await page.locator('.switch button', { hasText: 'packets/s' }).click();
	assert.match(await page.locator('.reading').textContent(), /↓ .*pps ↑ .*pps/);
	await page.locator('.chart').focus();
	await page.keyboard.press('PageUp');
	assert.equal(await page.locator('.reading').getAttribute('aria-live'), 'polite');
}));

test('a click on a head sorts, a second one turns it round, the URL keeps it', () => withPage(async (page) => {
	const snapshot = await feed(page);
	const packets = snapshot.flows.map((flow) => flow.packets).sort((a, b) => b - a);
	const shown = () => page.locator('#flows tbody tr:not(.space) td[title]').evaluateAll((cells, index) =>
		cells.filter((cell) => cell.cellIndex === index).map((cell) => Number(cell.title.replaceAll(',', ''))), 9);

	await sortBy(page, 'flows', /^Packets$/);
	assert.equal(await page.locator('#flows th[aria-sort="descending"]').textContent(), 'Packets');
	assert.deepEqual((await shown()).slice(0, 10), packets.slice(0, 10));
	await sortBy(page, 'flows', /^Packets$/);
	assert.deepEqual((await shown()).slice(0, 10), packets.reverse().slice(0, 10));
	assert.match(page.url(), /sort=packets$/);
	await page.reload();
	await page.locator('#flows th[aria-sort="ascending"]', { hasText: 'Packets' }).waitFor();
}, { path: '#/flows?sort=-bps' }));

test('the filter chooses rows, and says what it does not understand', () => withPage(async (page) => {
	const snapshot = await feed(page);
	const box = page.getByRole('searchbox', { name: 'Filter flows' });
	const matching = (test) => snapshot.flows.filter(test).length;

	await box.fill('udp port:53');
	const dns = matching((flow) => flow.proto === 'UDP' && (flow.src_port === 53 || flow.dst_port === 53));
	assert.ok(dns > 0);
	assert.match(await note(page).textContent(), new RegExp(`^${dns} of 300 flows`));
	assert.ok((await column(page, 'flows', 1)).every((proto) => proto === 'UDP'));
	await box.fill('ip:10.20.0.0/16 !udp');
	assert.match(await note(page).textContent(),
		new RegExp(`^${matching((flow) => flow.proto !== 'UDP' && [flow.src_ip, flow.dst_ip].some((ip) => ip.startsWith('10.20.')))} of`));
	await box.fill('port:http');
	assert.equal(await box.getAttribute('aria-invalid'), 'true');
	assert.match(await page.locator('#flows-filter-error').textContent(), /port:http/);
	await box.fill('nothing-like-this');
	assert.match(await page.locator('#flows .empty').textContent(), /None of 300 flows matches/);
	await box.press('Escape');
	assert.match(await note(page).textContent(), /^300 flows/);
}));

test('a filter in the URL is in force, also in the other view', () => withPage(async (page) => {
	await feed(page);
	assert.match(await note(page).textContent(), / of 300 flows/);
	await page.getByRole('link', { name: 'All flows' }).click();
	await page.waitForURL(/#\/flows\?filter=udp$/);
	assert.match(await note(page).textContent(), / of 300 flows/);
	assert.equal(await page.getByRole('searchbox').inputValue(), 'udp');
	await page.goBack();
	await page.locator('#tile-packets').waitFor();
}, { path: '#/overview?filter=udp' }));

test('pause holds the table still while the numbers go on', () => withPage(async (page) => {
	await feed(page);
	const rows = () => page.locator('#flows tbody').innerText();
	const pause = page.getByRole('button', { name: 'Pause flows' });

	await pause.click();
	const held = await rows();
	await feed(page);
	await feed(page);
	assert.equal(await rows(), held);
	assert.equal(await pause.getAttribute('aria-pressed'), 'true');
	assert.match(await page.locator('#flows .paused-note').textContent(), /^Paused at \d\d:\d\d:\d\d, 2 newer$/);
	await page.getByRole('searchbox', { name: 'Filter flows' }).fill('tcp');
	assert.ok((await column(page, 'flows', 1)).every((proto) => proto === 'TCP'));
	await page.getByRole('searchbox', { name: 'Filter flows' }).fill('');
	await pause.click();
	await page.waitForFunction((text) => document.querySelector('#flows tbody').innerText !== text, held);
}));

test('ten thousand flows: few rows exist, all can be reached', () => withPage(async (page) => {
	const snapshot = { ...traffic.next() };

	snapshot.flows = Array.from({ length: 10000 }, (_, i) => ({ ...snapshot.flows[i % 300], bps: 10000 - i, src_port: i }));
	await httpd.write(snapshot);
	await page.locator('#flows table[aria-rowcount="10001"]').waitFor();
	const exist = () => page.locator('#flows tbody tr:not(.space)').count();
	assert.ok((await exist()) < 100);
	await page.locator('#flows .scroller').evaluate((scroller) => { scroller.scrollTop = scroller.scrollHeight; });
	await page.locator('#flows tr[aria-rowindex="10001"]').waitFor();
	assert.ok((await exist()) < 100);
	assert.equal(await page.locator('#flows tr[aria-rowindex="10001"] td', { hasText: /^1 bit\/s$/ }).count(), 1);
}, { path: '#/flows' }));

test('packets: the newest first, bounded, with what is not shown', () => withPage(async (page) => {
	await feed(page);
	const times = await column(page, 'packets', 1);

	assert.ok(times.length > 10);
	assert.deepEqual(times, [...times].sort().reverse());
	await page.getByRole('searchbox', { name: 'Filter packets' }).fill('dir:out');
	assert.ok((await column(page, 'packets', 2)).every((direction) => direction === '↑ out'));
}));

test('names from outside stay text', () => withPage(async (page) => {
	const snapshot = nastySnapshot((await feed(page)).seq + 1);

	await feed(page, snapshot);
	await page.locator('#host', { hasText: NASTY_NAMES[0] }).waitFor();
	assert.equal(await page.locator('main img, main script, main b:not([class]):has(*)').count(), 0);
	assert.equal(await page.evaluate(() => window.pwned), undefined);
	const names = await column(page, 'interfaces', 2);
	assert.ok(names.includes(NASTY_NAMES[0]) || names.includes(NASTY_NAMES[1]), names.join('|'));
	assert.match(await page.locator('#flows tbody').innerText(), /\\u202egpj\.exe/);
	assert.doesNotMatch(await page.locator('body').innerText(), /[\u202a-\u202e\u0000]/);
	assert.equal(await page.locator('#loss-bad_json').textContent(), '2');
	assert.equal(await page.locator('#losses #loss-level').getAttribute('data-level'), 'lost');
	assert.equal(await page.locator('#accounting').getAttribute('data-level'), 'off');
	assert.equal(await widerThanScreen(page), 0);
	traffic = createTraffic({ seed: 4, flows: 400, limit: 300, history: 120 });
}));

test('frames that did not come are counted', () => withPage(async (page) => {
	const snapshot = await feed(page);

	await feed(page, { ...traffic.next(), seq: snapshot.seq + 4 });
	await page.locator('#loss-page_frames', { hasText: /^3$/ }).waitFor();
	traffic = createTraffic({ seed: 5, flows: 400, limit: 300, history: 120 });
}));

// The themes differ in colours alone.
for (const [colorScheme, rules] of [['light', null], ['dark', ['color-contrast']]]) {
	for (const view of ['overview', 'flows', 'packets'])
		test(`axe finds nothing wrong: ${view}, ${colorScheme}`, () => withPage(async (page) => {
			await feed(page);
			await becomes(page, 'live');
			assert.deepEqual(await axeViolations(page, rules), []);
		}, { path: `#/${view}`, colorScheme }));

	test(`axe finds nothing wrong: losses, pause, bad filter, ${colorScheme}`, () => withPage(async (page) => {
		await feed(page, nastySnapshot());
		await becomes(page, 'live');
		await page.getByRole('button', { name: 'Pause flows' }).click();
		await page.getByRole('searchbox', { name: 'Filter flows' }).fill('port:x');
		assert.deepEqual(await axeViolations(page, rules), []);
	}, { colorScheme }));
}

for (const view of ['overview', 'flows', 'packets'])
	test(`phone width: nothing is wider than the screen: ${view}`, () => withPage(async (page) => {
		await feed(page);
		assert.equal(await widerThanScreen(page), 0);
		await feed(page, nastySnapshot());
		assert.equal(await widerThanScreen(page), 0);
	}, { path: `#/${view}`, viewport: PHONE, hasTouch: true, isMobile: true }));

test('the theme can be chosen and is kept', () => withPage(async (page) => {
	const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const button = page.locator('#theme');

	assert.equal(await button.getAttribute('aria-label'), 'Theme: as the system');
	const system = await background();
	await button.click();
	assert.equal(await button.getAttribute('aria-label'), 'Theme: light');
	const light = await background();
	assert.notEqual(light, system);
	await page.reload();
	await page.locator('#theme[aria-label="Theme: light"]').waitFor();
	assert.equal(await background(), light);
	await page.locator('#theme').click();
	assert.equal(await background(), system);
}, { colorScheme: 'dark' }));

test('everything can be reached with the keyboard', () => withPage(async (page) => {
	await feed(page);
	const reached = new Set();

	for (let i = 0; i < 120 && !reached.has('Licences'); i++) {
		await page.keyboard.press('Tab');
		reached.add(await page.evaluate(() => {
			const element = document.activeElement;
			const style = getComputedStyle(element);

			if (element !== document.body && style.outlineStyle === 'none')
				return `no outline: ${element.outerHTML}`;
			return element.getAttribute('aria-label') ?? element.textContent.trim();
		}));
	}
	const wanted = [
		'Skip to content', 'Overview', 'Theme: as the system', 'packets/s', 'Filter flows', 'Pause flows', 'Destination', 'Flows',
		'Licences',
	];
	for (const name of wanted)
		assert.ok(reached.has(name), `${name} in ${[...reached].join(' | ')}`);
	assert.ok(![...reached].some((name) => name.startsWith('no outline')), [...reached].join(' | '));
}));

// ---- what is missing is said -------------------------------------------------

test('before the first snapshot the page says what to do', async () => {
	const server = await startHttpd();

	try {
		await withPage(async (page) => {
			await becomes(page, 'waiting');
			assert.match(await page.locator('#banner').innerText(), /reader \| aggregator \| httpd/);
			assert.deepEqual(await axeViolations(page), []);
			const empty = {
				...createTraffic({ flows: 1 }).next(), flows: [], packets: [], interfaces: [], protocols: [], cpus: [],
				totals: { packets: 0, bytes: 0 }, accounting: {}, history: {},
			};

			await server.write(empty);
			await becomes(page, 'live');
			assert.match(await page.locator('#flows .empty').innerText(), /is the loader attached\?\s*sudo loader eth0/);
		}, { server, expected: (text) => /503/.test(text) });
	} finally {
		await server.stop();
	}
});

test('the end of the input is seen, and seen again after a reload', async () => {
	const server = await startHttpd();

	try {
		await server.write(createTraffic({ flows: 5 }).next());
		await withPage(async (page) => {
			await becomes(page, 'live');
			assert.ok(await page.locator('#banner').isHidden());
			server.end();
			await becomes(page, 'stale');
			assert.match(await page.locator('#banner').innerText(), /No more snapshots come.*What you see is from \d\d:\d\d:\d\d/);
			assert.match(await page.title(), /^Ended/);
			assert.deepEqual(await axeViolations(page), []);
			await page.reload();
			await becomes(page, 'stale');
		}, { server });
	} finally {
		await server.stop();
	}
});

test('a server that goes is seen, and so is that it comes back', async () => {
	const own = createTraffic({ flows: 5 });
	let server = await startHttpd();

	try {
		await server.write(own.next());
		await withPage(async (page) => {
			await becomes(page, 'live');
			await server.stop();
			await becomes(page, 'gone');
			assert.match(await page.locator('#banner').innerText(), /does not answer/);
			server = await startHttpd({ port: server.port });
			const snapshot = own.next();

			await server.write(snapshot);
			page.setDefaultTimeout(2 * WAIT_MS);	// the browser takes its time between attempts
			await shows(page, snapshot);
			await becomes(page, 'live');
		}, { server, expected: (text) => /ERR_|Failed to load|failed request/.test(text) });
	} finally {
		await server.stop();
	}
});

test('without the event stream the page asks again and again', async () => {
	const own = createTraffic({ flows: 30 });
	const first = own.next();

	await httpd.write(first);
	const context = await browser.newContext();
	try {
		const page = await context.newPage();

		await page.route('**/events', (route) => route.fulfill({ status: 502, body: 'a proxy that cannot' }));
		await page.goto(httpd.url);
		await page.locator('#state', { hasText: 'Polling' }).waitFor();
		await shows(page, first);
		const second = own.next();

		await httpd.write(second);
		await shows(page, second);
		assert.ok((await column(page, 'flows', 1)).length > 10);
		assert.match(await page.locator('#packets .empty').textContent(), /event stream/);
	} finally {
		await context.close();
	}
});
