// SPDX-License-Identifier: MIT
// The columns of every table: what a cell says, what it says exactly, and what it sorts by.
//
// A column: id, label, width (px; 0 = shares what is left, at least least),
// value(row) to sort by, text(row), and if needed exact(row) (the title), tone(row) (a class), share(row) (0..1, a bar behind
// the row), kind ("number", "time", "address", "name", "word"), optional (shown only where some row has a value), rank (3 goes first,
// then 2, where the room is short), early (comes first there), about (title of the head).

import { addressKey } from './address.mjs';
import {
	NOTHING, bitRate, bytes, clockMs, count, duration, endpoint, exact, outside, packetRate, percent, stamp, toNumber,
} from './format.mjs';

const UNITS = {
	bits: [bitRate, 'bit/s'],
	rate: [packetRate, 'packets/s'],
	bytes: [bytes, 'bytes'],
	count: [count, ''],
	plain: [(value) => exact(value), ''],
	name: [(value) => outside(toNumber(value)), ''],	// a number that only names something
};

function number(id, label, unit, width, more = {}) {
	const [format, word] = UNITS[unit];

	return {
		id,
		label,
		width,
		kind: 'number',
		value: (row) => toNumber(row[id]),
		text: (row) => format(row[id]),
		exact: (row) => (unit === 'name' ? format(row[id]) : exact(row[id], word)),
		...more,
	};
}

function name(id, label, width, more = {}) {
	return {
		id,
		label,
		width,
		kind: 'name',
		value: (row) => row[id] ?? null,
		text: (row) => outside(row[id]),
		exact: (row) => outside(row[id]),
		...more,
	};
}

function address(side, label) {
	const [ip, port] = [`${side}_ip`, `${side}_port`];
	const key = (row) => {
		const first = addressKey(row[ip]);

		return first && first + String.fromCharCode(toNumber(row[port]) ?? 0);
	};
	const text = (row) => endpoint(row[ip], row[port]);

	return { id: side, label, width: 0, least: 184, kind: 'address', value: key, text, exact: text };
}

function optional(column) {
	return { ...column, optional: true };
}

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
	address('src', 'Source'),
	address('dst', 'Destination'),
	{
		id: 'state', label: 'State', width: 104, kind: 'word', rank: 3,
		value: (row) => (stateText(row) === NOTHING ? null : stateText(row)),
		text: stateText, exact: stateExact, tone: (row) => STATES.get(row.state) ?? '',
	},
	optional(name('command', 'Process', 120)),
	optional(number('pid', 'PID', 'name', 76, { rank: 3 })),
	name('ifname', 'Interface', 96, { rank: 3 }),
	optional(number('vlan', 'VLAN', 'name', 64, { rank: 3 })),
	number('bps', 'Rate', 'bits', 112, { early: true, about: 'Both directions, over the last interval' }),
	number('pps', 'Packets/s', 'rate', 98, { rank: 2 }),
	number('src_bytes', 'Sent', 'bytes', 88, { rank: 2, about: 'Bytes from the source to the destination' }),
	number('dst_bytes', 'Received', 'bytes', 88, { rank: 2, about: 'Bytes from the destination to the source' }),
	number('packets', 'Packets', 'count', 84, { rank: 3 }),
	optional(number('rtt_us', 'RTT', 'plain', 84, {
		rank: 3,
		text: (row) => (toNumber(row.rtt_us) === null ? NOTHING : duration(row.rtt_us / 1000)),
		exact: (row) => exact(row.rtt_us, 'µs'),
	})),
	optional(number('retransmits', 'Retrans.', 'count', 84, { rank: 3, about: 'Retransmitted segments' })),
	optional(number('drops', 'Drops', 'count', 72, { rank: 3 })),
	{
		id: 'age', label: 'Age', width: 100, kind: 'number', rank: 3, about: 'From the first packet to the last',
		value: age, text: (row) => duration(age(row)),
		exact: (row) => `${stamp(row.first)} to ${stamp(row.last)}`,
	},
];

export const flowHostColumn = name('host', 'Host', 100, { rank: 3 });

export function flowKey(row) {
	return JSON.stringify([
		row.host, row.ifname, row.vlan, row.proto, row.src_ip, row.src_port, row.dst_ip, row.dst_port, row.icmp_type,
		row.icmp_code,
	]);
}

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

// The share of a row in the sum of all of them, for bars and percentages. sums: { packets, pps, ... }
function withShare(column, sums, part) {
	return { ...column, share: (row) => (sums()[part] > 0 ? (toNumber(row[part]) ?? 0) / sums()[part] : 0) };
}

export function protocolColumns(sums) {
	return [
		withShare(name('proto', 'Protocol', 0, { kind: 'word', head: true, least: 84 }), sums, 'bytes'),
		number('bps', 'Rate', 'bits', 104),
		number('bytes', 'Bytes', 'bytes', 84),
		number('packets', 'Packets', 'count', 84, { rank: 3 }),
		{
			id: 'part', label: 'Share', width: 80, kind: 'number', about: 'Of all bytes',
			value: (row) => toNumber(row.bytes), text: (row) => percent(row.bytes, sums().bytes),
		},
	];
}

export function cpuColumns(sums) {
	return [
		withShare(number('cpu', 'CPU', 'name', 0, { kind: 'word', head: true, least: 60 }), sums, 'pps'),
		number('pps', 'Now', 'rate', 100),
		number('bps', 'Rate', 'bits', 104, { rank: 2 }),
		number('packets', 'Packets', 'count', 80),
		{
			id: 'part', label: 'Share', width: 80, kind: 'number', about: 'Of the packets now',
			value: (row) => toNumber(row.pps), text: (row) => percent(row.pps, sums().pps),
		},
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

function alarm(id) {
	return (row) => (row[id] > 0 ? 'warn' : '');
}

export const hostColumn = name('host', 'Host', 110);

// { packets, bytes, pps, bps } added up over rows
export function sumOf(rows) {
	const sums = { packets: 0, bytes: 0, pps: 0, bps: 0 };

	for (const row of rows)
		for (const id of Object.keys(sums))
			sums[id] += toNumber(row[id]) ?? 0;
	return sums;
}
