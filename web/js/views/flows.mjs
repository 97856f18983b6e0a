// SPDX-License-Identifier: MIT
// The flows alone, as many as fit.

import { h } from '../core/dom.mjs';
import { createFlows } from '../parts/flows.mjs';

export function createFlowsView({ params }) {
	const flows = createFlows({ params, className: 'tall' });

	return { element: h('div', { class: 'view' }, flows.element), update: flows.update, setParams: flows.setParams };
}
