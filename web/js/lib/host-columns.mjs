// SPDX-License-Identifier: MIT
// The columns of the tables of processes, remotes, connections, drops and latency.

import { address, alarm, name, number, optional, part, time, withShare } from './column.mjs';
import { reasonWords } from './drop-reasons.mjs';
import { NOTHING, duration, exact, micros, outside, toNumber } from './format.mjs';
import { processHref, remoteHref } from './keys.mjs';
import { CLAIM } from './names.mjs';
import { connectionReasonWords } from './words.mjs';

const RATES = [
	number('rx_bps', '↓ In', 'bits', 112, { early: true, about: 'Received, over the last interval' }),
	number('tx_bps', '↑ Out', 'bits', 112, { early: true, about: 'Sent, over the last interval' }),
];
const SUMS = [
	number('rx_bytes', 'Received', 'bytes', 92, { rank: 2 }),
	number('tx_bytes', 'Sent', 'bytes', 92, { rank: 2 }),
];
const CALLS = [
	number('rx_calls', '↓ Calls', 'count', 84, { rank: 3, about: 'Calls that received something' }),
	number('tx_calls', '↑ Calls', 'count', 84, { rank: 3, about: 'Calls that sent something' }),
];

const both = (row) => (toNumber(row.tx_bps) ?? 0) + (toNumber(row.rx_bps) ?? 0);

// The row's part of the sum of rates, as a bar.
const withRate = (column, sums) => ({ ...column, share: (row) => (sums().rate > 0 ? both(row) / sums().rate : 0) });

export function sumRates(rows) {
	return { rate: rows.reduce((sum, row) => sum + both(row), 0) };
}

// ---- processes and remotes -------------------------------------------------

export function processColumns(sums) {
	return [
		withRate(name('command', 'Process', 0, { opener: true, head: true, least: 130, early: true }), sums),
		number('pid', 'PID', 'name', 84),
		optional(number('uid', 'UID', 'name', 70, { rank: 3 })),
		...RATES,
		...SUMS,
		number('connections', 'Open', 'count', 72, { rank: 2, about: 'Connections open now' }),
		...CALLS,
		time('last', 'Last', { rank: 3, about: 'When it last moved a byte' }),
	];
}

// For the overview: who, and how much now.
export const topProcessColumns = (sums) => processColumns(sums).filter(({ id }) => ['command', 'pid', 'rx_bps', 'tx_bps'].includes(id));

export function remoteColumns(sums) {
	const remote = address('remote', 'Remote', { opener: true, head: true, least: 150, early: true });

	return [
		withRate({ ...remote, text: (row) => outside(row.remote_ip), exact: (row) => outside(row.remote_ip) }, sums),
		optional(name('remote_name', 'Name', 0, { least: 150, about: CLAIM })),
		...RATES,
		...SUMS,
		number('processes', 'Processes', 'count', 96, { rank: 2, about: 'Processes that talk with it' }),
		number('connections', 'Open', 'count', 72, { rank: 2, about: 'Connections open now' }),
	];
}

export const processRemoteColumns = [
	address('remote', 'Remote', { head: true, least: 150, early: true, link: remoteHref }),
	optional(name('remote_name', 'Name', 130, { rank: 3, about: CLAIM })),
	name('proto', 'Proto', 70, { kind: 'word' }),
	...RATES,
	...SUMS,
];

export const processProtocolColumns = [
	name('proto', 'Protocol', 0, { kind: 'word', head: true, least: 84 }),
	...RATES.map((column) => optional(column)),
	...SUMS.map((column) => ({ ...column, rank: undefined })),
	...CALLS.map((column) => optional(column)),
];

// ---- connections -----------------------------------------------------------

const STATES = new Map([['failed', 'bad'], ['connecting', 'new'], ['open', 'ok'], ['closed', 'muted']]);
const DIRECTIONS = new Map([['ingress', '↓ in'], ['egress', '↑ out']]);

