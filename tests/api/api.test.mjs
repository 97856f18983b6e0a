// SPDX-License-Identifier: MIT
// /openapi.json against the real httpd: every operation is asked, through a validating proxy, and every answer follows its schema.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { aggregate, goldenLines, HERE, nastyLines, record, startHttpd, startProxy } from './helpers.mjs';

const TOKEN = 'a-token-for-the-tests-0123456789';
const PROBLEM = 'application/problem+json';
const LINES = 'application/x-ndjson';
const PRISM = 'stoplight.io/prism';

const scratch = mkdtempSync(join(tmpdir(), 'jopil-api-'));
const past = mkdtempSync(join(tmpdir(), 'jopil-past-'));
const documentPath = join(scratch, 'openapi.json');
const running = [];
const seen = new Set();	// operations that gave their success
let httpd, closed, waiting, proxy, closedProxy, waitingProxy, document, operations, ajv, wholeAjv;

async function start(making) {
	const made = await making;

	running.push(made);
	return made;
}

// ---- the document --------------------------------------------------------

function listOperations() {
	return Object.entries(document.paths).flatMap(([path, item]) =>
		Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })));
}

const success = (operation) => Object.keys(operation.responses).find((status) => status < 300);
const content = (operation, status) => resolve(operation.responses[status])?.content ?? {};
const isStream = (operation) => success(operation) === '101' || 'text/event-stream' in content(operation, success(operation));
const hasNames = (operation) => operation.path.startsWith('/api/') && operation.method === 'GET';
const resolve = (node) => node?.$ref ? at(node.$ref) : node;
const escaped = (text) => text.replaceAll('~', '~0').replaceAll('/', '~1');

function at(pointer) {
	return pointer.slice(2).split('/').reduce((node, key) => node?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], document);
}

function eachSchema(node, visit, where = '#') {
	if (!node || typeof node !== 'object')
		return;
	if (node.type === 'object')
		visit(node, where);
	for (const [key, child] of Object.entries(node))
		eachSchema(child, visit, `${where}/${escaped(key)}`);
}

function makeAjv(whole) {
	const copy = structuredClone(document);

	// Rows have all their members, unless `fields` asks for some.
	for (const [name, schema] of Object.entries(copy.components.schemas))
		if (whole && name.endsWith('_row'))
			schema.required = Object.keys(schema.properties);
	return new Ajv({ strict: false, validateFormats: false, allErrors: false }).addSchema(copy, 'doc');
}

function follows(value, pointer, whole) {
	const used = whole ? wholeAjv : ajv;
	const validate = used.getSchema(`doc${encodeURI(pointer)}`);

	assert.ok(validate, `no schema at ${pointer}`);
	assert.ok(validate(value), `${pointer}: ${used.errorsText(validate.errors)} in ${JSON.stringify(value).slice(0, 300)}`);
}

// ---- asking --------------------------------------------------------------

function addressOf(operation, query, inPath) {
	const path = operation.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(inPath[name]));

	return `${path}${query && Object.keys(query).length ? `?${new URLSearchParams(query)}` : ''}`;
}

async function call(base, operation, { query, inPath, body, headers = {} } = {}) {
	const init = { method: operation.method, redirect: 'manual', headers: { ...headers } };

	if (body !== undefined) {
		init.body = typeof body === 'string' ? body : JSON.stringify(body);
		init.headers['Content-Type'] ??= 'application/json';
	}
	const response = await fetch(base + addressOf(operation, query, inPath), init);

	return { status: response.status, type: (response.headers.get('content-type') ?? '').split(';')[0], text: await response.text(),
		violations: response.headers.get('sl-violations') };
}

// The answer has a documented status, media type and schema.
function judge(operation, answer, { whole = true, expected } = {}) {
	const { status, type, text } = answer;
	const name = `${operation.method} ${operation.path}: ${status} ${text.slice(0, 300)}`;
	const documented = operation.responses[status];

	assert.ok(!text.includes(PRISM) && !answer.violations, `the proxy objects: ${name} ${answer.violations}`);
	assert.ok(documented, `not documented: ${name}`);
	if (expected)
		assert.equal(status, expected, name);
	const types = content(operation, status);

	if (status < 300)
		seen.add(operation.operationId);
	if (!Object.keys(types).length) {
		assert.equal(text, '', name);
		return;
	}
	assert.ok(types[type], `${type} is not documented: ${name}`);
	if (status >= 400)
		assert.equal(type, PROBLEM, name);
	const pointer = documented.$ref ?? `#/paths/${escaped(operation.path)}/${operation.method.toLowerCase()}/responses/${status}`;

	if (type.endsWith('json') && type !== LINES)
		follows(JSON.parse(text), `${pointer}/content/${escaped(type)}/schema`, whole);
}

