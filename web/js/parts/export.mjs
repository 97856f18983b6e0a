// SPDX-License-Identifier: MIT
// Buttons that save the rows of a table as they are shown: as CSV and as JSON.

import { h } from '../core/dom.mjs';
import { fileName } from '../lib/export.mjs';

const KINDS = [['csv', 'CSV'], ['json', 'JSON']];

const KEEP_MS = 40000;

function save(name, blob) {
	const url = URL.createObjectURL(blob);
	const link = h('a', { href: url, download: name });

	link.click();
	// Nothing tells when the browser has read it.
	setTimeout(() => URL.revokeObjectURL(url), KEEP_MS);
}

// what: "flows"; file(kind): a blob of all rows that are shown, or a promise of it; timestamp() of what is shown.
export function createExport(what, file, timestamp) {
	const buttons = KINDS.map(([kind, label]) => h('button', {
		type: 'button', 'aria-label': `Export ${what} as ${label}`, title: `Save the rows shown here as ${label}`,
		on: { click: async () => save(fileName(what, timestamp(), kind), await file(kind)) },
	}, label));

	return h('div', { class: 'switch export', role: 'group', 'aria-label': `Export ${what}` }, ...buttons);
}
