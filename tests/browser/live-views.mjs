// SPDX-License-Identifier: MIT
// For tests of whole pipelines: `node live-views.mjs URL` succeeds when every view of the page at URL comes to show what
// the host does, and does nothing wrong. Prints a line a view. The test sees to it that there is something for each.

import { axeViolations, launch, openPage } from './helpers.mjs';

// What must be there before a view has shown what it is for.
const VIEWS = {
	overview: '#flows tbody tr:not(.space)',
	flows: '#flows tbody tr:not(.space)',
	processes: '#processes tbody tr:not(.space)',
	hosts: '#hosts tbody tr:not(.space)',
	connections: '#connections tbody tr:not(.space)',
	drops: '#drops tbody tr:not(.space)',
	latency: '#latency tbody tr:not(.space)',
	sankey: '.sankey-node',
	packets: '#packets tbody tr:not(.space)',
};

const [url] = process.argv.slice(2);

if (!url) {
	console.error('usage: node live-views.mjs URL');
	process.exit(2);
}
const browser = await launch();
try {
	for (const [view, wanted] of Object.entries(VIEWS)) {
		const page = await openPage(browser, `${url}/#/${view}`);

		await page.locator(wanted).first().waitFor();
		const said = await page.locator('main').innerText();
		const faults = [...page.faults, ...await axeViolations(page)];

		if (/NaN|undefined|\[object/.test(said))
			faults.push(`no number where one should be: ${said.match(/.*(NaN|undefined|\[object).*/)[0]}`);
		console.log(`${view}: ${await page.locator(wanted).count()} rows`);
		faults.forEach((fault) => console.error(`${view}: ${fault}`));
		if (faults.length)
			process.exitCode = 1;
		await page.context().close();
	}
} catch (error) {
	console.error(`the page at ${url}: ${error.message}`);
	process.exitCode = 1;
} finally {
	await browser.close();
}
