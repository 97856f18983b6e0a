// SPDX-License-Identifier: MIT
// The time range of the page: live, the last minutes or hour, or from one moment to another. In the URL: 5m, or 1763704001000..1763704061000.

import { clock, stamp } from './format.mjs';

// [id, label, seconds]; a longer one is a row more, as soon as the server remembers as much.
export const CHOICES = [['live', 'Live', null], ['1m', '1 min', 60], ['5m', '5 min', 300], ['15m', '15 min', 900], ['1h', '1 h', 3600]];

export const LIVE = { id: 'live', seconds: null, from: null, to: null };

const FINE_S = 300;	// up to this long a step is a second, else ten
const LEAST_MS = 1000;

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

	return { from, to, step: to - from <= FINE_S * 1000 ? 1 : 10 };
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
