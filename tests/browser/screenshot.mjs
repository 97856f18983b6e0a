// SPDX-License-Identifier: MIT
// Pictures of every view in both themes: $BUILD/screenshots/*.png. With a folder as argument, those of the documentation go there,
// made small by pngquant where it is installed.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { becomes, launch, openPage, shows, startHttpd } from './helpers.mjs';
import { createTraffic, nastySnapshot } from './traffic.mjs';

const folder = `${process.env.BUILD ?? 'build'}/screenshots`;
const VIEWS = ['overview', 'flows', 'processes', 'hosts', 'connections', 'drops', 'latency', 'sankey', 'packets'];
const SIZES = { wide: { width: 1400, height: 1000 }, phone: { width: 375, height: 812 } };

async function shoot(browser, httpd, name, { scheme, size, view, height, path, snapshots = [], open = false, level = 'live' }) {
	const page = await openPage(browser, `${httpd.url}#/${view}`, { colorScheme: scheme, viewport: size });

	await becomes(page, level);
	if (open)
		await page.locator('main a.opener[href]').first().click();
	for (const snapshot of snapshots) {
		await httpd.write(snapshot);
		await shows(page, snapshot);
	}
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

// The pictures of docs/DASHBOARD.md: as after some seconds of watching.
const SECONDS = 20;
const DOCUMENTED = { width: 1280, height: 900 };

async function document(browser, httpd, traffic) {
	mkdirSync(target, { recursive: true });
	for (const view of VIEWS)
		await shoot(browser, httpd, view, {
			scheme: 'light', size: DOCUMENTED, view, height: DOCUMENTED.height, path: `${target}/${view}.png`, open: ['flows', 'processes', 'hosts'].includes(view),
			snapshots: Array.from({ length: SECONDS }, () => traffic.next()),
		});
	await shoot(browser, httpd, 'overview', {
		scheme: 'dark', size: DOCUMENTED, view: 'overview', height: DOCUMENTED.height, path: `${target}/overview-dark.png`,
		snapshots: Array.from({ length: SECONDS }, () => traffic.next()),
	});
	const files = [...VIEWS, 'overview-dark'].map((view) => `${target}/${view}.png`);
	const { error } = spawnSync('pngquant', ['--force', '--ext', '.png', '--strip', '128', ...files]);

	if (error)
		console.error(`pngquant: ${error.code}; the pictures stay large`);
}

const [target] = process.argv.slice(2);
const browser = await launch();
const httpd = await startHttpd();
const traffic = createTraffic({ seed: 11, flows: 640, limit: 500, history: 320 });

mkdirSync(folder, { recursive: true });
try {
	await httpd.write(traffic.next());
	if (target)
		await document(browser, httpd, traffic);
	else {
		for (const scheme of ['light', 'dark'])
			for (const [sizeName, size] of Object.entries(SIZES))
				for (const view of VIEWS)
					await shoot(browser, httpd, `${view}-${sizeName}-${scheme}`, { scheme, size, view, snapshots: [traffic.next(), traffic.next()] });
		await shoot(browser, httpd, 'nasty', { scheme: 'dark', size: SIZES.wide, view: 'overview', snapshots: [nastySnapshot(999)] });
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
