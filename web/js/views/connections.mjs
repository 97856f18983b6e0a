// SPDX-License-Identifier: MIT
// The log of connections: who opened what, and how it ended.

import { connectionKey } from '../lib/keys.mjs';
import { createConnectionDetails, createConnections, connectionTitle } from '../parts/connections.mjs';
import { createOpenView } from '../parts/open-view.mjs';

export function createConnectionsView(context) {
	const list = createConnections({ params: context.params, opens: (row) => context.href({ open: connectionKey(row) }) });

	return createOpenView(context, list, {
		what: 'connection', rows: 'connections', title: connectionTitle, build: createConnectionDetails,
	});
}
