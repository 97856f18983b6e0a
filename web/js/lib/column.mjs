// SPDX-License-Identifier: MIT
// What a column of a table is, and the kinds there are.
//
// A column: id, label, width (px; 0 = shares what is left, at least least),
// value(row) to sort by, text(row), and if needed exact(row) (the title), tone(row) (a class), share(row) (0..1, a bar behind
// the row), kind ("number", "time", "address", "name", "word"), optional (shown only where some row has a value), rank (3 goes first,
// then 2, where the room is short), early (comes first there), about (title of the head), head (names its row),
// opener (what opens the row's details, where there are any), link(row) (a hash of this page, or null).

import { addressKey } from './address.mjs';
import {
	NOTHING, bitRate, bytes, clock, count, duration, endpoint, exact, micros, outside, packetRate, percent, stamp, toNumber,
} from './format.mjs';

const UNITS = {
	bits: [bitRate, 'bit/s'],
	rate: [packetRate, 'packets/s'],
	bytes: [bytes, 'bytes'],
	count: [count, ''],
	plain: [(value) => exact(value), ''],
	micros: [micros, 'µs'],
	ms: [(value) => duration(value), 'ms'],
	name: [(value) => outside(toNumber(value)), ''],	// a number that only names something
};

export function number(id, label, unit, width, more = {}) {
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

export function name(id, label, width, more = {}) {
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

export function address(side, label, more = {}) {
	const [ip, port] = [`${side}_ip`, `${side}_port`];
	const key = (row) => {
		const first = addressKey(row[ip]);

		return first && first + String.fromCharCode(toNumber(row[port]) ?? 0);
	};
	const text = (row) => endpoint(row[ip], row[port]);
	const named = (row) => (row[`${side}_name`] ? `${text(row)}, ${outside(row[`${side}_name`])}` : text(row));

	return { id: side, label, width: 0, least: 184, kind: 'address', value: key, text, exact: named, ...more };
}

export function optional(column) {
	return { ...column, optional: true };
}

export function time(id, label, more = {}) {
	return {
		id, label, width: 88, kind: 'time', value: (row) => toNumber(row[id]), text: (row) => clock(row[id]),
		exact: (row) => stamp(row[id]), ...more,
	};
}

// What part of a sum this row is, in percent.
export function part(sums, id, about) {
	return {
		id: 'part', label: 'Share', width: 80, kind: 'number', about, value: (row) => toNumber(row[id]),
		text: (row) => percent(row[id], sums()[id]), exact: (row) => `${exact(row[id])} of ${exact(sums()[id])}`,
	};
}

// The share of a row in the sum of all of them, for bars and percentages. sums: { packets, pps, ... }
export function withShare(column, sums, part) {
	return { ...column, share: (row) => (sums()[part] > 0 ? (toNumber(row[part]) ?? 0) / sums()[part] : 0) };
}

export function alarm(id) {
	return (row) => (row[id] > 0 ? 'warn' : '');
}

export const hostColumn = name('host', 'Host', 110);

// In long tables, where it may go.
export const flexibleHostColumn = { ...hostColumn, rank: 3 };

