// SPDX-License-Identifier: MIT
// Single views in a real browser, fed with snapshots that the test writes.

import assert from 'node:assert/strict';
import { mkdtemp, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';

import { axeViolations, launch, openPage, shows, startHttpd, widerThanScreen } from './helpers.mjs';
import { NASTY_NAMES, createTraffic, nastySnapshot } from './traffic.mjs';

let browser;

before(async () => {
	browser = await launch();
});

after(() => browser?.close());

// A server of its own and a page of it; feed() writes a snapshot and waits for it.
async function withPage(act, { path = '', args = [], ...options } = {}) {
	const httpd = await startHttpd({ args });
	const traffic = createTraffic({ seed: 3, flows: 400, limit: 300, history: 20 });
	let page;

	try {
		await httpd.write(traffic.next());
		page = await openPage(browser, httpd.url + path, options);
		await act(page, async (snapshot = traffic.next()) => {
			await httpd.write(snapshot);
			await shows(page, snapshot);
			return snapshot;
		}, { httpd, traffic });
		assert.deepEqual(page.faults, []);
	} finally {
		await page?.context().close();
		await httpd.stop();
	}
}

const labels = (page) => page.locator('.sankey-node').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));

// What draws it comes after the first paint, whenever it does.
const drawn = (page) => page.locator('.sankey-node').first().waitFor();

test('sankey: what the snapshot says, in both themes without fault', async () => {
	for (const colorScheme of ['light', 'dark'])
		await withPage(async (page, feed) => {
			const snapshot = await feed();

			await drawn(page);
			const words = await labels(page);
			const tcp = snapshot.flows.filter(({ proto }) => proto === 'TCP').reduce((sum, { bps }) => sum + bps, 0);

			assert.ok(words.some((text) => /^Interface: eth0, .*bit\/s, \d/.test(text)), words.join('\n'));
			assert.ok(words.some((text) => /^Process: nginx, /.test(text)));
			assert.ok(words.some((text) => /^Process: unknown owner, /.test(text)));
			assert.ok(words.some((text) => /^Remote: \d+ others, /.test(text)));
			await page.locator('.sankey-node', { hasText: /^TCP/ }).hover();
			assert.match(await page.locator('#sankey-reading').textContent(), new RegExp(`^Protocol: TCP · ${tcp.toLocaleString('en')} bit/s · `));
			assert.deepEqual(await axeViolations(page), []);
		}, { path: '#/sankey', colorScheme });
});

test('sankey: in and out; a way is known with the second snapshot', () => withPage(async (page, feed) => {
	await page.locator('#sankey .empty', { hasText: /with the next snapshot/ }).waitFor();
	await feed();
	await drawn(page);
	assert.equal(await page.locator('#sankey .switch [aria-pressed="true"]').textContent(), '↓ In');
	const inbound = await labels(page);
	await page.getByRole('button', { name: '↑ Out' }).click();
	assert.match(page.url(), /way=out$/);
	assert.notDeepEqual(await labels(page), inbound);
	await page.getByRole('button', { name: 'Pause the diagram' }).click();
	const held = await labels(page);
	await feed();
	assert.deepEqual(await labels(page), held);
}, { path: '#/sankey?way=in' }));

