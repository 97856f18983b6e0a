// SPDX-License-Identifier: MIT
// Five minutes of throughput: in above the line, out below it, nothing where nothing is known.

import { h, setAttribute, setText } from '../core/dom.mjs';
import { colour } from '../core/theme.mjs';
import { bitRate, clock, packetRate, parts } from '../lib/format.mjs';
import { WINDOW_S, lonely, mirrored, peakOf, seriesOf } from '../lib/history.mjs';
import { NO_PACKETS, createEmpty, createPanel } from './panel.mjs';

const UNITS = {
	bits: { label: 'bit/s', format: bitRate, axis: (value) => parts(Math.abs(value), '') },
	packets: { label: 'packets/s', format: packetRate, axis: (value) => parts(Math.abs(value), '') },
};
const STEPS_S = [10, 15, 30, 60, 120, 300];	// between marks of time
const WIDE_PX = 480;
const LEAST = { bits: 1000, packets: 10 };	// what the axis shows at least, of either direction

function axisText(kind, value) {
	const { number, unit } = UNITS[kind].axis(value);

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

function makeSeries(stroke, fill) {
	return {
		stroke,
		fill,
		width: 1.5,
		points: {
			show: true, size: 4, fill: stroke, stroke,
			filter: (plot, index) => lonely(plot.data[index]),
		},
	};
}

function makeOptions(kind, width, height, readOut) {
	const quiet = colour('--muted');
	const grid = { stroke: colour('--grid'), width: 1 };
	const font = `11px ${getComputedStyle(document.body).fontFamily}`;
	const timeText = (time) => clock(time * 1000).slice(0, width > WIDE_PX ? 8 : 5);	// seconds where there is room
	const axis = { stroke: quiet, font, grid, ticks: { show: false } };

	return {
		width,
		height,
		padding: [8, 26, 0, 0],
		legend: { show: false },
		cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
		scales: { x: { time: true, range: (plot, first, last) => [last - WINDOW_S, last] }, y: { range: rangeOf(kind) } },
		axes: [
			{ ...axis, size: 26, gap: 4, space: 70, incrs: STEPS_S, values: (plot, times) => times.map(timeText) },
			{ ...axis, size: 58, gap: 6, space: 34, values: (plot, values) => values.map((value) => axisText(kind, value)) },
		],
		series: [
			{},
			makeSeries(colour('--ingress'), colour('--ingress-fill')),
			makeSeries(colour('--egress'), colour('--egress-fill')),
		],
		hooks: { setCursor: [readOut], draw: [drawZero] },
	};
}

function drawZero(plot) {
	const { ctx, bbox } = plot;
	const y = Math.round(plot.valToPos(0, 'y', true)) + 0.5;

	ctx.save();
	ctx.strokeStyle = colour('--axis');
	ctx.lineWidth = devicePixelRatio;
	ctx.beginPath();
	ctx.moveTo(bbox.left, y);
	ctx.lineTo(bbox.left + bbox.width, y);
	ctx.stroke();
	ctx.restore();
}

function createSwitch(kinds, chosen, choose) {
	const buttons = kinds.map((kind) =>
		h('button', { type: 'button', 'aria-pressed': String(kind === chosen), on: { click: () => pick(kind) } }, UNITS[kind].label));
	const pick = (kind) => {
		buttons.forEach((button, i) => setAttribute(button, 'aria-pressed', String(kinds[i] === kind)));
		choose(kind);
	};

	return h('div', { class: 'switch', role: 'group', 'aria-label': 'Unit of the chart' }, ...buttons);
}

export function createThroughput() {
	const inbound = h('b', { class: 'tone-ingress' });
	const outbound = h('b', { class: 'tone-egress' });
	const when = h('span', { class: 'muted' });
	const reading = h('p', { class: 'reading', 'aria-live': 'off' }, when, ' ↓ ', inbound, ' ↑ ', outbound);
	const canvas = h('div', { class: 'chart', tabindex: '0', role: 'img' });
	const empty = createEmpty();
	let kind = 'bits';
	let plot = null;
	let series = null;
	let snapshot = null;
	let built = '';

	const element = createPanel({
		id: 'throughput', title: 'Throughput', className: 'wide',
		aside: [reading, createSwitch(['bits', 'packets'], kind, (next) => {
			kind = next;
			if (snapshot)
				draw();
		})],
		body: [canvas, empty.element],
	});

	function readOut() {
		const index = plot?.cursor.idx ?? null;
		const last = series.times.length - 1;
		const place = index === null ? last : index;
		const { format } = UNITS[kind];

		setText(when, place < 0 ? '' : clock(series.times[place] * 1000));
		setText(inbound, format(series.inbound[place] ?? null));
		setText(outbound, format(series.outbound[place] ?? null));
	}

	// A size, a unit or a theme is for the whole plot: it is made anew.
	function build(data) {
		const width = canvas.clientWidth;
		const key = [kind, width, colour('--ingress'), colour('--panel'), devicePixelRatio].join();

		if (width === 0)
			return;
		if (key === built) {
			plot.setData(data);
			return;
		}
		plot?.destroy();
		plot = new globalThis.uPlot(makeOptions(kind, width, canvas.clientHeight, readOut), data, canvas);
		built = key;
	}

	function summary() {
		const { format } = UNITS[kind];
		const last = (values) => format(values.at(-1) ?? null);

		return `Throughput of the last five minutes. In: now ${last(series.inbound)}, peak ${format(peakOf(series.inbound))}. ` +
			`Out: now ${last(series.outbound)}, peak ${format(peakOf(series.outbound))}. The arrow keys read single seconds.`;
	}

	function draw() {
		series = seriesOf(snapshot, kind);
		const data = mirrored(series);

		// The right edge is now, also where the last seconds are unknown.
		data[0].push(series.end);
		data[1].push(null);
		data[2].push(null);
		if (series.times.length === 0) {
			empty.show(...NO_PACKETS);
			plot?.destroy();
			plot = null;
			built = '';
		} else {
			empty.hide();
			build(data);
		}
		readOut();
		setAttribute(canvas, 'aria-label', summary());
	}

	function moveCursor(step) {
		const last = series.times.length - 1;
		const from = plot.cursor.idx ?? last + (step < 0 ? 1 : 0);
		const place = Math.max(0, Math.min(last, from + step));

		plot.setCursor({ left: plot.valToPos(series.times[place], 'x'), top: 0 });
		setAttribute(reading, 'aria-live', 'polite');
	}

	canvas.addEventListener('keydown', (event) => {
		const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 }[event.key];

		if (!step || !plot || series.times.length === 0)
			return;
		event.preventDefault();
		moveCursor(step);
	});
	canvas.addEventListener('blur', () => {
		setAttribute(reading, 'aria-live', 'off');
		plot?.setCursor({ left: -10, top: -10 });
	});
	new ResizeObserver(() => snapshot && draw()).observe(canvas);
	return {
		element,
		update(state) {
			snapshot = state.snapshot;
			draw();
		},
	};
}
