// SPDX-License-Identifier: MIT
// The time range of the page: live, the last minutes or hour, or from one moment to another. In the URL: 5m, or 1763704001000..1763704061000.

import { clock, stamp } from './format.mjs';

// [id, label, seconds]; those above an hour are offered as far as the server's database reaches back.
export const CHOICES = [
	['live', 'Live', null], ['1m', '1 min', 60], ['5m', '5 min', 300], ['15m', '15 min', 900], ['1h', '1 h', 3600],
	['6h', '6 h', 6 * 3600], ['24h', '24 h', 24 * 3600], ['7d', '7 days', 7 * 86400], ['30d', '30 days', 30 * 86400],
];

export const LIVE = { id: 'live', seconds: null, from: null, to: null };

const FINE_S = 300;	// up to this long a step is a second, else ten
const LEAST_MS = 1000;
const MEMORY_S = 3600;	// what the server has without a database
const POINTS = 720;	// of an answer

// Unix time in ms; anything else is live.
export function parseRange(text) {
	const [, from, to] = /^(\d{1,15})\.\.(\d{1,15})$/.exec(text ?? '') ?? [];
	const choice = CHOICES.find(([id]) => id === text);

	if (from !== undefined)
		return Number(to) > Number(from) ? { id: text, seconds: null, from: Number(from), to: Number(to) } : LIVE;
	return choice ? { ...LIVE, id: choice[0], seconds: choice[2] } : LIVE;
}

export const isLive = (range) => range.id === 'live';
export const isFrozen = (range) => range.from !== null;

// What somebody has marked in a chart, in s; at least a second.
export function rangeText(from, to) {
	const first = Math.floor(from * 1000);

	return `${first}..${Math.max(first + LEAST_MS, Math.ceil(to * 1000))}`;
}

// { from, to, step }: ms, ms, s. now: the timestamp of the last snapshot, ms.
export function boundsOf(range, now) {
	const from = range.from ?? Math.floor(now) - range.seconds * 1000;
	const to = range.to ?? Math.floor(now);

	return { from, to, step: to - from <= FINE_S * 1000 ? 1 : Math.max(10, Math.floor((to - from) / 1000 / POINTS)) };
}

// The choices that there is something for: the next one after all that is known is the last. oldest: ms, null: no database.
export function choicesTo(oldest, now) {
	const known = oldest === null || now === null ? 0 : (now - oldest) / 1000;

	return CHOICES.filter(([, , seconds], i) => seconds === null || seconds <= MEMORY_S || CHOICES[i - 1][2] < known).map(([id]) => id);
}

// What <input type="datetime-local"> has, in the reader's time zone; and back, null: it is none.
export const toInput = (ms) => stamp(ms).slice(0, 16).replace(' ', 'T');

export function fromInput(text) {
	const ms = text ? new Date(text).getTime() : NaN;

	return Number.isFinite(ms) && ms >= 0 ? ms : null;
}

// What a chart shows of it, { from, to } in s; null where it is live. past: of core/past.mjs
export function windowOf({ range, past }) {
	const { asked = null } = past.answer() ?? {};

	return isLive(range) || !asked ? null : { from: asked.from / 1000, to: asked.to / 1000 };
}

// "the last 5 min", or "14:03:21 to 14:04:21", with the day where it is not today's.
export function rangeWords(range, now) {
	if (isFrozen(range)) {
		const isToday = stamp(range.from).slice(0, 10) === stamp(now ?? range.to).slice(0, 10);
		const text = isToday ? clock : stamp;

		return `${text(range.from)} to ${text(range.to)}`;
	}
	return isLive(range) ? 'live' : `the last ${CHOICES.find(([id]) => id === range.id)[1]}`;
}
