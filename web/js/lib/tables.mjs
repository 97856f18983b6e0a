// SPDX-License-Identifier: MIT
// The tables whose rows the engine keeps: where they come from, their columns to sort by, what names a row.

import { hostColumn } from './column.mjs';
import { flowColumns, packetColumns } from './columns.mjs';
import { byUrgency, countStates } from './connections.mjs';
import {
	connectionColumns, dropFlowColumns, latencyColumns, processColumns, remoteColumns, sumRates,
} from './host-columns.mjs';
import { connectionKey, flowKey, processKey, remoteKey } from './keys.mjs';
import { inOrder } from './memory.mjs';
import { processesOf } from './remotes.mjs';

const noSums = () => ({});
const withHost = (columns) => [hostColumn, ...columns];
const rateOf = (row) => row.rx_bps + row.tx_bps || 0;
const TOP = 8;

const FLOWS = { columns: withHost(flowColumns), key: flowKey };
const PROCESSES = { columns: withHost(processColumns(noSums)), key: processKey, sum: sumRates };
const CONNECTIONS = { columns: withHost(connectionColumns), key: connectionKey };

const isOfProcess = ({ pid, host }) => (row) => row.pid === pid && row.host === host;
const isWithHost = ({ host, remote_ip: ip }) => (row) => row.host === host && (row.src_ip === ip || row.dst_ip === ip);

/*
 * topics: where its rows come in. rows(data, subject): data is { snapshot, packets (a log) }, subject what it is about, if
 * anything. sum(rows): what is known of all of them.
 */
export const TABLES = {
	flows: { ...FLOWS, topics: ['flows'], rows: ({ snapshot }) => snapshot.flows },
	processes: { ...PROCESSES, topics: ['processes'], rows: ({ snapshot }) => snapshot.processes },
	remotes: {
		columns: withHost(remoteColumns(noSums)), key: remoteKey, sum: sumRates, topics: ['processes'], rows: ({ snapshot }) => snapshot.remotes,
	},
	connections: {
		...CONNECTIONS, topics: ['connections'], rows: ({ snapshot }) => byUrgency(snapshot.connections), sum: countStates,
	},
	drop_flows: { columns: withHost(dropFlowColumns), topics: ['drops'], rows: ({ snapshot }) => snapshot.drop_flows },
	latency: { columns: withHost(latencyColumns), topics: ['latency'], rows: ({ snapshot }) => inOrder(snapshot.latency) },
	packets: { columns: packetColumns, topics: ['packets'], rows: ({ packets }) => packets.rows() },
	top_processes: {
		...PROCESSES, topics: ['processes'],
		rows: ({ snapshot }) => [...snapshot.processes].sort((a, b) => rateOf(b) - rateOf(a)).slice(0, TOP),
	},
	process_flows: { ...FLOWS, topics: ['flows'], rows: ({ snapshot }, subject) => snapshot.flows.filter(isOfProcess(subject)) },
	process_connections: {
		...CONNECTIONS, topics: ['connections'],
		rows: ({ snapshot }, subject) => byUrgency(snapshot.connections.filter(isOfProcess(subject))),
	},
	host_processes: { ...PROCESSES, topics: ['processes'], rows: ({ snapshot }, subject) => processesOf(snapshot.processes, subject) },
	host_connections: {
		...CONNECTIONS, topics: ['connections'],
		rows: ({ snapshot }, subject) => byUrgency(snapshot.connections.filter(isWithHost(subject))),
	},
	host_flows: { ...FLOWS, topics: ['flows'], rows: ({ snapshot }, subject) => snapshot.flows.filter(isWithHost(subject)) },
};
