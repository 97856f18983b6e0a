// SPDX-License-Identifier: MIT
// Remote hosts: the table, and the details of one.

import { h } from '../core/dom.mjs';
import { flexibleHostColumn } from '../lib/column.mjs';
import { flowColumns } from '../lib/columns.mjs';
import { bitRate, bytes, count, exact, outside } from '../lib/format.mjs';
import { processColumns, remoteColumns, shortConnectionColumns, sumRates } from '../lib/host-columns.mjs';
import { connectionHref, connectionKey, flowHref, flowKey, processHref, processKey, remoteKey } from '../lib/keys.mjs';
import { hintOf } from '../lib/probes.mjs';
import { CLAIM } from '../lib/names.mjs';
import { createFacts } from './facts.mjs';
import { createLiveTable } from './live-table.mjs';
import { createRateHistory } from './rate-history.mjs';
import { createShortTable } from './short-table.mjs';

const hint = ({ snapshot }) => hintOf(snapshot, 'process', 'No process has talked with anybody yet.');

function note({ snapshot }, shown, all) {
	const { active } = snapshot.remote_table;
	const part = shown === all ? `${exact(all)} remotes` : `${exact(shown)} of ${exact(all)} remotes`;

	return active !== null && active > all ? `${part}, the busiest of ${exact(active)}` : part;
}

export function createHosts({ params, opens }) {
	let sums = sumRates([]);
	const own = remoteColumns(() => sums);
	const withHost = [...own, { ...flexibleHostColumn, label: 'Seen by' }];

	return createLiveTable({
		id: 'hosts', title: 'Remote hosts', what: 'remote hosts', ids: withHost.map((column) => column.id),
		sort: { id: 'rx_bps', descending: true }, params, className: 'tall', opens, key: remoteKey,
		examples: 'name:example · ip:10.0.0.0/8 · ip:2001:db8::/32 · rx>1M · tx>100k · connections>10', placeholder: 'ip:10.0.0.0/8 · rx>1M',
		columns: ({ snapshot }) => (snapshot.hosts.length > 1 ? withHost : own),
		rows: 'remotes',
		past: {
			what: 'remotes', columns: ['remote', 'rx_bytes', 'tx_bytes'], sort: { id: 'rx_bytes', descending: true },
			rows: (answer) => answer.remotes, all: (answer) => answer.remotes_matched,
		},
		sums: (next) => { sums = next; },
		note, hint,
	});
}

// ---- details ---------------------------------------------------------------

const FACTS = [
	['Address', (row) => outside(row.remote_ip)],
	['Name', (row) => outside(row.remote_name), () => CLAIM],
	['Seen by', (row) => outside(row.host)],
	['Received from it', (row) => bytes(row.rx_bytes), (row) => exact(row.rx_bytes, 'bytes')],
	['Sent to it', (row) => bytes(row.tx_bytes), (row) => exact(row.tx_bytes, 'bytes')],
	['Receives now', (row) => bitRate(row.rx_bps), (row) => exact(row.rx_bps, 'bit/s')],
	['Sends now', (row) => bitRate(row.tx_bps), (row) => exact(row.tx_bps, 'bit/s')],
	['Processes', (row) => count(row.processes), (row) => exact(row.processes)],
	['Connections open', (row) => count(row.connections), (row) => exact(row.connections)],
];

const about = ({ host, remote_ip }) => ({ host, remote_ip });

export function createHostDetails() {
	const facts = createFacts(FACTS);
	const history = createRateHistory('Bytes from and to this host', (row) => ({ inbound: row.rx_bps, outbound: row.tx_bps }));
	const tables = [
		createShortTable({
			id: 'of-host-processes', title: 'Processes', what: 'processes of this host', opens: processHref, key: processKey, sum: sumRates,
			columns: (sums) => processColumns(sums).filter(({ id }) => ['command', 'pid', 'rx_bps', 'tx_bps', 'rx_bytes', 'tx_bytes'].includes(id)),
			rows: 'host_processes', about, sort: { id: 'rx_bps', descending: true },
			empty: () => ['It is among the busiest remotes of no process shown.'],
		}),
		createShortTable({
			id: 'of-host-connections', title: 'Connections', what: 'connections of this host', columns: () => shortConnectionColumns,
			opens: connectionHref, key: connectionKey, sort: { id: '', descending: false },
			rows: 'host_connections', about,
			empty: ({ snapshot }) => hintOf(snapshot, 'connection', 'None of the connections shown is with this host.'),
		}),
		createShortTable({
			id: 'of-host-flows', title: 'Flows', what: 'flows of this host', opens: flowHref, key: flowKey,
			columns: () => flowColumns.filter(({ id }) => ['proto', 'src', 'dst', 'bps', 'rtt_us'].includes(id)),
			rows: 'host_flows', about, sort: { id: 'bps', descending: true },
			empty: () => ['None of the flows shown is with this host.'],
		}),
	];

	return {
		element: h('div', {}, facts.element, history.element, ...tables.map((table) => table.element)),
		update(state, row, isThere) {
			facts.update(row);
			history.update(state, isThere ? row : null);
			tables.forEach((table) => table.update(state, row));
		},
	};
}

export const hostTitle = (row) => (row.remote_name ? `${outside(row.remote_ip)}, ${outside(row.remote_name)}` : outside(row.remote_ip));
