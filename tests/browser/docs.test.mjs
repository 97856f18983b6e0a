// SPDX-License-Identifier: MIT
// The page at /docs, in a browser: it shows every operation, leads to each, and asks for real.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { axeViolations, launch, openPage, startHttpd, widerThanScreen } from './helpers.mjs';
import { createTraffic } from './traffic.mjs';

const PHONE = { width: 360, height: 740 };
let server, browser, operations;

async function withPage(run, { path = 'docs', ...options } = {}) {
	const page = await openPage(browser, server.url + path, options);

	try {
		await page.locator('section').first().waitFor();
		await run(page);
		assert.deepEqual(page.faults, []);
	} finally {
		await page.context().close();
	}
}

before(async () => {
	server = await startHttpd();
	browser = await launch();
	await server.write(createTraffic().next());
	const { paths } = await (await fetch(`${server.url}openapi.json`)).json();

	operations = Object.values(paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));
});

after(async () => {
	await browser.close();
	await server.stop();
});

test('every operation has its place, and a link that leads there', () => withPage(async (page) => {
	assert.deepEqual((await page.locator('section').evaluateAll((all) => all.map(({ id }) => id))).sort(), [...operations].sort());
	for (const id of operations)
		assert.equal(await page.locator(`nav a[href="#${id}"]`).count(), 1);
	assert.equal(await page.locator('section:target').getAttribute('id'), 'getApiLatency');
	assert.ok(await page.locator('#getApiLatency').evaluate((section) => section.getBoundingClientRect().top < innerHeight));
}, { path: 'docs#getApiLatency' }));

test('a GET can be tried, and the command for a shell follows', () => withPage(async (page) => {
	const flows = page.locator('#getApiFlows');

	await flows.locator('input#getApiFlows-limit').fill('1');
	await flows.locator('input#getApiFlows-fields').fill('proto');
	assert.equal(await flows.locator('pre[aria-label="example"]').textContent(), `curl '${server.url}api/flows?limit=1&fields=proto'`);
	await flows.locator('input#getApiFlows-fields').press('Enter');
	await flows.locator('pre[aria-label="answer"]', { hasText: '200 OK' }).waitFor();
	assert.match(await flows.locator('pre[aria-label="answer"]').textContent(), /"flows": \[\s+\{\s+"proto": "\w+"\s+\}\s+\]/);
	assert.equal(await page.locator('#getEvents button, #postApiConnectionSummary button').count(), 0);
}));

test('members of answers open down to the last', () => withPage(async (page) => {
	const flows = page.locator('#getApiFlows');

	await flows.locator('summary').first().press('Enter');
	await flows.locator('details details summary').first().press('Enter');
	await flows.locator('td', { hasText: /^rtt_us$/ }).waitFor();
}));

for (const colorScheme of ['light', 'dark'])
	test(`axe-core finds nothing: ${colorScheme}`, () => withPage(async (page) => {
		await page.locator('#getApiFlows summary').first().press('Enter');
		assert.deepEqual(await axeViolations(page), []);
	}, { colorScheme }));

test('phone width: nothing is wider than the screen', () => withPage(async (page) => {
	assert.equal(await widerThanScreen(page), 0);
}, { viewport: PHONE, hasTouch: true, isMobile: true }));

test('it is small', { skip: process.env.WEB ? 'WEB: not as httpd embeds it' : false }, () => withPage(async (page) => {
	const sizes = await page.evaluate(() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
		.filter(({ name }) => !/openapi/.test(name)).map(({ name, encodedBodySize: size }) => [name, size]));
	const sum = sizes.reduce((all, [, size]) => all + size, 0);

	assert.ok(sum > 1000 && sum < 7000, JSON.stringify(sizes));
}));
