// SPDX-License-Identifier: MIT
// Several lines over time, named in a legend that also reads the values under the cursor.

import { h, setAttribute, setText } from '../core/dom.mjs';
import { moment } from '../lib/format.mjs';
import { WINDOW_S } from '../lib/history.mjs';
import { createChart, line } from './chart.mjs';

// Told apart by colour and by dashes.
const STROKES = [
	['--c1', null], ['--c2', [8, 3]], ['--c3', [2, 3]], ['--c4', [10, 3, 2, 3]], ['--c5', [5, 5]], ['--muted', null],
];

export const MARKS = STROKES.length;

function createLegend() {
	const when = h('span', { class: 'muted' });
	const element = h('p', { class: 'legend', 'aria-live': 'off' }, when);
	let entries = [];
	let shown = '';

	return {
		element,
		setNames(names) {
			if (shown === names.join('\n'))
				return;
			shown = names.join('\n');
			entries.forEach((entry) => entry.element.remove());
			entries = names.map((name, i) => {
				const value = h('b');

				return { value, element: h('span', { class: 'legend-entry' }, h('span', { class: 'mark', 'data-mark': String(i), 'aria-hidden': 'true' }), `${name} `, value) };
			});
			element.append(...entries.map((entry) => entry.element));
		},
		read(time, window, texts, exacts) {
			setText(when, time === null ? '' : moment(time * 1000, window));
			entries.forEach((entry, i) => {
				setText(entry.value, texts[i]);
				setAttribute(entry.value, 'title', exacts[i]);
			});
		},
	};
}

/*
 * subject: "Drops". spec: { id, scale, axis, format, exact } of uPlot and of values.
 * -> { element, legend, show({ times, rows, names, window }), clear() }
 */
export function createLines(subject, { scale, axis, format, exact }, className = '') {
	const legend = createLegend();
	const chart = createChart({ className, moved: readOut });
	let series = { times: [], rows: [], names: [] };

	function readOut() {
		const place = chart.place() ?? series.times.length - 1;
		const values = series.rows.map((row) => row[place] ?? null);

		legend.read(series.times[place] ?? null, series.window ?? null, values.map(format), values.map(exact));
		setAttribute(legend.element, 'aria-live', chart.isRead() ? 'polite' : 'off');
	}

	function summary() {
		const last = series.rows.map((row, i) => `${series.names[i]} ${format(row.at(-1) ?? null)}`).join(', ');

		return `${subject}, ${series.window ? 'the time range chosen' : `the last ${WINDOW_S / 60} minutes`}. ${series.window ? 'At its end' : 'Now'}: ${last || 'nothing'}. The arrow keys read single points.`;
	}

	return {
		element: chart.element,
		legend: legend.element,
		show(next) {
			series = next;
			legend.setNames(series.names);
			chart.show({
				key: series.names.join('\n'),
				times: series.times.length,
				window: series.window,
				make: () => ({
					scale, axis, series: series.names.map((name, i) => line(STROKES[i % MARKS][0], { dash: STROKES[i % MARKS][1] })),
				}),
			}, [series.times, ...series.rows]);
			readOut();
			setAttribute(chart.element, 'aria-label', summary());
		},
		clear() {
			series = { times: [], rows: [], names: [] };
			chart.clear();
			legend.setNames([]);
			setAttribute(chart.element, 'aria-label', summary());
		},
	};
}
