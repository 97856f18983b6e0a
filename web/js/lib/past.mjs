// SPDX-License-Identifier: MIT
// What /api/history says, in the shapes that charts and tables take. What is not known stays null or is a gap.

import { stamp, toNumber } from './format.mjs';
import { seriesName } from './memory.mjs';

const NAME = 'tcp_rtt';
const PERCENTILES = ['p50', 'p95', 'p99', 'max', 'count'];

// Steps of the answer: { i, time (s), seconds (that are known of it) }, and { time, gap: true } where steps are missing.
function stepsOf({ times = [], covered_ms: covered = [], step_ms: step }) {
	const steps = [];

	times.forEach((time, i) => {
		const before = times[i - 1];

		if (before !== undefined && time - before > 1.5 * step)
			steps.push({ time: (before + step) / 1000, gap: true });
		steps.push({ i, time: time / 1000, seconds: (toNumber(covered[i]) ?? step) / 1000 });
	});
	return steps;
}

const perSecond = (values, { i, seconds, gap }, factor = 1) => {
	const value = gap ? null : toNumber(values?.[i]);

	return value === null || !(seconds > 0) ? null : (value * factor) / seconds;
};

// Series of lib/history.mjs; kind: bits or packets.
export function ratesOf(answer, kind) {
	const steps = stepsOf(answer);
	const [names, factor] = kind === 'bits' ? [['ingress_bytes', 'egress_bytes'], 8] : [['ingress_packets', 'egress_packets'], 1];
	const [inbound, outbound] = names.map((name) => steps.map((step) => perSecond(answer.rates?.[name], step, factor)));

	return { times: steps.map(({ time }) => time), inbound, outbound, end: answer.to / 1000 };
}

function dropsAt(drops, step) {
	const rates = Object.entries(drops).map(([reason, values]) => [reason, perSecond(values, step)]).filter(([, rate]) => rate !== null);

	return rates.length ? new Map(rates) : null;
}

function latencyAt(latency, { i }) {
	const row = { host: null, name: NAME, unit: latency.unit ?? 'us', ...Object.fromEntries(PERCENTILES.map((id) => [id, toNumber(latency[id]?.[i])])) };

	return new Map(row.count === null ? [] : [[seriesName(row), { ...row, buckets: latency.buckets?.[i] ?? [] }]]);
}

// Points of lib/memory.mjs.
export function pointsOf(answer) {
	return stepsOf(answer).map((step) => (step.gap ? { time: step.time, gap: true } : {
		// A point stands at the end of what it is about.
		time: step.time + answer.step_ms / 1000, seconds: answer.step_ms / 1000,
		drops: answer.drops ? dropsAt(answer.drops, step) : null,
		latency: answer.latency ? latencyAt(answer.latency, step) : null,
	}));
}

const sum = (values) => (values ?? []).reduce((all, value) => all + (toNumber(value) ?? 0), 0);

export function protocolSums(answer) {
	return Object.entries(answer.protocols ?? {}).map(([proto, { bytes, packets }]) => ({ proto, bytes: sum(bytes), packets: sum(packets) }));
}

export function dropSums(answer) {
	return Object.entries(answer.drops ?? {}).map(([reason, packets]) => ({ reason, packets: sum(packets) })).filter(({ packets }) => packets > 0);
}

// What is known of the range, in words: none of it, a part, or all ("").
export function coverage({ oldest, from, asked, source, times = [], covered_ms: covered = null }) {
	const since = toNumber(oldest);

	if (times.length === 0 || (covered !== null && covered.every((ms) => ms === 0)))
		return 'nothing is remembered of it';
	if (since === null || since <= (asked?.from ?? from) + 1000)
		return '';
	return source === 'memory' || source === undefined ? 'older is not remembered' : `recorded since ${stamp(since).slice(0, 16)}`;
}
