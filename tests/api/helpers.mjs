// SPDX-License-Identifier: MIT
// A real httpd that is fed by a real aggregator, and a validating proxy in front of it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const HERE = dirname(fileURLToPath(import.meta.url));
const BIN = process.env.BIN ?? 'build/bin';
const GOLDEN = join(HERE, '../golden');

async function stopChild(child, isOurs) {
	if (child.exitCode !== null || child.signalCode !== null)
		return;
	const gone = once(child, 'exit');

	child.kill('SIGTERM');
	const [code, signal] = await gone;

	if (isOurs && code !== 0)
		throw new Error(`ended with ${code ?? signal}`);
}

// Resolves with what the expression finds in the stream; rejects when the program ends before.
function said(child, stream, expression) {
	return new Promise((resolve, reject) => {
		let text = '';

		stream.on('data', (data) => {
			text += data;
			const found = expression.exec(text);

			if (found)
				resolve(found);
		});
		child.on('exit', (code) => reject(new Error(`ended with ${code}: ${text}`)));
		child.on('error', reject);
	});
}

export async function startHttpd(...args) {
	const user = process.getuid() === 0 ? ['--user', 'nobody'] : [];
	const child = spawn(join(BIN, 'httpd'), ['--listen', '127.0.0.1:0', ...user, ...args], {
		stdio: ['pipe', 'ignore', 'pipe'],
	});
	const [, url] = await said(child, child.stderr, /listening on (\S+)\n/);

	child.stdin.on('error', () => {});
	// What sanitizers say.
	child.stderr.pipe(process.stderr);
	return { url, port: Number(new URL(url).port), feed: (text) => child.stdin.write(text), stop: () => stopChild(child, true) };
}

// Violations that it sees come back as answers of its own; it is not to judge requests, as wrong ones are sent on purpose.
export async function startProxy(document, upstream) {
	const child = spawn('node', [
		join(HERE, 'node_modules/@stoplight/prism-cli/dist/index.js'), 'proxy', document, upstream,
		'--errors', '--validate-request=false', '--cors=false', '--port=0',
	], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NO_COLOR: '1' } });
	const [, url] = await said(child, child.stdout, /listening on (http:\S+?\d+)\s/);

	child.stdout.resume();
	return { url, stop: () => stopChild(child, false) };
}

// What the aggregator makes of lines: whole snapshots, as text.
export async function aggregate(lines) {
	const child = spawn(join(BIN, 'aggregator'), ['--interval', '60'], { stdio: ['pipe', 'pipe', 'inherit'] });
	let text = '';

	child.stdout.on('data', (data) => { text += data; });
	child.stdin.end(lines);
	await once(child, 'close');
	return text;
}

// A database that httpd's user may read, in a folder of its own.
export async function record(lines, folder) {
	const path = join(folder, 'flows.db');
	const child = spawn(join(BIN, 'recorder'), ['--db', path], { stdio: ['pipe', 'ignore', 'inherit'] });

	child.stdin.end(lines);
	await once(child, 'close');
	chmodSync(folder, 0o755);
	for (const name of readdirSync(folder))
		chmodSync(join(folder, name), 0o644);
	return path;
}

export function goldenLines() {
	return readdirSync(GOLDEN).map((name) => readFileSync(join(GOLDEN, name), 'utf8')).join('');
}

// Names as somebody who means harm would choose them.
const NASTY = [
	'<img src=x onerror=alert(1)>', '\u202Egnp.exe', '🦊'.repeat(3), 'x'.repeat(255), '"\\\n\u0000\u007f', '', '../../etc', 'null', '{"a":1}',
];

export function nastyLines() {
	let at = 0;

	return goldenLines().split('\n').filter(Boolean).map((line) => {
		const event = JSON.parse(line);

		for (const key of ['command', 'host', 'ifname', 'cgroup', 'service', 'reason', 'location'])
			if (typeof event[key] === 'string')
				event[key] = NASTY[at++ % NASTY.length];
		return JSON.stringify(event);
	}).join('\n') + '\n';
}
