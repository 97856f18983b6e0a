// SPDX-License-Identifier: MIT
// The history of a snapshot as series for a chart: in above zero, out below it, null where nothing is known.

import { toNumber } from './format.mjs';

export const WINDOW_S = 300;

const KINDS = {
	bits: { names: ['ingress_bytes', 'egress_bytes'], factor: 8 },
	packets: { names: ['ingress_packets', 'egress_packets'], factor: 1 },
};

function rateOf(value, factor, seconds) {
	const number = toNumber(value);

	return number === null ? null : (number * factor) / seconds;
}

// How many of the values stand for a time that is over: a second that still runs has only a part of its sum.
function wholeLength(history, snapshot, length) {
	if (snapshot.final || snapshot.timestamp === null)
		return length;
	const whole = Math.floor((snapshot.timestamp - history.start) / history.interval_ms);

	return Math.max(0, Math.min(length, whole));
}

// { times: [s], inbound: [rate | null], outbound: [rate | null], end: s }, rates a second and never negative.
export function seriesOf(snapshot, kind) {
	const { history } = snapshot;
	const { names, factor } = KINDS[kind];
	const seconds = history.interval_ms / 1000;
	const length = wholeLength(history, snapshot, Math.max(history[names[0]].length, history[names[1]].length));
	const series = { times: [], inbound: [], outbound: [] };

	for (let i = 0; i < length; i++) {
		series.times.push(history.start / 1000 + i * seconds);
		series.inbound.push(rateOf(history[names[0]][i], factor, seconds));
		series.outbound.push(rateOf(history[names[1]][i], factor, seconds));
	}
	return { ...series, end: length ? series.times[length - 1] + seconds : (snapshot.timestamp ?? 0) / 1000 };
}

export function mirrored(series) {
	return [[...series.times], [...series.inbound], series.outbound.map((value) => (value === null ? null : -value))];
}

export function peakOf(values) {
	return values.reduce((peak, value) => (value !== null && (peak === null || value > peak) ? value : peak), null);
}

// Places of values that have nothing on either side: a line does not show them, a dot does.
export function lonely(values) {
	const places = [];

	for (let i = 0; i < values.length; i++)
		if (values[i] !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null)
			places.push(i);
	return places;
}
