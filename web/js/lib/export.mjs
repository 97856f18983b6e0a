// SPDX-License-Identifier: MIT
// Rows of a table as a file: all their keys, with the numbers exact.

// What a spreadsheet takes for the start of a formula; names come from outside.
const FORMULA = /^[=+\-@\t\r]/;

function isObject(value) {
	return typeof value === 'object' && value !== null;
}

function field(value) {
	if (value === null || value === undefined)
		return '';
	let text = isObject(value) ? JSON.stringify(value) : String(value);

	if (typeof value === 'string' && FORMULA.test(text))
		text = `'${text}`;
	return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}

// RFC 4180: a line of names, CRLF, UTF-8. null is an empty field, a list is JSON.
export function toCsv(rows) {
	const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
	const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];

	return lines.map((line) => `${line.map(field).join(',')}\r\n`).join('');
}

export function toJson(rows) {
	return `[${rows.map((row) => `\n${JSON.stringify(row)}`).join(',')}\n]\n`;
}

const KINDS = { csv: ['text/csv;charset=utf-8', toCsv], json: ['application/json', toJson] };

// The rows as a file: csv or json.
export function toFile(kind, rows) {
	const [type, make] = KINDS[kind];

	return new Blob([make(rows)], { type });
}

// jopil-flows-20251113T140321Z.csv
export function fileName(what, timestamp, kind) {
	const moment = new Date(timestamp ?? NaN);
	const stamp = Number.isNaN(moment.getTime()) ? '' : `-${moment.toISOString().replace(/[-:]|\.\d+/g, '')}`;

	return `jopil-${what.toLowerCase().replace(/[^a-z0-9]+/g, '-')}${stamp}.${kind}`;
}
