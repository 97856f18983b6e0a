// SPDX-License-Identifier: MIT
// What this page remembers of the snapshots that came: drops by reason and latency, over the last minutes.

import { WINDOW_S } from './history.mjs';
import { toNumber } from './format.mjs';
import { isLoaded } from './probes.mjs';

const POINTS_MAX = 1200;	// a snapshot may come more often than once a second
const GAP_INTERVALS = 3.5;	// what is longer than this without a snapshot is a gap, not a line
const GAP_S_MIN = 3.5;	// polling asks every two seconds

export const UNSPECIFIED = 'NOT_SPECIFIED';

function totalsByReason(snapshot) {
	const totals = new Map();

	for (const row of snapshot.drops) {
		const reason = String(row.reason ?? '');
		const sum = totals.get(reason) ?? { packets: 0, pps: 0 };

		sum.packets += toNumber(row.packets) ?? 0;
		sum.pps += toNumber(row.pps) ?? 0;
		totals.set(reason, sum);
	}
	if (snapshot.drops_unspecified.packets !== null)
		totals.set(UNSPECIFIED, { packets: snapshot.drops_unspecified.packets, pps: snapshot.drops_unspecified.pps ?? 0 });
	return totals;
}

// Rates between two points: differences of exact counts; where there is nothing to compare with, what the snapshot says.
function ratesOf(totals, before, seconds) {
	const rates = new Map();

	totals.forEach(({ packets, pps }, reason) => {
		const first = before?.get(reason)?.packets ?? null;
		const moved = first === null ? null : packets - first;

		rates.set(reason, moved === null || moved < 0 || !(seconds > 0) ? pps : moved / seconds);
	});
	return rates;
}

// A histogram of a host is one series: its percentiles, and the buckets of the interval.
export function seriesName(row) {
	return JSON.stringify([row.host ?? null, row.name ?? null]);
}

function latencyOf(snapshot) {
	const series = new Map();

	for (const row of snapshot.latency)
		if ((row.network ?? null) === null)
			series.set(seriesName(row), {
				host: row.host, name: row.name, unit: row.unit, count: toNumber(row.count),
				p50: toNumber(row.p50), p95: toNumber(row.p95), p99: toNumber(row.p99), max: toNumber(row.max),
				buckets: row.buckets,
			});
	return series;
}

/*
 * add(snapshot, topics) for each that came, topics: what of it did -> points(): [{ time (s), seconds, drops: Map(reason -> packets/s) | null,
 * latency: Map(series -> ...) } | { time, gap: true }], oldest first, of the last WINDOW_S.
 */
export function createMemory() {
	let points = [];
	let totals = null;

	return {
		add(snapshot, topics) {
			if (snapshot.timestamp === null)
				return;
			const time = snapshot.timestamp / 1000;
			const interval = snapshot.interval_ms / 1000;
			const before = points.at(-1)?.time ?? null;
			const seconds = before === null ? interval : time - before;
			const now = topics.includes('drops') ? totalsByReason(snapshot) : null;

			// Polling may bring the same one again.
			if (seconds === 0)
				return;
			// Another aggregator, whose clock or counts are others.
			if (seconds < 0)
				points = [];
			else if (seconds > Math.max(GAP_S_MIN, GAP_INTERVALS * interval))
				points.push({ time: before + interval / 2, gap: true });
			points.push({
				time, seconds: interval, latency: topics.includes('latency') ? latencyOf(snapshot) : null,
				drops: now && (isLoaded(snapshot, 'drop') || now.size) ? ratesOf(now, totals, seconds) : null,
			});
			totals = now;
			points = points.filter((point) => point.time > time - WINDOW_S).slice(-POINTS_MAX);
		},
		points: () => points,
	};
}

// The reasons with the most packets in these points, most first; without UNSPECIFIED.
export function busiestReasons(points, most) {
	const sums = new Map();

	for (const point of points)
		point.drops?.forEach((rate, reason) => sums.set(reason, (sums.get(reason) ?? 0) + rate));
	sums.delete(UNSPECIFIED);
	return [...sums].sort((a, b) => b[1] - a[1]).slice(0, most).map(([reason]) => reason);
}

// Series of drops: one for each reason given, one for all others: { times, rows: [[rate | null]...], others: [...] }.
export function dropSeries(points, reasons) {
	const shown = new Set([...reasons, UNSPECIFIED]);
	const rest = ({ drops }) => [...drops].reduce((sum, [reason, rate]) => (shown.has(reason) ? sum : sum + rate), 0);

	return {
		times: points.map((point) => point.time),
		rows: reasons.map((reason) => points.map((point) => (point.drops ? point.drops.get(reason) ?? 0 : null))),
		others: points.map((point) => (point.drops ? rest(point) : null)),
	};
}

export const LINES = ['p50', 'p95', 'p99', 'max'];

// Which series of latency there are: [{ id, host, name, unit }].
export function latencyNames(points) {
	const names = new Map();

	for (const point of points)
		point.latency?.forEach(({ host, name, unit }, id) => names.set(id, { id, host, name, unit }));
	return [...names.values()];
}

// { times, rows: [p50, p95, p99, max], buckets: [[..] | null] } of one series; nothing measured is a gap.
export function latencySeries(points, id) {
	const at = (point) => point.latency?.get(id) ?? null;

	return {
		times: points.map((point) => point.time),
		rows: LINES.map((line) => points.map((point) => (at(point)?.count === 0 ? null : at(point)?.[line] ?? null))),
		buckets: points.map((point) => at(point)?.buckets ?? null),
	};
}

// Rows of latency: whole hosts first, then the network with the slowest answers.
export function inOrder(rows) {
	const isNetwork = (row) => Number((row.network ?? null) !== null);

	return [...rows].sort((a, b) => isNetwork(a) - isNetwork(b) || (toNumber(b.p99) ?? -1) - (toNumber(a.p99) ?? -1));
}
