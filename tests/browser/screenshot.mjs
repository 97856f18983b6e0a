// SPDX-License-Identifier: MIT
// Pictures of every view in both themes: $BUILD/screenshots/*.png. With an argument, the picture for the README to that file.

import { mkdirSync } from 'node:fs';
import { becomes, launch, openPage, startHttpd } from './helpers.mjs';
import { createTraffic, nastySnapshot } from './traffic.mjs';

const folder = `${process.env.BUILD ?? 'build'}/screenshots`;
const VIEWS = ['overview', 'flows', 'processes', 'hosts', 'connections', 'drops', 'latency', 'sankey', 'packets'];
const SIZES = { wide: { width: 1400, height: 1000 }, phone: { width: 375, height: 812 } };

async function shoot(browser, httpd, name, { scheme, size, view, height, path, snapshot, level = 'live' }) {
	const page = await openPage(browser, `${httpd.url}#/${view}`, { colorScheme: scheme, viewport: size });

	if (snapshot)
		await httpd.write(snapshot);
	await becomes(page, level);
	await page.waitForTimeout(600);	// transitions; a picture, not a test
	await page.screenshot({
		path: path ?? `${folder}/${name}.png`,
		fullPage: !height,
		...(height && { clip: { x: 0, y: 0, width: size.width, height } }),
	});
	if (page.faults.length)
		console.error(page.faults.join('\n'));
	await page.context().close();
}

const [target] = process.argv.slice(2);
const browser = await launch();
const httpd = await startHttpd();
const traffic = createTraffic({ seed: 11, flows: 640, limit: 500, history: 320 });

mkdirSync(folder, { recursive: true });
try {
	await httpd.write(traffic.next());
	if (target) {
		await shoot(browser, httpd, '', {
			scheme: 'dark', size: { width: 1400, height: 1090 }, view: 'overview', height: 1090, path: target,
			snapshot: traffic.next(),
		});
	} else {
		for (const scheme of ['light', 'dark'])
			for (const [sizeName, size] of Object.entries(SIZES))
				for (const view of VIEWS)
					await shoot(browser, httpd, `${view}-${sizeName}-${scheme}`, { scheme, size, view, snapshot: traffic.next() });
		await shoot(browser, httpd, 'nasty', { scheme: 'dark', size: SIZES.wide, view: 'overview', snapshot: nastySnapshot(999) });
		await httpd.write({ ...traffic.next(), seq: 1000 });
		httpd.end();
		await shoot(browser, httpd, 'stale', { scheme: 'light', size: SIZES.wide, view: 'overview', level: 'stale' });
		const empty = await startHttpd();

		try {
			const page = await openPage(browser, empty.url, { expected: () => true });

			await becomes(page, 'waiting');
			await page.screenshot({ path: `${folder}/waiting.png`, fullPage: true });
		} finally {
			await empty.stop();
		}
	}
} finally {
	await browser.close();
	await httpd.stop();
}
