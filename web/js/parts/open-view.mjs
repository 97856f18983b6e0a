// SPDX-License-Identifier: MIT
// A view of one table whose rows open into details beside it; which one is open stands in the URL.

import { h } from '../core/dom.mjs';
import { createDetails } from './details.mjs';

// context: of the view. list: { element, update, setParams, focus(key) }; details: see parts/details.mjs. after: parts below.
export function createOpenView(context, list, details, after = []) {
	const panel = createDetails({
		...details,
		closeHref: () => context.href({ open: '' }),
		closed: (key) => list.focus(key),
	});

	return {
		element: h('div', { class: 'view split' }, h('div', { class: 'stack' }, list.element, ...after.map((part) => part.element)),
			panel.element),
		update(state) {
			list.update(state);
			after.forEach((part) => part.update(state));
			panel.update(state);
		},
		// moved: somebody came here by a link, it is not how the page was loaded
		setParams(params, moved) {
			list.setParams(params);
			panel.setKey(params.open ?? null, moved);
		},
	};
}
