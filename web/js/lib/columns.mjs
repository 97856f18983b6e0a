// SPDX-License-Identifier: MIT
// The columns of the tables of traffic: what a cell says, what it says exactly, and what it sorts by.

import { address, alarm, name, number, optional, part, withShare } from './column.mjs';
import { NOTHING, clockMs, duration, exact, outside, stamp, toNumber } from './format.mjs';
import { processHref } from './keys.mjs';

// ---- flows ---------------------------------------------------------------

// Maps, not objects: a state may be called "constructor".
const STATES = new Map([['established', 'ok'], ['new', 'new'], ['closing', 'muted'], ['closed', 'muted'], ['reset', 'bad']]);

function stateText(row) {
	if (typeof row.state === 'string')
		return outside(row.state);
	if (toNumber(row.icmp_type) !== null)
		return `type ${row.icmp_type}/${row.icmp_code ?? 0}`;
	return row.fragment === true ? 'fragment' : NOTHING;
}

function stateExact(row) {
	const side = (flags) => (flags === '' ? 'none' : outside(flags));

	if (typeof row.state === 'string')
		return `${stateText(row)}; TCP flags of the source: ${side(row.tcp_flags_src)}, of the destination: ${side(row.tcp_flags_dst)}`;
	return stateText(row);
}

const age = (row) => {
	const [first, last] = [toNumber(row.first), toNumber(row.last)];

	return first === null || last === null ? null : Math.max(0, last - first);
};

export const flowColumns = [
	name('proto', 'Proto', 74, { kind: 'word' }),
	address('src', 'Source', { opener: true }),
	address('dst', 'Destination'),
	{
		id: 'state', label: 'State', width: 104, kind: 'word', rank: 3,
		value: (row) => (stateText(row) === NOTHING ? null : stateText(row)),
		text: stateText, exact: stateExact, tone: (row) => STATES.get(row.state) ?? '',
	},
	optional(name('command', 'Process', 120, { link: processHref })),
	optional(number('pid', 'PID', 'name', 76, { rank: 3 })),
	name('ifname', 'Interface', 96, { rank: 3 }),
	optional(number('vlan', 'VLAN', 'name', 64, { rank: 3 })),
	number('bps', 'Rate', 'bits', 112, { early: true, about: 'Both directions, over the last interval' }),
	number('pps', 'Packets/s', 'rate', 98, { rank: 2 }),
	number('src_bytes', 'Sent', 'bytes', 88, { rank: 2, about: 'Bytes from the source to the destination' }),
	number('dst_bytes', 'Received', 'bytes', 88, { rank: 2, about: 'Bytes from the destination to the source' }),
	number('packets', 'Packets', 'count', 84, { rank: 3 }),
	optional(number('rtt_us', 'RTT', 'micros', 84, { rank: 3, about: 'Round-trip time, last known' })),
	optional(number('retransmits', 'Retrans.', 'count', 84, { rank: 3, about: 'Retransmitted segments' })),
	optional(number('drops', 'Drops', 'count', 72, { rank: 3, about: 'Packets of this flow that the kernel dropped', tone: alarm('drops') })),
	{
		id: 'age', label: 'Age', width: 100, kind: 'number', rank: 3, about: 'From the first packet to the last',
		value: age, text: (row) => duration(age(row)),
		exact: (row) => `${stamp(row.first)} to ${stamp(row.last)}`,
	},
];

// ---- packets -------------------------------------------------------------

const DIRECTIONS = new Map([['ingress', '↓ in'], ['egress', '↑ out']]);

function notes(row) {
	const words = [];

	if (typeof row.tcp_flags === 'string')
		words.push(row.tcp_flags === '' ? 'no flags' : outside(row.tcp_flags));
	if (toNumber(row.icmp_type) !== null)
		words.push(`type ${row.icmp_type}/${row.icmp_code ?? 0}`);
	if (row.fragment === true)
		words.push('fragment');
	if (row.malformed === true)
		words.push('malformed');
	return words.join(' · ') || NOTHING;
}

