// SPDX-License-Identifier: MIT
// A snapshot with every key that the page reads: what is missing or of another type gets a harmless value.

import { toNumber } from './format.mjs';

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const list = (value) => (Array.isArray(value) ? value : []);
const objects = (value) => list(value).filter(isObject);

const TOTALS = ['packets', 'bytes', 'ingress_packets', 'ingress_bytes', 'egress_packets', 'egress_bytes'];
const RATES = ['pps', 'bps', 'ingress_pps', 'ingress_bps', 'egress_pps', 'egress_bps'];
const ACCOUNTING = ['packet_lines', 'flow_packets', 'unattributed', 'before', 'total', 'difference'];
const LOSSES = [
	'unattributed', 'ring_full', 'malformed', 'bad_lines', 'bad_json', 'too_long', 'wrong_type', 'unknown_type',
	'flows_evicted', 'processes_evicted', 'connections_evicted', 'connection_ring_full', 'drop_ring_full',
	'drops_unattributed', 'process_unattributed_bytes', 'latency_unattributed', 'drop_flows_evicted', 'drop_rows_over',
	'latency_evicted', 'hosts_over', 'interfaces_over', 'no_memory',
];
const UNOWNED = ['tx_bytes', 'rx_bytes', 'tx_bps', 'rx_bps'];
const PROCESS_TABLE = ['active', 'limit', 'evicted', 'evicted_tx_bytes', 'evicted_rx_bytes'];
const CONNECTION_TABLE = ['active', 'open', 'limit', 'evicted', 'connects', 'accepts', 'closed', 'failed'];
const UNSPECIFIED = ['packets', 'bytes', 'pps'];
const REMOTE_TABLE = ['active', 'limit', 'evicted'];
const LATENCY_TABLE = ['active', 'limit', 'evicted'];
const FLOW_TABLE = ['active', 'limit', 'created', 'evicted', 'expired'];
const HISTORY = ['ingress_bytes', 'egress_bytes', 'ingress_packets', 'egress_packets'];

function numbers(value, names) {
	const source = isObject(value) ? value : {};

	return Object.fromEntries(names.map((name) => [name, toNumber(source[name])]));
}

function historyOf(value) {
	const source = isObject(value) ? value : {};
	const interval = toNumber(source.interval_ms);
	const start = toNumber(source.start);

	return {
		interval_ms: interval > 0 ? interval : 1000,
		start: start ?? 0,
		...Object.fromEntries(HISTORY.map((name) => [name, start === null ? [] : list(source[name])])),
	};
}

function bucketsOf(value) {
	return list(value)
		.map((pair) => [toNumber(list(pair)[0]), toNumber(list(pair)[1])])
		.filter(([upper, count]) => upper !== null && count > 0);
}

// What the host's probes add; each is empty where its probe is not loaded.
function probesOf(raw) {
	return {
		processes: objects(raw.processes).map((row) => ({
			...row, remotes: objects(row.remotes), protocols: objects(row.protocols),
		})),
		remotes: objects(raw.remotes),
		remote_table: numbers(raw.remote_table, REMOTE_TABLE),
		process_protocols: objects(raw.process_protocols),
		unowned: numbers(raw.unowned, UNOWNED),
		process_table: numbers(raw.process_table, PROCESS_TABLE),
		connections: objects(raw.connections),
		connection_table: numbers(raw.connection_table, CONNECTION_TABLE),
		drops: objects(raw.drops),
		drops_unspecified: numbers(raw.drops_unspecified, UNSPECIFIED),
		drop_flows: objects(raw.drop_flows),
		latency: objects(raw.latency).map((row) => ({ ...row, buckets: bucketsOf(row.buckets) })),
		latency_table: numbers(raw.latency_table, LATENCY_TABLE),
		probes: objects(raw.probes).map((row) => ({ ...row, counters: isObject(row.counters) ? row.counters : {} })),
	};
}

function hostsOf(raw) {
	const hosts = list(raw.hosts).filter((host) => typeof host === 'string');

	if (hosts.length === 0 && typeof raw.host === 'string')
		hosts.push(raw.host);
	return hosts;
}

// null if it is no object at all.
export function readSnapshot(raw) {
	if (!isObject(raw))
		return null;
	const interval = toNumber(raw.interval_ms);

	return {
		timestamp: toNumber(raw.timestamp),
		seq: toNumber(raw.seq),
		interval_ms: interval > 0 ? interval : 1000,
		final: raw.final === true,
		hosts: hostsOf(raw),
		totals: numbers(raw.totals, TOTALS),
		rates: numbers(raw.rates, RATES),
		accounting: numbers(raw.accounting, ACCOUNTING),
		losses: numbers(raw.losses, LOSSES),
		flow_table: numbers(raw.flow_table, FLOW_TABLE),
		history: historyOf(raw.history),
		interfaces: objects(raw.interfaces),
		protocols: objects(raw.protocols),
		cpus: objects(raw.cpus),
		flows: objects(raw.flows),
		packets: objects(raw.packets),
		packets_left_out: toNumber(raw.packets_left_out) ?? 0,
		...probesOf(raw),
	};
}
