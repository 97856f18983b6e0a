// SPDX-License-Identifier: MIT
// Rates of one thing, a point a snapshot, of the last minutes.

import { WINDOW_S } from './history.mjs';
import { toNumber } from './format.mjs';

const GAP_INTERVALS = 3.5;
const GAP_S_MIN = 3.5;

// add(time, interval, { inbound, outbound } | null): null = nothing is known. series() as of lib/history.mjs.
export function createRateLog() {
	let points = [];

	return {
		add(time, interval, rates) {
			const last = points.at(-1)?.time ?? time;

			if (time < last)
				points = [];
			else if (time - last > Math.max(GAP_S_MIN, GAP_INTERVALS * interval))
				points.push({ time: last + interval / 2, inbound: null, outbound: null });
			points.push({ time, inbound: toNumber(rates?.inbound), outbound: toNumber(rates?.outbound) });
			points = points.filter((point) => point.time > time - WINDOW_S);
		},
		series: () => ({
			times: points.map((point) => point.time),
			inbound: points.map((point) => point.inbound),
			outbound: points.map((point) => point.outbound),
			end: points.at(-1)?.time ?? 0,
		}),
	};
}
