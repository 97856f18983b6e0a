// SPDX-License-Identifier: MIT
// What is known of one thing: names and values.

import { h, setAttribute, setText } from '../core/dom.mjs';

// facts: [label, text(row), exact(row)?, href(row)?]; -> { element, update(row) }
export function createFacts(facts) {
	const entries = facts.map(([label, text, exact = null, href = null]) => {
		const value = href ? h('a') : h('span');

		return { value, text, exact, href, element: h('div', {}, h('dt', {}, label), h('dd', {}, value)) };
	});

	return {
		element: h('dl', { class: 'facts' }, ...entries.map((entry) => entry.element)),
		update(row) {
			for (const { value, text, exact, href } of entries) {
				setText(value, text(row));
				if (exact)
					setAttribute(value, 'title', exact(row));
				if (href)
					setAttribute(value, 'href', href(row));
			}
		},
	};
}