test('sankey: the keyboard goes from node to node, keeps its place, and leads to the flows', () => withPage(async (page, feed) => {
	await feed();
	await drawn(page);
	const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label'));

	assert.equal(await page.locator('.sankey-node[tabindex="0"]').count(), 1);
	await page.locator('.sankey-node[tabindex="0"]').focus();
	assert.match(await focused(), /^Interface: eth/);
	await page.keyboard.press('ArrowRight');
	assert.match(await focused(), /^Protocol: TCP/);
	assert.match(await page.locator('#sankey-reading').textContent(), /^Protocol: TCP/);
	await page.keyboard.press('ArrowDown');
	assert.match(await focused(), /^Protocol: UDP/);
	await feed();
	assert.match(await focused(), /^Protocol: UDP/);
	await page.keyboard.press('Enter');
	await page.waitForURL(/#\/flows\?filter=proto%3AUDP$/);
}, { path: '#/sankey' }));

test('sankey: nothing is wider than a phone; names stay text', () => withPage(async (page, feed, { traffic }) => {
	const { seq } = await feed(traffic.next());

	assert.equal(await widerThanScreen(page), 0);
	await feed(nastySnapshot(seq + 1));
	assert.equal(await widerThanScreen(page), 0);
	assert.equal(await page.locator('main img, main script').count(), 0);
	assert.equal(await page.evaluate(() => window.pwned), undefined);
	assert.deepEqual(await axeViolations(page), []);
}, { path: '#/sankey', viewport: { width: 375, height: 740 }, hasTouch: true, isMobile: true }));

test('alerts: quiet when healthy; what begins and ends is shown, counted in the navigation and spoken once', () => withPage(async (page, feed, { traffic }) => {
	const alerts = page.locator('#alerts');

	await feed();
	await feed();
	assert.equal(await alerts.getAttribute('data-level'), 'none');
	assert.match(await alerts.innerText(), /^Nothing lost, nothing fails\. What is normal here is known after forty seconds\./);
	const first = traffic.next();
	await feed({ ...first, losses: { ...first.losses, connection_ring_full: 4 }, flow_table: { ...first.flow_table, active: 62000 } });
	await alerts.getByRole('link', { name: 'Data are lost' }).waitFor();
	assert.match(await alerts.innerText(), /2 alerts, 1 of them bad[^]*Connection events lost \+4[^]*since \d\d:\d\d:\d\d[^]*flows: 62,000 of 65,536/);
	assert.match(await page.locator('#alerts-spoken').textContent(), /^Alert: Data are lost\. Connection events lost \+4\. Alert: A table is nearly full/);
	assert.equal(await page.getByRole('link', { name: 'Overview: 2 alerts, 1 of them bad' }).count(), 1);
	for (const colorScheme of ['light', 'dark']) {
		await page.emulateMedia({ colorScheme });
		assert.deepEqual(await axeViolations(page), []);
	}
	await alerts.getByRole('link', { name: 'Data are lost' }).click();
	await page.locator('#loss-connection_ring_full').waitFor();
	for (let i = 0; i < 7; i++)
		await feed({ ...traffic.next(), losses: { ...first.losses, connection_ring_full: 4 } });
	assert.match(await page.locator('#alerts-spoken').textContent(), /^Over: A table is nearly full\.$/);
	assert.match(await page.locator('#alerts-over').innerText(), /^Over\s+A table is nearly full[^]*\d\d:\d\d:\d\d to \d\d:\d\d:\d\d/);
	await page.getByRole('link', { name: 'Flows', exact: true }).click();
	await page.getByRole('link', { name: 'Overview: 1 alert' }).waitFor();
}));

test('alerts: that nothing comes any more is one', () => withPage(async (page, feed, { httpd }) => {
	await feed();
	httpd.end();
	await page.locator('#alerts').getByRole('link', { name: 'Data are not of now' }).waitFor();
	assert.equal(await page.locator('#alerts').getAttribute('data-level'), 'bad');
}));

// ---- token -----------------------------------------------------------------

const TOKEN = 'correct-horse-battery-staple';

async function tokenFile() {
	const folder = await mkdtemp(`${tmpdir()}/jopil-token-`);

	await chmod(folder, 0o755);
	await writeFile(`${folder}/token`, `${TOKEN}\n`, { mode: 0o644 });
	return `${folder}/token`;
}

const refused = (text) => /401|429|Unauthorized|Too Many/.test(text);

test('token: asked for once; wrong is said so; then the page goes on, keeps nothing that a script can read, and can sign out', async () => {
	const path = await tokenFile();

	await withPage(async (page, feed) => {
		const form = page.locator('#token-form');
		const input = page.getByLabel('Token', { exact: true });

		await form.waitFor();
		assert.ok(await page.locator('#main').isHidden());
		assert.equal(await page.evaluate(() => document.activeElement.id), 'token');
		assert.match(await page.locator('#banner').innerText(), /^The server asks for its token\./);
		for (const colorScheme of ['light', 'dark']) {
			await page.emulateMedia({ colorScheme });
			assert.deepEqual(await axeViolations(page), []);
		}
		await input.fill('wrong');
		await page.keyboard.press('Enter');
		await form.getByText(/That is not the token/).waitFor();
		assert.equal(await input.getAttribute('aria-invalid'), 'true');
		await input.fill(TOKEN);
		await form.getByRole('button', { name: 'Sign in' }).click();
		await page.locator('#main[data-shown]').waitFor();
		await feed();
		assert.match(page.url(), /#\/flows$/);
		assert.ok(await form.isHidden());
		assert.equal(await page.locator('#state').textContent(), 'Live');
		assert.doesNotMatch(await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage })), /correct|jopil_session/);
		await page.reload();
		await page.locator('#main[data-shown]').waitFor();
		await page.getByRole('button', { name: 'Sign out' }).click();
		await form.waitFor();
		assert.ok(await page.getByRole('button', { name: 'Sign out' }).isHidden());
	}, { path: '#/flows', args: ['--token-file', path], expected: refused });
});

