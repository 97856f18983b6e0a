// SPDX-License-Identifier: MIT
// The packet feed: the last packet lines that came, and how many are not shown.

import { packetColumns } from '../lib/columns.mjs';
import { exact } from '../lib/format.mjs';
import { createLiveTable } from './live-table.mjs';
import { NO_PACKETS } from './panel.mjs';

const ids = packetColumns.map((column) => column.id);

function note({ feed, packets: counts }, shown, all) {
	const kept = shown === all ? `The last ${exact(all)} lines` : `${exact(shown)} of the last ${exact(all)} lines`;

	if (feed.mode === 'polling')
		return `${kept}. No new ones: the event stream does not get through.`;
	return `${kept}; not shown: ${exact(counts.lastLeftOut)} just now, ${exact(counts.leftOut)} since this page opened`;
}

function hint({ feed, snapshot }) {
	if (feed.mode === 'polling')
		return ['The packet feed comes with the event stream only, and that does not get through.'];
	if (!(snapshot.totals.packets > 0))
		return NO_PACKETS;
	return [
		'No packet lines: all packets are folded into flows. This gives each CPU some lines a second:',
		'sudo loader --packet-lines 10000 eth0',
	];
}

export function createPackets({ params, className, aside }) {
	return createLiveTable({
		id: 'packets', title: 'Packets', what: 'packets', ids, sort: { id: 'timestamp', descending: true }, params, className,
		aside, columns: () => packetColumns, rows: 'packets', note, hint,
	});
}