const plainBody = (operation) => (operation.requestBody ? bodies[operation.path]?.(httpd) ?? {} : undefined);
// Bodies that an operation cannot do without.
const bodies = { '/api/session': () => ({ token: TOKEN }) };

async function someInPath() {
	const { processes } = await (await fetch(`${httpd.url}/api/processes`)).json();

	return { pid: processes.find((row) => row.pid)?.pid ?? 1 };
}

// Values that a schema allows, and some that it does not.
function valuesOf({ anyOf, ...schema }) {
	const kind = anyOf ? anyOf[0] : schema;

	if (kind.enum)
		return { good: kind.enum, bad: ['no-such-word'] };
	if (kind.type === 'integer')
		return { good: [kind.minimum, kind.maximum, kind.default].filter((n) => n !== undefined), bad: ['x', kind.maximum + 1] };
	return { good: kind.examples ?? [], bad: kind.maxLength ? ['x'.repeat(kind.maxLength + 1)] : [kind.pattern ? 'A,,' : ''] };
}

function queriesOf(operation) {
	const good = [{}], bad = [];

	for (const parameter of operation.parameters ?? []) {
		const values = valuesOf(parameter.schema);

		assert.ok(values.good.length, `${operation.path}: ${parameter.name} has no example`);
		if (parameter.in !== 'query')
			continue;
		good.push(...values.good.map((value) => ({ [parameter.name]: value })));
		bad.push(...values.bad.map((value) => ({ [parameter.name]: value })));
	}
	return { good, bad };
}

function bodiesOf(operation) {
	const good = [plainBody(operation)], bad = ['[]', '', '{'];

	for (const [name, schema] of Object.entries(operation.requestBody.content['application/json'].schema.properties)) {
		const values = valuesOf(schema);

		if (bodies[operation.path])
			continue;
		good.push({ [name]: null }, { [name]: values.good[0] });
		bad.push({ [name]: values.bad[0] }, { [name]: [] });
	}
	return { good, bad };
}

async function waitFor(count) {
	for (;;) {
		const response = await fetch(`${httpd.url}/api/stats`);

		if (response.status === 200 && (await response.json()).httpd.snapshots >= count)
			return;
	}
}

let fed = 0;

async function feed(lines) {
	const snapshots = await aggregate(lines);

	fed += snapshots.split('\n').filter((line) => line.startsWith('{"type":"snapshot"')).length;
	httpd.feed(snapshots);
	await waitFor(fed);
}

async function askAll(options = {}) {
	const inPath = await someInPath();

	for (const operation of operations.filter((one) => !isStream(one)))
		judge(operation, await call(proxy.url, operation, { inPath, body: plainBody(operation), ...options }),
			{ expected: Number(success(operation)) });
}

// Lines of the last minutes: what the database is asked for, unless told.
function recentLines() {
	return (goldenLines() + nastyLines()).split('\n').filter(Boolean).map((line) => {
		const event = JSON.parse(line);
		const now = Date.now() - 60_000;

		return JSON.stringify({ ...event, timestamp: now, ...('first' in event && { first: now - 1000, last: now }) });
	}).join('\n') + '\n';
}

before(async () => {
	const tokenPath = join(scratch, 'token');

	writeFileSync(tokenPath, TOKEN);
	httpd = await start(startHttpd('--db', await record(recentLines(), past)));
	closed = await start(startHttpd('--token-file', tokenPath));
	waiting = await start(startHttpd());
	document = await (await fetch(`${httpd.url}/openapi.json`)).json();
	writeFileSync(documentPath, JSON.stringify(document));
	operations = listOperations();
	ajv = makeAjv(false);
	wholeAjv = makeAjv(true);
	proxy = await start(startProxy(documentPath, httpd.url));
	closedProxy = await start(startProxy(documentPath, closed.url));
	waitingProxy = await start(startProxy(documentPath, waiting.url));
});

after(async () => {
	await Promise.all(running.map((one) => one.stop()));
	for (const folder of [scratch, past])
		rmSync(folder, { recursive: true });
});

// ---- tests ---------------------------------------------------------------

