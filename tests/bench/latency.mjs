// SPDX-License-Identifier: MIT
// When flows show on the page: `node latency.mjs URL COUNT` opens the view of flows in headless Chromium, says `ready`, then
// `PORT UNIX_MS` a flow from port 20000 on, in the task after the frame that shows it; ends after COUNT of them.

import { launch, openPage } from '../browser/helpers.mjs';

const [url, count] = [process.argv[2], Number(process.argv[3])];

function watchFlows() {
	const seen = new Set();

	new MutationObserver(() => {
		const shown = document.body.textContent.match(/(?<=:)2[0-9]{4}/g);
		const fresh = [...new Set(shown)].filter((port) => !seen.has(port));

		if (!fresh.length)
			return;
		fresh.forEach((port) => seen.add(port));
		requestAnimationFrame(() => {
			const { port1, port2 } = new MessageChannel();

			port1.onmessage = () => fresh.forEach((port) => window.tell(`${port} ${Date.now()}`));
			port2.postMessage(null);
		});
	}).observe(document, { subtree: true, childList: true, characterData: true });
}

const browser = await launch();
try {
	const page = await openPage(browser, url);
	let told = 0;
	let finish;
	const all = new Promise((resolve) => { finish = resolve; });

	await page.exposeFunction('tell', (line) => {
		console.log(line);
		if (++told === count)
			finish();
	});
	await page.goto(`${url}#/flows`);
	await page.locator('main').waitFor();
	await page.evaluate(watchFlows);
	console.log('ready');
	await all;
} finally {
	await browser.close();
}
