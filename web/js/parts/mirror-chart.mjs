// SPDX-License-Identifier: MIT
// Rates over time: in above the line, out below it, nothing where nothing is known.

import { h, setAttribute, setText } from '../core/dom.mjs';
import { bitRate, moment, packetRate, parts } from '../lib/format.mjs';
import { mirrored, peakOf } from '../lib/history.mjs';
import { createChart, drawZero, line } from './chart.mjs';

export const UNITS = { bits: { label: 'bit/s', format: bitRate }, packets: { label: 'packets/s', format: packetRate } };

const LEAST = { bits: 1000, packets: 10 };	// what the axis shows at least, of either direction

export function axisText(value) {
	const { number, unit } = parts(Math.abs(value), '');

	return `${number.replace(/\.0+$/, '').replace(/(\.\d*?)0+$/, '$1')}${unit ? ` ${unit}` : ''}`;
}

function rangeOf(kind) {
	return (plot, least, most) => {
		const up = Math.max(most ?? 0, LEAST[kind]);
		const down = Math.min(least ?? 0, -LEAST[kind]);

		// The quieter direction keeps a quarter of the room, so that it is never only a line.
		return [Math.min(down, -up / 4) * 1.08, Math.max(up, -down / 4) * 1.08];
	};
}

function specOf(kind, times, window) {
	return {
		key: kind,
		times,
		window,
		make: () => ({
			scale: { range: rangeOf(kind) },
			axis: { values: (plot, values) => values.map(axisText) },
			series: [line('--ingress', { fill: '--ingress-fill' }), line('--egress', { fill: '--egress-fill' })],
			draw: [drawZero],
		}),
	};
}

// subject: "Throughput". -> { element, reading, show(series, kind, window) with series of lib/history.mjs, window of parts/chart.mjs, clear() }
export function createMirrorChart(subject, className = '') {
	const inbound = h('b', { class: 'tone-ingress' });
	const outbound = h('b', { class: 'tone-egress' });
	const when = h('span', { class: 'muted' });
	const reading = h('p', { class: 'reading', 'aria-live': 'off' }, when, ' ↓ ', inbound, ' ↑ ', outbound);
	const chart = createChart({ className, moved: readOut });
	let series = { times: [], inbound: [], outbound: [] };
	let kind = 'bits';
	let within = null;	// what the chart shows

	function readOut() {
		const place = chart.place() ?? series.times.length - 1;
		const { format } = UNITS[kind];

		setText(when, place < 0 ? '' : moment(series.times[place] * 1000, within));
		setText(inbound, format(series.inbound[place] ?? null));
		setText(outbound, format(series.outbound[place] ?? null));
		setAttribute(reading, 'aria-live', chart.isRead() ? 'polite' : 'off');
	}

	function summary() {
		const { format } = UNITS[kind];
		const last = (values) => format(values.at(-1) ?? null);

		return `${subject}. In: now ${last(series.inbound)}, peak ${format(peakOf(series.inbound))}. ` +
			`Out: now ${last(series.outbound)}, peak ${format(peakOf(series.outbound))}. The arrow keys read single seconds.`;
	}

	return {
		element: chart.element,
		reading,
		show(next, unit, window = null) {
			series = next;
			kind = unit;
			within = window;
			const data = mirrored(series);

			// The right edge is now, also where the last seconds are unknown.
			data[0].push(series.end);
			data[1].push(null);
			data[2].push(null);
			chart.show(specOf(kind, series.times.length, window), data);
			readOut();
			setAttribute(chart.element, 'aria-label', summary());
		},
		clear() {
			series = { times: [], inbound: [], outbound: [] };
			chart.clear();
			readOut();
			setAttribute(chart.element, 'aria-label', summary());
		},
	};
}
