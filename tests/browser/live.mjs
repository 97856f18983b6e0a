// SPDX-License-Identifier: MIT
// For tests of whole pipelines: `node live.mjs URL [TIMES]` succeeds when the packets total on the page at URL goes up
// TIMES times (default 3) and the page does nothing wrong. Prints the totals it saw.

import { launch, openPage, packetsTotalIncreases } from './helpers.mjs';

const [url, times = '3'] = process.argv.slice(2);

if (!url || !(Number(times) > 0)) {
	console.error('usage: node live.mjs URL [TIMES]');
	process.exit(2);
}
const browser = await launch();
try {
	const page = await openPage(browser, url);

	console.log(`packets: ${(await packetsTotalIncreases(page, { times: Number(times) })).join(' ')}`);
	page.faults.forEach((fault) => console.error(fault));
	process.exitCode = page.faults.length ? 1 : 0;
} catch (error) {
	console.error(`the page at ${url}: ${error.message}`);
	process.exitCode = 1;
} finally {
	await browser.close();
}