export const packetColumns = [
	{
		id: 'timestamp', label: 'Time', width: 116, kind: 'time', value: (row) => row.number,
		text: (row) => clockMs(row.timestamp), exact: (row) => `${stamp(row.timestamp)} (${exact(row.timestamp, 'ms')})`,
	},
	{
		id: 'direction', label: 'Dir', width: 64, kind: 'word', value: (row) => row.direction ?? null,
		text: (row) => DIRECTIONS.get(row.direction) ?? outside(row.direction),
		tone: (row) => (DIRECTIONS.has(row.direction) ? row.direction : ''),
	},
	name('proto', 'Proto', 74, { kind: 'word' }),
	address('src', 'Source'),
	address('dst', 'Destination'),
	number('length', 'Length', 'plain', 76, { exact: (row) => exact(row.length, 'bytes in the frame') }),
	{
		id: 'notes', label: 'Flags', width: 112, kind: 'word', rank: 2, value: notes, text: notes, exact: notes,
		tone: (row) => (row.malformed === true ? 'bad' : ''),
	},
	number('ttl', 'TTL', 'name', 54, { rank: 3 }),
	name('ifname', 'Interface', 92, { rank: 3 }),
	optional(number('vlan', 'VLAN', 'name', 64, { rank: 3 })),
	number('cpu', 'CPU', 'name', 54, { rank: 3 }),
];

// ---- protocols, CPUs, interfaces -------------------------------------------

export function protocolColumns(sums) {
	return [
		withShare(name('proto', 'Protocol', 0, { kind: 'word', head: true, least: 84 }), sums, 'bytes'),
		number('bps', 'Rate', 'bits', 104),
		number('bytes', 'Bytes', 'bytes', 84),
		number('packets', 'Packets', 'count', 84, { rank: 3 }),
		part(sums, 'bytes', 'Of all bytes'),
	];
}

export function cpuColumns(sums) {
	return [
		withShare(number('cpu', 'CPU', 'name', 0, { kind: 'word', head: true, least: 60 }), sums, 'pps'),
		number('pps', 'Now', 'rate', 100),
		number('bps', 'Rate', 'bits', 104, { rank: 2 }),
		number('packets', 'Packets', 'count', 80),
		part(sums, 'pps', 'Of the packets now'),
	];
}

export const interfaceColumns = [
	name('ifname', 'Interface', 0, { head: true, least: 110 }),
	number('ingress_bps', '↓ In', 'bits', 108),
	number('egress_bps', '↑ Out', 'bits', 108),
	number('ingress_pps', '↓ Packets', 'rate', 98, { rank: 2 }),
	number('egress_pps', '↑ Packets', 'rate', 98, { rank: 2 }),
	number('packets', 'Packets', 'count', 84, { rank: 2 }),
	number('bytes', 'Bytes', 'bytes', 84, { rank: 2 }),
	number('packet_lines', 'Lines', 'count', 78, { rank: 3, about: 'Packets that became a line of their own' }),
	number('folded', 'Folded', 'count', 78, { rank: 3, about: 'Packets folded into flows by the kernel' }),
	number('unattributed', 'Unattr.', 'count', 76, { rank: 3, about: 'In the totals, in no flow', tone: alarm('unattributed') }),
	number('malformed', 'Malformed', 'count', 92, { rank: 3, tone: alarm('malformed') }),
	number('ring_full', 'Ring full', 'count', 84, { rank: 3, tone: alarm('ring_full') }),
];

// { packets, bytes, pps, bps } added up over rows
export function sumOf(rows) {
	const sums = { packets: 0, bytes: 0, pps: 0, bps: 0 };

	for (const row of rows)
		for (const id of Object.keys(sums))
			sums[id] += toNumber(row[id]) ?? 0;
	return sums;
}