test('redocly lint finds nothing', () => {
	const done = spawnSync('node', [join(HERE, 'node_modules/@redocly/cli/bin/cli.js'), 'lint', documentPath, '--config',
		join(HERE, 'redocly.yaml'), '--format=json'], { encoding: 'utf8', env: { ...process.env, REDOCLY_TELEMETRY: 'off', CI: '1' } });

	assert.equal(done.status, 0, done.stdout + done.stderr);
	const { totals } = JSON.parse(done.stdout.slice(done.stdout.indexOf('{')));

	assert.deepEqual([totals.errors, totals.warnings], [0, 0], done.stdout);
});

test('no object has members that it does not name', () => {
	for (const operation of operations)
		for (const status of Object.keys(operation.responses))
			eachSchema(content(operation, status), (schema, where) => {
				if (schema.properties)
					assert.equal(schema.additionalProperties, false, `${operation.path} ${status} ${where}`);
			});
	eachSchema(document.components.schemas, (schema, where) => {
		if (schema.properties)
			assert.equal(schema.additionalProperties, false, where);
	});
});

test('every operation has a summary, a tag, and names what can go wrong', () => {
	const ids = operations.map((operation) => operation.operationId);

	assert.equal(new Set(ids).size, ids.length);
	for (const operation of operations) {
		assert.ok(operation.summary && operation.tags.length === 1, operation.path);
		for (const status of ['400', '403', '421', '431'])
			assert.ok(operation.responses[status], `${operation.path} ${status}`);
	}
});

test('real data: every answer, whole', async () => {
	await feed(goldenLines());
	await askAll();
});

test('every parameter, by every value it allows', async () => {
	const inPath = await someInPath();

	for (const operation of operations.filter((one) => !isStream(one) && one.parameters && !one.requestBody))
		for (const query of queriesOf(operation).good)
			judge(operation, await call(proxy.url, operation, { query, inPath }), { whole: !('fields' in query), expected: 200 });
});

test('wrong parameters: 400, and the parameter is named', async () => {
	for (const operation of operations.filter((one) => !isStream(one) && one.parameters && !one.requestBody))
		for (const query of queriesOf(operation).bad) {
			const answer = await call(proxy.url, operation, { query, inPath: await someInPath() });

			judge(operation, answer, { expected: 400 });
			assert.match(JSON.parse(answer.text).detail, new RegExp(`^${Object.keys(query)[0]}: `));
		}
});

test('bodies: every member, good and bad; another type is 415', async () => {
	for (const operation of operations.filter((one) => one.requestBody)) {
		const { good, bad } = bodiesOf(operation);

		for (const body of good)
			judge(operation, await call(proxy.url, operation, { body }), { expected: Number(success(operation)) });
		for (const body of bad)	// the proxy itself has words for what is no JSON
			judge(operation, await call(typeof body === 'string' ? httpd.url : proxy.url, operation, { body }), { expected: 400 });
		judge(operation, await call(proxy.url, operation, { body: 'a=b', headers: { 'Content-Type': 'text/plain' } }), { expected: 415 });
	}
});

test('lists as lines: every row follows the schema of the list', async () => {
	const lists = operations.filter((operation) => LINES in content(operation, 200));

	assert.ok(lists.length >= 9);
	for (const operation of lists) {
		const answer = await call(proxy.url, operation, { headers: { Accept: LINES } });
		const [, name] = /rows of (\w+)/.exec(content(operation, 200)[LINES].schema.description);
		const whole = JSON.parse((await call(proxy.url, operation)).text);

		judge(operation, answer, { expected: 200 });
		assert.equal(answer.type, LINES);
		assert.deepEqual(answer.text.split('\n').filter(Boolean).map((line) => JSON.parse(line)), whole[name], operation.path);
	}
});

test('nasty names: every answer', async () => {
	await feed(nastyLines());
	await askAll();
});

test('nothing seen yet in a snapshot: every answer', async () => {
	await feed('{"type":"hello","schema":1,"tool":"reader","version":"0","host":"web1","timestamp":1}\n');
	for (const operation of operations.filter((one) => !isStream(one) && !one.path.includes('{')))
		judge(operation, await call(proxy.url, operation, { body: plainBody(operation) }), { expected: Number(success(operation)) });
	await feed(goldenLines());
});

test('no such process: 404', async () => {
	for (const operation of operations.filter((one) => one.path.includes('{')))
		judge(operation, await call(proxy.url, operation, { inPath: { pid: 2147483647 } }), { expected: 404 });
});

test('other sites: 403', async () => {
	for (const operation of operations)
		judge(operation, await call(httpd.url, operation, { inPath: { pid: 1 }, body: plainBody(operation),
			headers: { Origin: 'http://evil.example' } }), { expected: 403 });
});

