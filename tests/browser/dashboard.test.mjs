// SPDX-License-Identifier: MIT
// The page as httpd serves it, in a real browser, fed with snapshots that the test writes.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import {
	WAIT_MS, axeViolations, becomes, launch, openPage, packetsTotal, packetsTotalIncreases, shows, startHttpd, widerThanScreen,
} from './helpers.mjs';
import { flagWords } from '../../web/js/lib/words.mjs';
import { NASTY_NAMES, createTraffic, nastySnapshot } from './traffic.mjs';

const VIEWS = ['overview', 'flows', 'processes', 'hosts', 'connections', 'drops', 'latency', 'sankey', 'packets'];
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
const placeOf = (page, panel, label) => page.locator(`#${panel} thead th`).evaluateAll((heads, text) =>
	heads.findIndex((head) => head.textContent === text), label);
const columnOf = async (page, panel, label) => column(page, panel, (await placeOf(page, panel, label)) + 1);
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
		const isBlue = (i) => data[i + 3] > 20 && data[i + 2] > data[i] + 60;	// the zero line and the grid are greyer
		const isRed = (i) => data[i + 3] > 20 && data[i] > data[i + 2] + 60;
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
	const place = await placeOf(page, 'flows', 'Packets');
	const shown = () => page.locator('#flows tbody tr:not(.space) td[title]').evaluateAll((cells, index) =>
		cells.filter((cell) => cell.cellIndex === index).map((cell) => Number(cell.title.replaceAll(',', ''))), place);

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

// ---- what the host's probes tell ---------------------------------------------

const rows = (page, panel) => page.locator(`#${panel} tbody tr:not(.space)`);
const details = (page) => page.locator('#details');
const fact = (page, name) => details(page).locator('.facts > div', { has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) }).locator('dd');

