// SPDX-License-Identifier: MIT
// Processes: the table, what no process accounts for, and the details of one.

import { h, setAttribute, setText } from '../core/dom.mjs';
import { flexibleHostColumn } from '../lib/column.mjs';
import { flowColumns } from '../lib/columns.mjs';
import { bitRate, bytes, count, exact, outside, stamp } from '../lib/format.mjs';
import {
	processColumns, processProtocolColumns, processRemoteColumns, shortConnectionColumns, sumRates, topProcessColumns,
} from '../lib/host-columns.mjs';
import { connectionHref, connectionKey, flowHref, flowKey, processHref, processKey } from '../lib/keys.mjs';
import { hintOf } from '../lib/probes.mjs';
import { createFacts } from './facts.mjs';
import { createLiveTable } from './live-table.mjs';
import { createRateHistory } from './rate-history.mjs';
import { createShortTable } from './short-table.mjs';

const NOBODY = 'No process has sent or received a byte yet.';
const hint = ({ snapshot }) => hintOf(snapshot, 'process', NOBODY);

function note({ snapshot }, shown, all) {
	const active = snapshot.process_table.active;
	const part = shown === all ? `${exact(all)} processes` : `${exact(shown)} of ${exact(all)} processes`;

	return active !== null && active > all ? `${part}, the busiest of ${exact(active)}` : part;
}

// Bytes on the wire that belong to no process.
function createUnowned() {
	const inbound = h('b', { class: 'tone-ingress' });
	const outbound = h('b', { class: 'tone-egress' });
	const sums = h('span');
	const element = h('p', { class: 'remark', id: 'unowned', hidden: true },
		'Not in these rows: ↓ ', inbound, ' ↑ ', outbound, ' ', sums,
		' of what the wire saw: headers, forwarded packets, the kernel’s own sockets.');

	return {
		element,
		update({ unowned }) {
			element.hidden = unowned.tx_bps === null && unowned.rx_bps === null;
			setText(inbound, bitRate(unowned.rx_bps));
			setText(outbound, bitRate(unowned.tx_bps));
			setText(sums, `(${bytes(unowned.rx_bytes)} in, ${bytes(unowned.tx_bytes)} out so far)`);
			setAttribute(sums, 'title', `${exact(unowned.rx_bytes, 'bytes')} in, ${exact(unowned.tx_bytes, 'bytes')} out`);
		},
	};
}

export function createProcesses({ params, opens }) {
	let sums = sumRates([]);
	const own = processColumns(() => sums);
	const withHost = [flexibleHostColumn, ...own];
	const unowned = createUnowned();
	const table = createLiveTable({
		id: 'processes', title: 'Processes', what: 'processes', ids: withHost.map((column) => column.id),
		sort: { id: 'rx_bps', descending: true }, params, className: 'tall', opens, key: processKey, above: [unowned.element],
		examples: 'nginx · pid:812 · command:"my server" · uid:0 · rx>1M · tx>100k · !sshd', placeholder: 'nginx · pid:812 · rx>1M',
		columns: ({ snapshot }) => (snapshot.hosts.length > 1 ? withHost : own),
		rows: 'processes',
		past: {
			what: 'processes', columns: ['command', 'pid', 'rx_bytes', 'tx_bytes', 'rx_calls', 'tx_calls'], sort: { id: 'rx_bytes', descending: true },
			rows: (answer) => answer.processes, all: (answer) => answer.processes_matched,
		},
		sums: (next) => { sums = next; },
		note, hint,
	});

	return {
		...table,
		update(state) {
			unowned.update(state.snapshot);
			table.update(state);
		},
	};
}

export function createTopProcesses() {
	return createShortTable({
		id: 'top-processes', title: 'Top processes', caption: 'The busiest processes now', columns: topProcessColumns, sum: sumRates,
		rows: 'top_processes',
		sort: { id: '', descending: true }, opens: processHref, key: processKey, empty: hint,
		aside: [h('a', { href: '#/processes' }, 'All processes')],
	});
}

// Sums of what processes move by protocol.
export function createProcessProtocols() {
	return createShortTable({
		id: 'process-protocols', title: 'Protocols of processes', columns: () => processProtocolColumns,
		topic: 'processes', rows: ({ snapshot }) => snapshot.process_protocols, sort: { id: 'rx_bytes', descending: true }, empty: hint,
	});
}

// ---- details ---------------------------------------------------------------

const FACTS = [
	['PID', (row) => outside(row.pid)],
	['UID', (row) => outside(row.uid)],
	['Host', (row) => outside(row.host)],
	['Received', (row) => `${bytes(row.rx_bytes)} in ${count(row.rx_calls)} calls`,
		(row) => `${exact(row.rx_bytes, 'bytes')} in ${exact(row.rx_calls, 'calls')}`],
	['Sent', (row) => `${bytes(row.tx_bytes)} in ${count(row.tx_calls)} calls`,
		(row) => `${exact(row.tx_bytes, 'bytes')} in ${exact(row.tx_calls, 'calls')}`],
	['Receives now', (row) => bitRate(row.rx_bps), (row) => exact(row.rx_bps, 'bit/s')],
	['Sends now', (row) => bitRate(row.tx_bps), (row) => exact(row.tx_bps, 'bit/s')],
	['Connections open', (row) => count(row.connections), (row) => exact(row.connections)],
	['First seen', (row) => stamp(row.first)],
	['Last moved a byte', (row) => stamp(row.last)],
];

const about = ({ pid, host }) => ({ pid, host });

export function createProcessDetails() {
	const facts = createFacts(FACTS);
	const history = createRateHistory('Bytes of this process', (row) => ({ inbound: row.rx_bps, outbound: row.tx_bps }));
	const tables = [
		createShortTable({
			id: 'of-process-remotes', title: 'Remotes', what: 'remotes of this process', columns: () => processRemoteColumns,
			rows: (state, row) => row.remotes, sort: { id: 'rx_bps', descending: true }, empty: () => ['No remote is known.'],
		}),
		createShortTable({
			id: 'of-process-protocols', title: 'Protocols', what: 'protocols of this process', columns: () => processProtocolColumns,
			rows: (state, row) => row.protocols, sort: { id: 'rx_bytes', descending: true }, empty: () => ['No protocol is known.'],
		}),
		createShortTable({
			id: 'of-process-connections', title: 'Connections', what: 'connections of this process',
			columns: () => shortConnectionColumns.filter(({ id }) => id !== 'command'), opens: connectionHref, key: connectionKey,
			rows: 'process_connections', about, sort: { id: '', descending: false },
			empty: ({ snapshot }) => hintOf(snapshot, 'connection', 'None of the connections shown is this process’s.'),
		}),
		createShortTable({
			id: 'of-process-flows', title: 'Flows', what: 'flows of this process', opens: flowHref, key: flowKey,
			columns: () => flowColumns.filter(({ id }) => ['proto', 'src', 'dst', 'bps', 'rtt_us'].includes(id)),
			rows: 'process_flows', about, sort: { id: 'bps', descending: true },
			empty: () => ['None of the flows shown is known to be this process’s.'],
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

export const processTitle = (row) => `${outside(row.command)} (${outside(row.pid)})`;
