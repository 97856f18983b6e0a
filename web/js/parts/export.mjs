// SPDX-License-Identifier: MIT
// Buttons that save the rows of a table as they are shown: as CSV and as JSON.

import { h } from '../core/dom.mjs';
import { fileName, toCsv, toJson } from '../lib/export.mjs';

const KINDS = [
	['csv', 'CSV', 'text/csv;charset=utf-8', toCsv],
	['json', 'JSON', 'application/json', toJson],
];

const KEEP_MS = 40000;

function save(name, type, text) {
	const url = URL.createObjectURL(new Blob([text], { type }));
	const link = h('a', { href: url, download: name });

	link.click();
	// Nothing tells when the browser has read it.
	setTimeout(() => URL.revokeObjectURL(url), KEEP_MS);
}

// what: "flows"; rows() and timestamp() of what is shown.
export function createExport(what, rows, timestamp) {
	const buttons = KINDS.map(([kind, label, type, make]) => h('button', {
		type: 'button', 'aria-label': `Export ${what} as ${label}`, title: `Save the rows shown here as ${label}`,
		on: { click: () => save(fileName(what, timestamp(), kind), type, make(rows())) },
	}, label));

	return h('div', { class: 'switch export', role: 'group', 'aria-label': `Export ${what}` }, ...buttons);
}