test('token: a session that ends leaves what is shown, and goes on after the token', async () => {
	const path = await tokenFile();

	await withPage(async (page, feed, { traffic, httpd }) => {
		const sign = async () => {
			await page.getByLabel('Token', { exact: true }).fill(TOKEN);
			await page.getByRole('button', { name: 'Sign in' }).click();
		};

		await sign();
		await page.locator('#main[data-shown]').waitFor();
		await page.context().clearCookies();
		await page.route('**/events*', (route) => route.abort());	// the stream itself breaks
		const { port } = httpd;
		await httpd.stop();
		const other = await startHttpd({ port, args: ['--token-file', path] });
		try {
			await other.write(traffic.next());
			page.setDefaultTimeout(40000);	// the browser takes its time between attempts
			await page.locator('#token-form').waitFor();
			assert.ok(await page.locator('#main').isVisible());
			await sign();
			await page.locator('#token-form').waitFor({ state: 'hidden' });
			const next = traffic.next();
			await other.write(next);
			await shows(page, next);
		} finally {
			await other.stop();
		}
	}, { args: ['--token-file', path], expected: (text) => refused(text) || /ERR_|failed request/.test(text) });
});

test('token: too many wrong ones, and when to try again', async () => {
	const path = await tokenFile();

	await withPage(async (page) => {
		await page.route('**/api/session', (route) => route.fulfill({
			status: 429, headers: { 'Retry-After': '42', 'Content-Type': 'application/problem+json' }, body: '{"detail":"too many"}',
		}));
		await page.getByLabel('Token', { exact: true }).fill('guess');
		await page.keyboard.press('Enter');
		await page.getByText(/Too many wrong tokens came from your address\. Try again at \d\d:\d\d:\d\d, in 42 s\./).waitFor();
	}, { args: ['--token-file', path], expected: refused, viewport: { width: 375, height: 740 } });
});

// ---- names -----------------------------------------------------------------

test('names: beside the addresses, searchable, a claim, and text whatever they contain', () => withPage(async (page, feed, { traffic }) => {
	const snapshot = traffic.next();
	const names = Object.fromEntries(snapshot.remotes.map(({ remote_ip: ip }, i) => [ip, NASTY_NAMES[i % (NASTY_NAMES.length - 1)]]));
	const [db] = snapshot.remotes.filter(({ remote_ip: ip }) => ip === '10.20.0.31');

	names[db.remote_ip] = 'db.example';
	await page.route('**/api/names', (route) => route.fulfill({ json: { enabled: true, names, pending: 0, failed: 0 } }));
	await page.reload();
	await feed(snapshot);
	await feed();
	await page.locator('#hosts thead button', { hasText: /^Name$/ }).waitFor();
	assert.equal(await page.locator('#hosts thead button', { hasText: /^Name$/ }).getAttribute('title'), 'A name is a claim: who holds an address decides what its reverse lookup says.');
	await page.getByRole('searchbox').fill('db.exam');
	await page.locator('#hosts-note', { hasText: /^1 of / }).waitFor();
	await page.locator('#hosts tbody a.opener').click();
	await page.locator('#details-title', { hasText: '10.20.0.31, db.example' }).waitFor();
	assert.equal(await page.locator('main img, main script, main b b').count(), 0);
	assert.deepEqual(await axeViolations(page), []);
	await page.evaluate(() => { location.hash = '#/sankey'; });
	await page.locator('.sankey-node', { hasText: 'db.example' }).waitFor();
	assert.equal(await page.locator('main img, main script, main b b').count(), 0);
	assert.equal(await page.evaluate(() => window.pwned), undefined);
	assert.doesNotMatch(await page.locator('body').innerText(), /[\u202a-\u202e\u2066-\u2069\u0000]/);
	await page.evaluate(() => { location.hash = '#/flows?filter=name:db.example'; });
	await page.locator('#flows tbody a.opener').first().click();
	await page.locator('#details .facts', { hasText: /10\.20\.0\.31:5432 · db\.example/ }).waitFor();
}, { path: '#/hosts' }));
