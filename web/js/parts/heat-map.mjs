// SPDX-License-Identifier: MIT
// A heat map over time: a column a snapshot, a row a range of latency, the more samples the stronger.

import { h, setAttribute, setText } from '../core/dom.mjs';
import { colour } from '../core/theme.mjs';
import { cellsOf, strength } from '../lib/buckets.mjs';
import { count, exact, micros, moment, shortMicros } from '../lib/format.mjs';
import { WINDOW_S } from '../lib/history.mjs';
import { createChart, logarithmic } from './chart.mjs';

const LEAST_PX = 2;	// of a cell
const NO_ROOM = { low: 10, high: 1000 };	// µs, where nothing is measured

function boundsOf(columns) {
	const cells = columns.flatMap((column) => column.cells);

	return cells.length
		? { low: Math.max(1, Math.min(...cells.map((cell) => cell.low))), high: Math.max(...cells.map((cell) => cell.high + 1)) }
		: NO_ROOM;
}

const samples = (n) => `${exact(n)} ${n === 1 ? 'sample' : 'samples'}`;
const range = ({ low, high }) => (low === high ? micros(low) : `${micros(low)} to ${micros(high)}`);

export function createHeatMap(subject) {
	const when = h('span', { class: 'muted' });
	const what = h('b');
	const reading = h('p', { class: 'legend', 'aria-live': 'off' }, when, ' ', what);
	const chart = createChart({ className: 'heat', moved: readOut, upDown });
	let columns = [];	// { time, seconds, cells }
	let most = 0;
	let window = null;
	let chosen = null;	// low of the cell that the keys chose

	function cellAt(column) {
		if (chart.isRead() && chosen !== null)
			return column.cells.find((cell) => cell.low === chosen) ?? null;
		const plot = chart.plot();
		const value = plot && plot.cursor.top >= 0 && chart.place() !== null ? plot.posToVal(plot.cursor.top, 'y') : null;

		return value === null ? null : column.cells.find((cell) => value >= cell.low && value < cell.high + 1) ?? null;
	}

	function columnText(column) {
		const sum = column.cells.reduce((all, cell) => all + cell.count, 0);

		return sum ? `${samples(sum)}, ${micros(column.cells[0].low)} to ${micros(column.cells.at(-1).high)}` : 'no sample';
	}

	function readOut() {
		const column = columns[chart.place() ?? columns.length - 1];
		const cell = column && cellAt(column);

		setText(when, column ? moment(column.time * 1000, window) : '');
		setText(what, cell ? `${range(cell)}: ${samples(cell.count)}` : column ? columnText(column) : '');
		setAttribute(reading, 'aria-live', chart.isRead() ? 'polite' : 'off');
	}

	function upDown(step) {
		const cells = columns[chart.place() ?? columns.length - 1]?.cells ?? [];
		const at = cells.findIndex((cell) => cell.low === chosen);

		chosen = cells[Math.max(0, Math.min(cells.length - 1, at < 0 ? 0 : at + step))]?.low ?? null;
		readOut();
	}

	function rangeNow() {
		const { low, high } = boundsOf(columns);

		return [low * 0.9, high * 1.1];
	}

	function drawCells(plot) {
		const { ctx, bbox } = plot;

		ctx.save();
		ctx.beginPath();
		ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
		ctx.clip();
		ctx.fillStyle = colour('--heat');
		for (const column of columns) {
			const left = plot.valToPos(column.time - column.seconds, 'x', true);
			const width = Math.max(LEAST_PX, plot.valToPos(column.time, 'x', true) - left);

			for (const cell of column.cells) {
				const bottom = plot.valToPos(Math.max(0.5, cell.low), 'y', true);
				const top = plot.valToPos(cell.high + 1, 'y', true);

				ctx.globalAlpha = strength(cell.count, most);
				ctx.fillRect(left, top, width, Math.max(LEAST_PX, bottom - top));
			}
		}
		ctx.restore();
	}

	function summary() {
		const all = columns.reduce((sum, column) => sum + column.cells.reduce((part, cell) => part + cell.count, 0), 0);
		const { low, high } = boundsOf(columns);

		return `${subject}, heat map of ${window ? 'the time range chosen' : `the last ${WINDOW_S / 60} minutes`}: ` +
			(all ? `${samples(all)} between ${micros(low)} and ${micros(high - 1)}. ` : 'no sample. ') +
			'Left and right read points in time, up and down the ranges.';
	}

	return {
		element: chart.element,
		reading,
		scale: h('p', { class: 'heat-scale muted' }, '1 ', h('span', { class: 'ramp', 'aria-hidden': 'true' }), ' ', h('span', { class: 'most' })),
		// series of lib/memory.mjs; seconds of each point
		show({ times, buckets }, seconds, within = null) {
			window = within;
			columns = times.map((time, i) => ({ time, seconds: seconds[i], cells: cellsOf(buckets[i] ?? []) }));
			most = columns.reduce((top, column) => column.cells.reduce((more, cell) => Math.max(more, cell.count), top), 0);
			setText(this.scale.querySelector('.most'), `${count(Math.max(1, most))} samples`);
			chart.show({
				key: 'heat',
				times: times.length,
				window,
				make: () => ({
					...logarithmic(rangeNow, shortMicros),
					series: [{ paths: () => null, points: { show: false } }],
					draw: [drawCells],
					cursor: { y: true, points: { show: false } },
				}),
			}, [times, times.map(() => null)]);
			readOut();
			setAttribute(chart.element, 'aria-label', summary());
		},
		clear() {
			columns = [];
			chart.clear();
			readOut();
			setAttribute(chart.element, 'aria-label', summary());
		},
	};
}
