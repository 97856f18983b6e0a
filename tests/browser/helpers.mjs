// SPDX-License-Identifier: MIT
// A real httpd that a test feeds, and a browser that notices what a page must not do.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

export const WAIT_MS = 15000;	// for something that must come; far above what it takes

const CHROMIUM_ARGS = [
	'--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-gpu', '--no-first-run',
	'--disable-component-update', '--disable-sync',
];

// ---- httpd ---------------------------------------------------------------

async function firstByte(stream, child, said) {
	const ended = once(child, 'exit').then(([code]) => {
		throw new Error(`httpd ended with ${code}: ${said()}`);
	});

	await Promise.race([once(stream, 'data'), ended]);
}

/*
 * Starts $BIN/httpd on a free port (or the given one); WEB=dir serves the page from there while it is worked on.
 * -> { url, port, write(snapshot), end() of its input, stop() }
 */
export async function startHttpd({ port = 0, args = [] } = {}) {
	const program = `${process.env.BIN ?? 'build/bin'}/httpd`;
	const user = process.getuid() === 0 ? ['--user', 'nobody'] : [];
	const web = process.env.WEB ? ['--web', process.env.WEB] : [];
	const child = spawn(program, ['--listen', `127.0.0.1:${port}`, '--ready-fd', '3', ...user, ...web, ...args], {
		stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
	});
	let said = '';

	child.stderr.on('data', (data) => { said += data; });
	child.stdin.on('error', () => {});
	await firstByte(child.stdio[3], child, () => said);
	// Readiness and the address come through two pipes: the second may be a moment later.
	while (!/listening on \S+\n/.test(said))
		await once(child.stderr, 'data');
	const url = /listening on (\S+)/.exec(said)[1];

	return {
		url: `${url}/`,
		port: Number(new URL(url).port),
		said: () => said,
		async write(snapshot) {
			if (!child.stdin.write(`${typeof snapshot === 'string' ? snapshot : JSON.stringify(snapshot)}\n`))
				await once(child.stdin, 'drain');
		},
		end: () => child.stdin.end(),
		async stop() {
			if (child.exitCode !== null || child.signalCode !== null)
				return;
			const gone = once(child, 'exit');

			child.kill('SIGTERM');
			await gone;
		},
	};
}

// ---- browser -------------------------------------------------------------

// What a page shows after an action comes from its engine: each action ends when that has answered.
function waitAfterActions(page) {
	const locators = Object.getPrototypeOf(page.locator('main'));

	if (locators.settles)
		return;
	locators.settles = true;
	for (const action of ['click', 'fill', 'press']) {
		const act = locators[action];

		locators[action] = async function actAndSettle(...given) {
			await act.apply(this, given);
			await settled(this.page());
		};
	}
}

export function settled(page) {
	return page.locator('main[aria-busy]').waitFor({ state: 'detached' });
}

export function launch() {
	return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: CHROMIUM_ARGS });
}

/*
 * A new page at url. What it must not do is collected in page.faults: errors and warnings on the console, exceptions,
 * requests to other hosts, failed requests, violations of the content security policy.
 * expected(text): faults that the test provokes. init: a function that runs in the page before its own scripts.
 */
export async function openPage(browser, url, { expected = () => false, init = null, ...options } = {}) {
	const context = await browser.newContext({ viewport: { width: 1400, height: 1000 }, ...options });
	const page = await context.newPage();
	const origin = new URL(url).origin;
	const fault = (text) => {
		if (!expected(text))
			page.faults.push(text);
	};

	waitAfterActions(page);
	page.faults = [];
	page.setDefaultTimeout(WAIT_MS);
	page.on('console', (message) => {
		if (['error', 'warning'].includes(message.type()))
			fault(`console: ${message.text()}`);
	});
	page.on('pageerror', (error) => fault(`exception: ${error.stack ?? error}`));
	page.on('request', (request) => {
		if (new URL(request.url()).origin !== origin && !request.url().startsWith('data:'))
			fault(`request to another host: ${request.url()}`);
	});
	page.on('requestfailed', (request) => {
		if (!/ABORTED/.test(request.failure()?.errorText ?? ''))
			fault(`failed request: ${request.url()} ${request.failure()?.errorText}`);
	});
	page.on('response', (response) => {
		if (response.status() >= 400)
			fault(`answer ${response.status()}: ${response.url()}`);
	});
	await page.addInitScript(() => {
		addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
	});
	if (init)
		await page.addInitScript(init);
	await page.goto(url);
	return page;
}

// ---- what a page shows -----------------------------------------------------

// Waits until the page says that its data are "live", "waiting", "stale", or the server "gone".
export async function becomes(page, level) {
	await page.locator(`#state[data-level="${level}"]`).waitFor();
}

// Waits until the page shows this snapshot.
export async function shows(page, { seq, timestamp }) {
	await page.locator(`#main[data-shown="${seq} ${timestamp}"]:not([aria-busy])`).waitFor();
}

// The exact number of packets in the tile, null before the first snapshot.
export async function packetsTotal(page) {
	const text = await page.locator('#tile-packets').getAttribute('data-exact');

	return text === null ? null : Number(text);
}

// Resolves to the totals seen: the one there is and `times` larger ones; fails if they stop growing for `within` ms.
export async function packetsTotalIncreases(page, { times = 3, within = WAIT_MS } = {}) {
	const seen = [];

	for (let i = 0; i <= times; i++) {
		const before = seen.at(-1) ?? -1;

		await page.waitForFunction(
			(least) => Number(document.querySelector('#tile-packets')?.dataset.exact ?? -1) > least,
			before, { timeout: within });
		seen.push(await packetsTotal(page));
	}
	return seen;
}

// Descriptions of what axe-core finds wrong, by all its rules or the ones named.
export async function axeViolations(page, rules = null) {
	const path = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

	// Through the debugger: the policy of the page lets no script in, and must not be weakened for the test.
	await page.evaluate(await (await import('node:fs/promises')).readFile(path, 'utf8'));
	return page.evaluate(async (only) => {
		const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'], ...(only && { runOnly: only }) });

		return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' ')}`);
	}, rules);
}

export function widerThanScreen(page) {
	return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