test('no token: 401', async () => {
	for (const operation of operations.filter((one) => one.responses[401] && one.security?.length !== 0))
		judge(operation, await call(isStream(operation) ? closed.url : closedProxy.url, operation,
			{ inPath: { pid: 1 }, body: plainBody(operation) }), { expected: 401 });
	for (const operation of operations.filter((one) => one.security?.length === 0 && one.method === 'GET'))
		judge(operation, await call(closedProxy.url, operation), { expected: 200 });
});

test('no snapshot yet: 503', async () => {
	let count = 0;

	for (const operation of operations.filter((one) => one.responses[503] && !isStream(one))) {
		judge(operation, await call(waitingProxy.url, operation, { inPath: { pid: 1 }, body: plainBody(operation) }), { expected: 503 });
		count++;
	}
	assert.ok(count > 10);
});

// ---- what a proxy would not pass on -----------------------------------------

// The status, media type and text of the answer to these bytes.
async function send(bytes) {
	const socket = connect(httpd.port, '127.0.0.1');
	let text = '';

	socket.setEncoding('utf8');
	socket.on('data', (data) => { text += data; });
	socket.write(bytes);
	await once(socket, 'close');
	const [head, ...rest] = text.split('\r\n\r\n');

	return {
		status: Number(head.split(' ')[1]), text: rest.join('\r\n\r\n'),
		type: /^content-type: ([^;\r]*)/im.exec(head)?.[1], allow: /^allow: (.*)$/im.exec(head)?.[1],
	};
}

const HOST = 'Host: localhost\r\nConnection: close\r\n';
const REFUSED = [
	[400, (line) => `${line} HTTP/1.1\r\n${HOST}Host: localhost\r\n\r\n`],
	[411, (line) => `${line} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
	[413, (line) => `${line} HTTP/1.1\r\n${HOST}Content-Length: 1000000\r\n\r\n`],
	[414, (line) => `${line}?${'x'.repeat(9000)} HTTP/1.1\r\n${HOST}\r\n`],
	[421, (line) => `${line} HTTP/1.1\r\nConnection: close\r\nHost: evil.example\r\n\r\n`],
	[431, (line) => `${line} HTTP/1.1\r\n${HOST}X: ${'x'.repeat(20000)}\r\n\r\n`],
];

test('what is no good request: a documented problem, of every operation', async () => {
	for (const operation of operations)
		for (const [status, request] of REFUSED)
			judge(operation, await send(request(`${operation.method} ${operation.path.replace('{pid}', '1')}`)), { expected: status });
});

test('nothing there: 404; another method: 405 with those that there are', async () => {
	const isProblem = ({ type, text, status }, expected) => {
		assert.deepEqual([status, type], [expected, PROBLEM]);
		follows(JSON.parse(text), '#/components/schemas/problem', true);
	};

	isProblem(await send(`GET /api/nothing HTTP/1.1\r\n${HOST}\r\n`), 404);
	for (const [path, item] of Object.entries(document.paths)) {
		const answer = await send(`PUT ${path.replace('{pid}', '1')} HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`);

		isProblem(answer, 405);
		for (const method of Object.keys(item))
			assert.ok(answer.allow.split(', ').includes(method.toUpperCase()), `${path}: ${answer.allow}`);
	}
});

// ---- streams: no proxy that validates passes them on piece by piece ------------

test('streams answer as documented', async () => {
	const events = operations.find((operation) => 'text/event-stream' in content(operation, 200));
	const stop = new AbortController();
	const response = await fetch(httpd.url + events.path, { signal: stop.signal });
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	let text = '';

	assert.equal(response.status, 200);
	assert.equal(response.headers.get('content-type').split(';')[0], 'text/event-stream');
	while (!/^data: .*\n\n/m.test(text))
		text += (await reader.read()).value;
	JSON.parse(/^data: (.*)$/m.exec(text)[1]);
	stop.abort();
	seen.add(events.operationId);

	const socket = operations.find((operation) => success(operation) === '101');
	const line = `GET ${socket.path} HTTP/1.1\r\nHost: localhost:${httpd.port}\r\n`;
	const connection = connect(httpd.port, '127.0.0.1');

	connection.setEncoding('latin1');
	connection.write(`${line}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
		'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
	const [head] = await once(connection, 'data');

	connection.destroy();
	assert.match(head, /^HTTP\/1\.1 101 /);
	seen.add(socket.operationId);
	judge(socket, await send(`${line}Connection: close\r\n\r\n`), { expected: 426 });
});

test('every operation has given its success', () => {
	assert.deepEqual(operations.map((operation) => operation.operationId).filter((id) => !seen.has(id)), []);
});