export const connectionColumns = [
	{
		...name('state', 'State', 94, { kind: 'word', early: true }), tone: (row) => STATES.get(row.state) ?? '',
		exact: (row) => `${outside(row.state)}${row.existing === true ? ', was open before the probe came' : ''}`,
	},
	{
		...name('reason', 'Reason', 104, { kind: 'word', about: 'How it ended', tone: (row) => (row.state === 'failed' ? 'bad' : '') }),
		exact: (row) => connectionReasonWords(row.reason) || outside(row.reason),
	},
	name('command', 'Process', 116, { link: processHref, early: true }),
	number('pid', 'PID', 'name', 76, { rank: 3 }),
	{
		...name('direction', 'Dir', 62, { kind: 'word', rank: 3, about: 'Who opened it: out = this host' }),
		text: (row) => DIRECTIONS.get(row.direction) ?? outside(row.direction),
		tone: (row) => (DIRECTIONS.has(row.direction) ? row.direction : ''),
	},
	name('proto', 'Proto', 66, { kind: 'word', rank: 3 }),
	address('src', 'From', { opener: true }),
	address('dst', 'To'),
	name('service', 'Service', 90, { rank: 3 }),
	time('started', 'Started', { rank: 2 }),
	{
		...number('duration_ms', 'Lasted', 'ms', 92, { rank: 2, about: 'How long it has lasted, or lasted' }),
		text: (row) => duration(row.duration_ms),
	},
	number('bytes_received', 'Received', 'bytes', 88, { rank: 2 }),
	number('bytes_sent', 'Sent', 'bytes', 88, { rank: 2 }),
	number('rtt_us', 'RTT', 'micros', 84, { rank: 3, about: 'Smoothed round-trip time, last known' }),
	number('retransmits', 'Retrans.', 'count', 84, { rank: 3, about: 'Retransmitted segments', tone: alarm('retransmits') }),
];

// For the lists in details of one process or remote.
export const shortConnectionColumns = connectionColumns.filter(({ id }) =>
	['state', 'reason', 'command', 'src', 'dst', 'started', 'rtt_us'].includes(id));

// ---- drops -----------------------------------------------------------------

const reason = (more = {}) => ({
	...name('reason', 'Reason', 0, { kind: 'word', least: 170, ...more }),
	exact: (row) => [`${outside(row.reason)}, code ${outside(row.reason_code)}`, reasonWords(row.reason)].filter(Boolean).join(': '),
});

export function dropColumns(sums, mark = null) {
	return [
		withShare({ ...reason({ head: true }), mark }, sums, 'packets'),
		name('proto', 'Proto', 70, { kind: 'word' }),
		number('pps', 'Now', 'rate', 92, { about: 'Packets a second, over the last interval' }),
		number('packets', 'Packets', 'plain', 100),
		number('bytes', 'Bytes', 'bytes', 88, { rank: 2 }),
		part(sums, 'packets', 'Of all dropped packets with a reason'),
		{
			id: 'words', label: 'What it means', width: 0, least: 300, kind: 'name', rank: 3, value: (row) => reasonWords(row.reason) || null,
			text: (row) => reasonWords(row.reason) || NOTHING, exact: (row) => reasonWords(row.reason) || NOTHING,
		},
	];
}

export const topDropColumns = (sums) => dropColumns(sums).filter(({ id }) => ['reason', 'proto', 'pps', 'packets'].includes(id));

export const dropFlowColumns = [
	reason({ early: true }),
	name('proto', 'Proto', 70, { kind: 'word' }),
	address('src', 'Source'),
	address('dst', 'Destination'),
	name('location', 'Where', 170, { rank: 3, about: 'The kernel’s function that dropped it' }),
	name('ifname', 'Interface', 92, { rank: 3 }),
	number('recent', 'Now', 'plain', 76, { about: 'Packets in the last interval' }),
	number('packets', 'Packets', 'plain', 100, { early: true }),
	number('bytes', 'Bytes', 'bytes', 84, { rank: 2 }),
	time('last', 'Last', { rank: 2 }),
];

// ---- latency ---------------------------------------------------------------

function latency(id, label, about) {
	const text = (row) => (row.unit === 'us' ? micros(row[id]) : exact(row[id], outside(row.unit ?? '')));

	return { ...number(id, label, 'plain', 92, { about }), text, exact: (row) => exact(row[id], row.unit === 'us' ? 'µs' : outside(row.unit ?? '')) };
}

const network = (row) => (row.network === null || row.network === undefined ? 'Whole host' : outside(row.network));

export const latencyColumns = [
	{ id: 'network', label: 'Network', width: 0, least: 150, kind: 'name', head: true, value: network, text: network, exact: network },
	name('name', 'What', 90, { rank: 3 }),
	latency('p50', 'p50', 'Half of the samples of the last minute are at most this'),
	latency('p95', 'p95', '95 % of the samples of the last minute are at most this'),
	latency('p99', 'p99', '99 % of the samples of the last minute are at most this'),
	latency('max', 'Max', 'The slowest of the last minute'),
	number('count', 'Samples', 'count', 88, { rank: 2, about: 'In the last minute' }),
	number('total_count', 'In all', 'count', 88, { rank: 3, about: 'Samples since the aggregator started' }),
];