test('processes: rates and sums, what nobody accounts for; a row opens, the URL keeps it, back closes it', () => withPage(async (page) => {
	const snapshot = await feed(page);
	const busiest = [...snapshot.processes].sort((a, b) => b.rx_bps - a.rx_bps)[0];

	assert.deepEqual((await columnOf(page, 'processes', 'Process'))[0], busiest.command);
	assert.equal(await rows(page, 'processes').count(), snapshot.processes.length);
	assert.deepEqual((await columnOf(page, 'process-protocols', 'Protocol')).sort(), snapshot.process_protocols.map((row) => row.proto).sort());
	assert.match(await page.locator('#unowned').innerText(), /Not in these rows: ↓ .*bit\/s ↑ .*bit\/s/);
	await rows(page, 'processes').first().locator('td').nth(1).click();
	await page.waitForURL(/#\/processes\?open=/);
	await page.locator('#details-title', { hasText: `${busiest.command} (${busiest.pid})` }).waitFor();
	assert.equal(await page.evaluate(() => document.activeElement.id), 'details-title');
	assert.equal(await fact(page, 'Received').locator('span').getAttribute('title'),
		`${busiest.rx_bytes.toLocaleString('en')} bytes in ${busiest.rx_calls.toLocaleString('en')} calls`);
	assert.equal(await rows(page, 'of-process-remotes').count(), busiest.remotes.length);
	assert.equal(await rows(page, 'of-process-protocols').count(), busiest.protocols.length);
	assert.equal(Number(await page.locator('#of-process-connections-count').textContent()),
		snapshot.connections.filter((row) => row.pid === busiest.pid).length);
	assert.equal(await page.locator('#processes tr[aria-current="true"]').count(), 1);
	await page.reload();
	await page.locator('#details-title', { hasText: busiest.command }).waitFor();
	await page.goBack();
	await details(page).waitFor({ state: 'hidden' });
	await page.goForward();
	await details(page).waitFor();
	await page.getByRole('link', { name: /Close the details/ }).click();
	await details(page).waitFor({ state: 'hidden' });
	assert.match(page.url(), /#\/processes$/);
}, { path: '#/processes' }));

test('the keyboard alone: from row to row, into the details, out again to the row', () => withPage(async (page) => {
	await feed(page);
	const focused = () => page.evaluate(() => document.activeElement.textContent);
	const names = await columnOf(page, 'processes', 'Process');

	await page.locator('#processes .scroller').focus();
	for (let i = 0; i < 20 && (await focused()) !== names[0]; i++)
		await page.keyboard.press('Tab');
	assert.equal(await focused(), names[0]);
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('ArrowDown');
	assert.equal(await focused(), names[2]);
	await page.keyboard.press('End');
	assert.equal(await focused(), names.at(-1));
	await page.keyboard.press('ArrowUp');
	const name = await focused();
	await feed(page);
	assert.equal(await focused(), name);
	await page.keyboard.press('Enter');
	await page.locator('#details-title', { hasText: name }).waitFor();
	await page.waitForFunction(() => document.querySelector('#details').contains(document.activeElement));
	await page.keyboard.press('Escape');
	await details(page).waitFor({ state: 'hidden' });
	assert.equal(await focused(), name);
}, { path: '#/processes' }));

test('what is open and goes is kept, and said to be gone', () => withPage(async (page) => {
	const snapshot = await feed(page);
	const [gone] = snapshot.processes;

	await page.getByRole('link', { name: gone.command, exact: true }).click();
	await page.locator('#details-title').waitFor();
	const next = traffic.next();
	await feed(page, { ...next, processes: next.processes.filter((row) => row.pid !== gone.pid) });
	assert.match(await page.locator('.details-gone').innerText(), /Not among the rows of the snapshot any more: what you see is from \d\d:/);
	assert.equal(await fact(page, 'PID').textContent(), String(gone.pid));
	await page.evaluate(() => { location.hash = '#/processes?open=nobody'; });
	await page.locator('#details .empty', { hasText: 'This process is not among the rows' }).waitFor();
}, { path: '#/processes' }));

test('hosts: a remote opens into its processes, connections and flows', () => withPage(async (page) => {
	const snapshot = await feed(page);
	const remote = snapshot.remotes.find((row) => row.connections > 0);

	await page.getByRole('searchbox').fill(`ip:${remote.remote_ip}`);
	assert.equal(await rows(page, 'hosts').count(), 1);
	await rows(page, 'hosts').locator('a').click();
	await page.locator('#details-title', { hasText: remote.remote_ip }).waitFor();
	assert.ok((await rows(page, 'of-host-connections').count()) > 0);
	assert.ok((await rows(page, 'of-host-flows').count()) > 0);
	await rows(page, 'of-host-processes').locator('a').first().click();
	await page.waitForURL(/#\/processes\?open=/);
	await page.locator('#of-process-remotes').waitFor();
}, { path: '#/hosts' }));

test('connections: failures first, then the newest; states and the filter choose', () => withPage(async (page) => {
	const snapshot = await feed(page);
	const failed = snapshot.connections.filter((row) => row.state === 'failed');
	const states = await columnOf(page, 'connections', 'State');

	assert.ok(failed.length > 2);
	assert.deepEqual(states.slice(0, failed.length), failed.map(() => 'failed'));
	assert.notEqual(states[failed.length], 'failed');
	const started = await columnOf(page, 'connections', 'Started');
	assert.deepEqual(started.slice(0, failed.length), started.slice(0, failed.length).sort().reverse());
	await page.getByRole('button', { name: /^open \d+$/ }).click();
	assert.match(page.url(), /filter=state%3Aopen/);
	assert.ok((await columnOf(page, 'connections', 'State')).every((state) => state === 'open'));
	const [one] = snapshot.connections.filter((row) => row.state === 'open');
	await page.getByRole('searchbox').fill(`pid:${one.pid} command:${one.command} ip:${one.src_ip} port:${one.src_port} state:open`);
	assert.equal(await rows(page, 'connections').count(), 1);
	await rows(page, 'connections').locator('a.opener').click();
	await details(page).waitFor();
	assert.equal(await fact(page, 'Control group').textContent(), one.cgroup);
	assert.equal(await fact(page, 'Round-trip time').locator('span').getAttribute('title'), one.rtt_us === null ? '–' : `${one.rtt_us.toLocaleString('en')} µs`);
	await fact(page, 'Process').locator('a').click();
	await page.waitForURL(/#\/processes\?open=/);
}, { path: '#/connections' }));

test('flows show process, RTT, retransmits and drops, and open', () => withPage(async (page) => {
	const snapshot = await feed(page);
	const flow = [...snapshot.flows].filter((row) => row.rtt_us !== null).sort((a, b) => b.bps - a.bps)[0];

	await page.setViewportSize({ width: 1900, height: 900 });
	for (const label of ['Process', 'PID', 'RTT', 'Retrans.', 'Drops'])
		await page.locator('#flows thead button', { hasText: new RegExp(`^${label}$`) }).waitFor();
	await page.getByRole('searchbox').fill(`sport:${flow.src_port} src:${flow.src_ip}`);
	await rows(page, 'flows').first().locator('a.opener').click();
	await page.locator('#details-title', { hasText: `:${flow.src_port} →` }).waitFor();
	assert.equal(await fact(page, 'Process').textContent(), `${flow.command} (${flow.pid})`);
	assert.equal(await fact(page, 'Retransmits').textContent(), String(flow.retransmits));
	assert.equal(await fact(page, 'TCP flags of the source').textContent(), flagWords(flow.tcp_flags_src));
	await feed(page);
	await feed(page);
	assert.match(await page.locator('.rate-head').innerText(), /since \d\d:\d\d:\d\d when it was opened here/);
	assert.equal(await page.locator('.rate-history canvas').count(), 1);
}, { path: '#/flows' }));

test('drops: exact counts by reason, without a reason apart, over time, by flow', () => withPage(async (page) => {
	await feed(page);
	await feed(page);
	const snapshot = await feed(page);
	const most = [...snapshot.drops].sort((a, b) => b.packets - a.packets);
	const reasons = await columnOf(page, 'drops', 'Reason');

	assert.deepEqual(reasons, most.map((row) => row.reason));
	assert.deepEqual(await columnOf(page, 'drops', 'Packets'), most.map((row) => row.packets.toLocaleString('en')));
	assert.ok(!reasons.includes('NOT_SPECIFIED'));
	assert.match(await page.locator('#drops-unspecified').innerText(),
		new RegExp(`^${snapshot.drops_unspecified.packets.toLocaleString('en')} packets without a reason .*NOT_SPECIFIED: packets that the kernel freed without naming a reason`));
	const legend = await page.locator('#drops-over-time .legend').innerText();
	assert.match(legend, /NETFILTER_DROP \d+ pps[^]*others \d+ pps/);
	assert.doesNotMatch(legend, /NOT_SPECIFIED/);
	assert.match(await page.locator('#drops-over-time .chart').getAttribute('aria-label'), /^Dropped packets a second by reason.*Now: /);
	await page.getByRole('searchbox').fill('reason:qdisc');
	assert.ok((await columnOf(page, 'drop-flows', 'Reason')).every((reason) => reason === 'QDISC_DROP'));
}, { path: '#/drops' }));

test('latency: percentiles over time, a heat map that the keys read, networks, never an average', () => withPage(async (page) => {
	for (let i = 0; i < 5; i++)
		await feed(page);
	const snapshot = await feed(page);
	const [whole] = snapshot.latency;
	const values = await page.locator('#latency-lines .legend b').evaluateAll((all) => all.map((one) => one.title));

	assert.deepEqual(values, [whole.p50, whole.p95, whole.p99, whole.max].map((us) => `${us.toLocaleString('en')} µs`));
	assert.equal((await columnOf(page, 'latency', 'Network'))[0], 'Whole host');
	assert.equal(await page.locator('#latency-note').textContent(), `${snapshot.latency.length} rows; percentiles of the last minute`);
	assert.doesNotMatch(await page.locator('main').innerText(), /average|mean\b/i);
	const painted = await page.locator('#latency-heat canvas').evaluate((canvas) => {
		const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
		let blue = 0;

		for (let i = 0; i < data.length; i += 4)
			blue += data[i + 3] > 20 && data[i + 2] > data[i] + 60 ? 1 : 0;
		return blue;
	});
	assert.ok(painted > 50, `${painted} pixels`);
	const map = page.locator('#latency-heat .chart');
	const samples = whole.buckets.reduce((sum, [, count]) => sum + count, 0);
	const read = page.locator('#latency-heat .legend');
	assert.match(await read.innerText(), new RegExp(`${samples} samples, .* to .*`));
	await map.focus();
	await page.keyboard.press('ArrowLeft');
	await page.keyboard.press('ArrowUp');
	assert.match(await read.innerText(), /^\d\d:\d\d:\d\d\s.*s: \d+ samples?$/);
	assert.equal(await read.getAttribute('aria-live'), 'polite');
	await map.hover({ position: { x: 200, y: 100 } });
}, { path: '#/latency' }));

test('overview: top processes, drops, round-trip times, losses of the probes', () => withPage(async (page) => {
	const snapshot = await feed(page, { ...traffic.next(), losses: { connection_ring_full: 3, drops_unattributed: 4 } });
	const [whole] = snapshot.latency;

	assert.equal(await rows(page, 'top-processes').count(), snapshot.processes.length);
	assert.equal(await page.locator('#rtt dd').nth(2).getAttribute('title'), `${whole.p99.toLocaleString('en')} µs`);
	assert.ok((await columnOf(page, 'top-drops', 'Reason')).includes('NETFILTER_DROP'));
	assert.equal(await page.locator('#loss-connection_ring_full').textContent(), '3');
	assert.equal(await page.locator('#loss-drops_unattributed').textContent(), '4');
	assert.match(await page.locator('#loss-sentence').textContent(), /^2 of \d+ causes were hit/);
	assert.ok(await page.locator('#loss-latency_unattributed').isHidden());
	await page.locator('#loss-all').click();
	assert.equal(await page.locator('#loss-latency_unattributed').innerText(), '–');
	await rows(page, 'top-processes').first().locator('a').click();
	await page.waitForURL(/#\/processes\?open=/);
}));

// A page of Chromium saves at most ten files in a row.
const EXPORTS = [
	['overview', ['flows', 'protocols', 'cpus', 'interfaces', 'packets']],
	['overview', ['losses', 'top processes', 'drops by reason']],
	['processes', ['processes', 'protocols of processes']], ['hosts', ['remote hosts']], ['connections', ['connections']], ['drops', ['drops', 'drops by flow']],
	['latency', ['latencies']], ['sankey', ['sankey']],
];

async function exported(page, what, kind) {
	const [download] = await Promise.all([
		page.waitForEvent('download'), page.getByRole('button', { name: `Export ${what} as ${kind}`, exact: true }).click(),
	]);

	assert.match(download.suggestedFilename(), new RegExp(`^jopil-[a-z-]+-\\d{8}T\\d{6}Z\\.${kind.toLowerCase()}$`));
	return readFile(await download.path(), 'utf8');
}

for (const [view, names] of EXPORTS)
	test(`every table can be saved: ${view}: ${names.join(', ')}`, () => withPage(async (page) => {
		await feed(page, nastySnapshot((await feed(page)).seq + 1));
		for (const what of names) {
			const json = JSON.parse(await exported(page, what, 'JSON'));
			const csv = await exported(page, what, 'CSV');

			assert.ok(json.length > 0, what);
			assert.ok(csv.split('\r\n').length > json.length, what);
			assert.deepEqual(csv.split('\r\n')[0].split(','), [...new Set(json.flatMap(Object.keys))]);
			assert.doesNotMatch(csv, /(^|[,\n])[=@]/);
		}
		traffic = createTraffic({ seed: 6, flows: 400, limit: 300, history: 120 });
	}, { path: `#/${view}`, acceptDownloads: true }));

test('what is saved is what is shown: filtered, sorted, exact', () => withPage(async (page) => {
	const snapshot = await feed(page);

	await page.getByRole('searchbox').fill('udp');
	await sortBy(page, 'flows', /^Source$/);
	const saved = JSON.parse(await exported(page, 'flows', 'JSON'));
	const key = (row) => JSON.stringify(row);
	assert.deepEqual(saved.map(key).sort(), snapshot.flows.filter((row) => row.proto === 'UDP').map(key).sort());
	assert.deepEqual(saved.slice(0, 9).map((row) => `${row.src_ip}:${row.src_port}`), (await columnOf(page, 'flows', 'Source')).slice(0, 9)
		.map((text) => text.replace(/[[\]]/g, '')));
}, { path: '#/flows', acceptDownloads: true }));

for (const [view, probe, panels] of [
	['processes', 'process', ['processes', 'process-protocols']], ['hosts', 'process', ['hosts']], ['connections', 'connection', ['connections']],
	['drops', 'drop', ['drops', 'drops-over-time', 'drop-flows']], ['latency', 'latency', ['latency-lines', 'latency-heat', 'latency']],
	['overview', '[a-z]+', ['top-processes', 'top-drops', 'rtt']],
])
	test(`without its probe ${view} says what to do; with it, that nothing happened`, () => withPage(async (page) => {
		const { next } = createTraffic({ flows: 5, probes: false });
		const seq = (await feed(page)).seq + 1;

		await page.reload();	// its memory is of what it saw
		await feed(page, { ...next(), seq });
		for (const panel of panels)
			assert.match(await page.locator(`#${panel} .empty`).innerText(),
				new RegExp(`^The ${probe} probe is not loaded: nothing is known here. This loads it:\\s*sudo loader --probe all eth0$`));
		await page.locator(`#${panels[0]} .empty`).waitFor();
		assert.deepEqual(await axeViolations(page), []);
		await feed(page, { ...next(), seq: seq + 1, probes: ['process', 'connection', 'drop', 'latency'].map((name) => ({ probe: name })) });
		for (const panel of panels)
			assert.match(await page.locator(`#${panel} .empty`).innerText(), /^No [^]*(yet|dropped|since)/);
		traffic = createTraffic({ seed: 8, flows: 400, limit: 300, history: 120 });
	}, { path: `#/${view}` }));

for (const view of VIEWS)
	test(`names from outside stay text: ${view}`, () => withPage(async (page) => {
		await feed(page, nastySnapshot((await feed(page)).seq + 1));
		assert.equal(await page.locator('main img, main script, main iframe, main b b').count(), 0);
		const link = page.locator('main a.opener[href]').first();

		if (await link.count())
			await link.click();
		assert.equal(await page.evaluate(() => window.pwned), undefined);
		assert.doesNotMatch(await page.locator('body').innerText(), /[\u202a-\u202e\u2066-\u2069\u0000]/);
		traffic = createTraffic({ seed: 9, flows: 400, limit: 300, history: 120 });
	}, { path: `#/${view}` }));

test('frames that did not come are counted', () => withPage(async (page) => {
	const snapshot = await feed(page);

	await feed(page, { ...traffic.next(), seq: snapshot.seq + 4 });
	await page.locator('#loss-page_frames', { hasText: /^3$/ }).waitFor();
	traffic = createTraffic({ seed: 5, flows: 400, limit: 300, history: 120 });
}));

// The themes differ in colours alone.
for (const [colorScheme, rules] of [['light', null], ['dark', ['color-contrast']]]) {
	for (const view of VIEWS)
		test(`axe finds nothing wrong: ${view}, ${colorScheme}`, () => withPage(async (page) => {
			await feed(page);
			await becomes(page, 'live');
			assert.deepEqual(await axeViolations(page, rules), []);
		}, { path: `#/${view}`, colorScheme }));

	test(`axe finds nothing wrong: details of a process, of a connection, ${colorScheme}`, () => withPage(async (page) => {
		await feed(page);
		for (const view of ['processes', 'connections']) {
			await page.goto(`${httpd.url}#/${view}`);
			await page.locator('main a.opener[href]').first().click();
			await page.locator('#details .facts').waitFor();
			assert.deepEqual(await axeViolations(page, rules), []);
		}
	}, { colorScheme }));

	test(`axe finds nothing wrong: losses, pause, bad filter, ${colorScheme}`, () => withPage(async (page) => {
		await feed(page, nastySnapshot());
		await becomes(page, 'live');
		await page.getByRole('button', { name: 'Pause flows' }).click();
		await page.getByRole('searchbox', { name: 'Filter flows' }).fill('port:x');
		assert.deepEqual(await axeViolations(page, rules), []);
	}, { colorScheme }));
}

for (const view of VIEWS)
	test(`phone width: nothing is wider than the screen: ${view}`, () => withPage(async (page) => {
		await feed(page);
		assert.equal(await widerThanScreen(page), 0);
		await feed(page, nastySnapshot());
		assert.equal(await widerThanScreen(page), 0);
	}, { path: `#/${view}`, viewport: PHONE, hasTouch: true, isMobile: true }));

test('the whole page is less than 100 kB on its way', { skip: process.env.WEB ? 'WEB: not as httpd embeds it' : false }, () => withPage(async (page) => {
	await feed(page);
	const sizes = await page.evaluate(() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
		.filter(({ name }) => !/\/(api|events)\b/.test(name)).map(({ name, encodedBodySize: size }) => [name, size]));
	// What the page and its engine share is asked for by both, and comes once.
	const sum = [...new Map(sizes).values()].reduce((all, size) => all + size, 0);

	assert.ok(sizes.some(([name]) => name.endsWith('/js/main.mjs')), JSON.stringify(sizes));
	assert.ok(sum > 50000 && sum < 100000, `${sum} bytes`);
}));

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

	for (let i = 0; i < 400 && !reached.has('Licences'); i++) {
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
		'Skip to content', 'Overview', 'Latency', 'Theme: as the system', 'Export flows as CSV', 'All processes', 'packets/s', 'Filter flows', 'Pause flows', 'Destination', 'Flows',
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
			await page.locator('#banner', { hasText: /reader \| aggregator \| httpd/ }).waitFor();
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

		await page.route('**/events?*', (route) => route.fulfill({ status: 502, body: 'a proxy that cannot' }));
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
