// SPDX-License-Identifier: MIT
// The flows, as many as fit; one opens into its details.

import { flowKey } from '../lib/keys.mjs';
import { createFlowDetails, createFlows, flowTitle } from '../parts/flows.mjs';
import { createOpenView } from '../parts/open-view.mjs';

export function createFlowsView(context) {
	const flows = createFlows({
		params: context.params, className: 'tall', opens: (row) => context.href({ open: flowKey(row) }),
	});

	return createOpenView(context, flows, { what: 'flow', rows: 'flows', title: flowTitle, build: createFlowDetails });
}
