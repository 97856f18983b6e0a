// SPDX-License-Identifier: MIT
// The live table of flows.

import { flowColumns, flowHostColumn } from '../lib/columns.mjs';
import { exact } from '../lib/format.mjs';
import { createLiveTable } from './live-table.mjs';
import { NO_PACKETS } from './panel.mjs';

const withHost = [flowHostColumn, ...flowColumns];
const ids = withHost.map((column) => column.id);

// The snapshot carries the busiest flows only, and says how many there are.
function note({ snapshot }, shown, all) {
	const active = snapshot.flow_table.active;
	const part = shown === all ? `${exact(all)} flows` : `${exact(shown)} of ${exact(all)} flows`;

	return active !== null && active > all ? `${part}, the busiest of ${exact(active)} active` : part;
}

function hint({ snapshot }) {
	return snapshot.totals.packets > 0
		? ['No flows yet: what came so far is not IP, or no flow is active now.']
		: NO_PACKETS;
}

export function createFlows({ params, className, aside }) {
	return createLiveTable({
		id: 'flows', title: 'Flows', what: 'flows', ids, sort: { id: 'bps', descending: true }, params, className, aside,
		columns: ({ snapshot }) => (snapshot.hosts.length > 1 ? withHost : flowColumns),
		rows: ({ snapshot }) => snapshot.flows,
		note, hint,
	});
}
