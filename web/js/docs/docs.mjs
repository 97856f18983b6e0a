// SPDX-License-Identifier: MIT
// The page that describes the API: what openapi.json says, for people, and a way to try it.

import { curlOf, kindOf, resolve } from './schema.mjs';

const SHOWN_CHARACTERS = 100000;

// As in core/dom.mjs, which would bring with it what the dashboard's own documents share.
function h(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);

	for (const [name, value] of Object.entries(attributes))
		element.setAttribute(name, value);
	element.append(...children.filter((child) => child !== null));
	return element;
}

function table(names, rows) {
	return h('div', { class: 'table', tabindex: 0, role: 'group', 'aria-label': names.join(', ') }, h('table', {},
		h('thead', {}, h('tr', {}, ...names.map((name) => h('th', { scope: 'col' }, name)))), h('tbody', {}, ...rows)));
}

// Members of an object, and of those in it, as far as somebody opens them.
function members(api, schema) {
	const { properties = {}, required = [] } = schema;

	return table(['member', 'type', 'meaning'], Object.entries(properties).map(([name, member]) => h('tr', {},
		h('td', {}, name), h('td', {}, kindOf(api, member).text + (required.includes(name) ? '' : ' (may be left out)')),
		h('td', {}, member.description ?? '', inner(api, member)))));
}

function inner(api, schema) {
	const { members: object } = kindOf(api, schema);

	if (!object)
		return null;
	const details = h('details', {}, h('summary', {}, 'members'));

	details.addEventListener('toggle', () => details.children.length > 1 || details.append(members(api, object)));
	return details;
}

function answers(api, operation) {
	return table(['status', 'type', 'what'], Object.entries(operation.responses).map(([status, given]) => {
		const response = resolve(api, given);
		const content = Object.entries(response.content ?? {});

		return h('tr', {}, h('td', {}, status), h('td', {}, content.map(([type]) => type).join(', ')),
			h('td', {}, response.description, ...content.map(([, { schema }]) => inner(api, schema))));
	}));
}

// Type, limits, and what stands if nothing is given.
function limits(api, schema) {
	const range = schema.minimum === undefined ? '' : `, ${schema.minimum} to ${schema.maximum}`;

	return kindOf(api, schema).text + range + (schema.default === undefined ? '' : `, default ${schema.default}`);
}

function parameterRow(api, operation, parameter, inputs) {
	const { name, schema } = parameter;
	const input = inputs && h('input', { id: `${operation.operationId}-${name}`, 'aria-label': `${name}, to try`,
		placeholder: schema.default ?? schema.examples?.[0] ?? schema.enum?.[0] ?? '', form: `${operation.operationId}-try`, autocomplete: 'off', spellcheck: 'false' });

	inputs?.set(parameter, input);
	return h('tr', {}, h('td', {}, name), h('td', {}, limits(api, schema)), h('td', {}, parameter.description),
		input ? h('td', {}, input) : null);
}

async function send(path, output) {
	output.textContent = '…';
	try {
		const response = await fetch(path.slice(1) || '.', { cache: 'no-store' });
		const text = await response.text();
		const shown = /json/.test(response.headers.get('content-type')) ? JSON.stringify(JSON.parse(text), null, 1) : text;

		output.textContent = `${response.status} ${response.statusText}\n\n${shown.slice(0, SHOWN_CHARACTERS)}`;
	} catch (error) {
		output.textContent = String(error);
	}
}

function trial(id, path, inputs, example) {
	const output = h('pre', { role: 'status', tabindex: 0, 'aria-label': 'answer', hidden: '' });
	const given = () => [...inputs].map(([parameter, input]) => [parameter, input.value]).filter(([, value]) => value !== '');
	const target = () => {
		const query = new URLSearchParams(given().filter(([{ in: where }]) => where === 'query').map(([{ name }, value]) => [name, value]));

		return given().filter(([{ in: where }]) => where === 'path').reduce((text, [{ name }, value]) =>
			text.replace(`{${name}}`, encodeURIComponent(value)), path) + (query.size ? `?${query}` : '');
	};

	for (const input of inputs.values())
		input.addEventListener('input', () => { example.textContent = curlOf('GET', target()); });
	const form = h('form', { id: `${id}-try` }, h('p', {}, h('button', {}, 'Try it')), output);

	form.addEventListener('submit', (event) => {
		event.preventDefault();
		output.hidden = false;
		send(target(), output);
	});
	return form;
}

function section(api, { path, method, operation }) {
	const { operationId: id, parameters = [], requestBody } = operation;
	const types = Object.keys(resolve(api, operation.responses[200])?.content ?? {});
	const mayTry = method === 'GET' && types.length > 0 && types[0] !== 'text/event-stream';
	const inputs = mayTry ? new Map() : null;
	const body = requestBody?.content['application/json'].schema;
	const example = h('pre', { tabindex: 0, 'aria-label': 'example' }, curlOf(method, path, body, operation));
	const rows = parameters.map((parameter) => parameterRow(api, operation, parameter, inputs));
	const form = mayTry ? trial(id, path, inputs, example) : null;

	return h('section', { id, 'aria-labelledby': `${id}-title` },
		h('h3', { id: `${id}-title` }, h('a', { href: `#${id}` }, h('span', { class: 'method' }, method), ` ${path}`)),
		h('p', {}, operation.summary, operation.security?.length === 0 ? h('small', {}, ' (asks for no token)') : null),
		...rows.length ? [h('h4', {}, 'Parameters'), table(['name', 'type', 'meaning', ...inputs ? ['try'] : []], rows)] : [],
		...body ? [h('h4', {}, 'Body'), members(api, body)] : [],
		h('h4', {}, 'Answers'), answers(api, operation), h('h4', {}, 'Example'), example, form);
}

function show(api) {
	const operations = Object.entries(api.paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) =>
		({ path, method: method.toUpperCase(), operation })));
	const contents = document.getElementById('contents');
	const main = document.getElementById('operations');

	main.append(h('p', {}, api.info.description));
	for (const { name, description } of api.tags) {
		const tagged = operations.filter(({ operation }) => operation.tags.includes(name));

		contents.append(h('h2', {}, name), h('ul', {}, ...tagged.map(({ path, method, operation }) =>
			h('li', {}, h('a', { href: `#${operation.operationId}` }, h('span', { class: 'method' }, method), ` ${path}`)))));
		main.append(h('h2', {}, name), h('p', { class: 'muted' }, description), ...tagged.map((one) => section(api, one)));
	}
	// What the address names is there only now.
	if (location.hash)
		location.replace(location.hash);
}

async function start() {
	try {
		const theme = localStorage.getItem('jopil-theme');

		if (theme === 'light' || theme === 'dark')
			document.documentElement.dataset.theme = theme;
	} catch {
		// No storage: as the system has it.
	}
	try {
		show(await (await fetch('openapi.json')).json());
	} catch (error) {
		document.getElementById('operations').append(h('p', { role: 'alert' }, `openapi.json cannot be read: ${error.message}`));
	}
}

start();
