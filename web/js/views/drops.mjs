// SPDX-License-Identifier: MIT
// What the kernel threw away, and why.

import { h } from '../core/dom.mjs';
import { createDropFlows, createDropReasons, createDropsOverTime } from '../parts/drops.mjs';

export function createDropsView({ params }) {
	const flows = createDropFlows({ params });
	const parts = [createDropReasons(), createDropsOverTime(), flows];

	return {
		element: h('div', { class: 'view stack' }, ...parts.map((part) => part.element)),
		update: (state) => parts.forEach((part) => part.update(state)),
		setParams: flows.setParams,
	};
}
