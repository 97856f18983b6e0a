// SPDX-License-Identifier: MIT
// A chart of the last minutes on uPlot: one look for all of them, themes, sizes, and the arrow keys.

import { h, setAttribute } from '../core/dom.mjs';
import { UPLOT, hasLibrary } from '../core/library.mjs';
import { colour } from '../core/theme.mjs';
import { mark } from '../lib/format.mjs';
import { WINDOW_S, lonely } from '../lib/history.mjs';
import { logTicks } from '../lib/ticks.mjs';

// Between marks of time: the last ones are days, of which the library knows where they begin.
const STEPS_S = [
	1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400, 14 * 86400, 30 * 86400,
	90 * 86400,
];
const WIDE_PX = 480;
const MARK_PX = 4;	// a click is no mark
const SIZES = { font: '11px', time: 26, value: 58 };

// A line, filled or not; values with nothing on either side are dots.
export function line(stroke, { fill = null, dash = null, width = 1.5 } = {}) {
	const paint = colour(stroke);

	return {
		stroke: paint,
		fill: fill && colour(fill),
		dash,
		width,
		points: { show: true, size: 4, fill: paint, stroke: paint, filter: (plot, index) => lonely(plot.data[index]) },
	};
}

// A logarithmic scale of the range that range() says, marked with format(value).
export function logarithmic(range, format) {
	return {
		scale: { distr: 3, log: 10, range },
		axis: {
			splits: (plot, axis, low, high) => logTicks(low, high), filter: (plot, splits) => splits,
			values: (plot, values) => values.map((value) => (value === null ? null : format(value))),
		},
	};
}

export function drawZero(plot) {
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

function makeOptions({ width, height, scale, series, axis, draw, cursor, range, windowNow }, moved, marked) {
	const grid = { stroke: colour('--grid'), width: 1 };
	const font = `${SIZES.font} ${getComputedStyle(document.body).fontFamily}`;
	const marks = (plot, times, place, space, apart) => times.map((time) => mark(time * 1000, windowNow(), apart, width > WIDE_PX));
	const common = { stroke: colour('--muted'), font, grid, ticks: { show: false } };

	return {
		width,
		height,
		padding: [8, 26, 0, 0],
		legend: { show: false },
		cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 6 }, ...cursor },
		scales: { x: { time: true, range }, y: scale },
		axes: [
			{ ...common, size: SIZES.time, gap: 4, space: 70, incrs: STEPS_S, values: marks },
			{ ...common, size: SIZES.value, gap: 6, space: 34, ...axis },
		],
		series: [{}, ...series],
		hooks: { setCursor: [moved], setSelect: [marked], draw },
	};
}

/*
 * moved() is told that the cursor is elsewhere; upDown(step) of the arrows that do not move in time.
 * -> { element, show(spec, data), clear(), place(): index under the cursor or null, plot() }
 * spec: { key: anew when it changes, times: how many points, window: { from, to } in s (without: the last minutes), make(): { scale, series, axis, draw, cursor } }
 */
export function createChart({ className = '', moved, upDown = null }) {
	const element = h('div', { class: `chart ${className}`, tabindex: '0', role: 'img' });
	let width = 0;	// kept, as asking for it has the page laid out anew
	let height = 0;
	let plot = null;
	let built = '';
	let redraw = null;
	let times = [];
	let length = 0;
	let window = null;

	const range = (plot_, first, last) => (window ? [window.from, window.to] : [last - WINDOW_S, last]);

	// What somebody marks with the mouse is the time range of the page.
	function marked({ select: { left, width: wide }, posToVal }) {
		if (wide < MARK_PX)
			return;
		element.dispatchEvent(new CustomEvent('zoom', { bubbles: true, detail: { from: posToVal(left, 'x'), to: posToVal(left + wide, 'x') } }));
		plot?.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
	}

	function measure() {
		width = element.clientWidth;
		height = element.clientHeight;
	}

	function clear() {
		plot?.destroy();
		plot = null;
		built = '';
	}

	const again = () => redraw?.();

	// A size, a unit or a theme is for the whole plot: it is made anew.
	function show(spec, data) {
		if (width === 0)
			measure();
		const key = [spec.key, width, height, colour('--ingress'), colour('--panel'), devicePixelRatio].join();

		redraw = () => show(spec, data);
		times = data[0];
		length = spec.times;
		window = spec.window ?? null;
		if (width === 0 || !hasLibrary(UPLOT, again))
			return;
		if (key === built) {
			plot.setData(data);
			return;
		}
		clear();
		plot = new globalThis.uPlot(makeOptions({ width, height, range, windowNow: () => window, draw: [], ...spec.make() }, moved, marked), data, element);
		built = key;
	}

	function moveCursor(step) {
		const last = length - 1;
		const from = plot.cursor.idx ?? last + (step < 0 ? 1 : 0);
		const place = Math.max(0, Math.min(last, from + step));

		plot.setCursor({ left: plot.valToPos(times[place], 'x'), top: plot.cursor.top >= 0 ? plot.cursor.top : 0 });
	}

	element.addEventListener('keydown', (event) => {
		const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 }[event.key];
		const aside = upDown && { ArrowUp: 1, ArrowDown: -1 }[event.key];

		if ((!step && !aside) || !plot || length === 0)
			return;
		event.preventDefault();
		setAttribute(element, 'data-keys', '');
		if (step)
			moveCursor(step);
		else
			upDown(aside);
	});
	element.addEventListener('blur', () => {
		setAttribute(element, 'data-keys', null);
		plot?.setCursor({ left: -10, top: -10 });
	});
	new ResizeObserver(() => {
		measure();
		again();
	}).observe(element);
	return {
		element,
		show,
		clear() {
			redraw = null;
			clear();
		},
		place: () => (plot?.cursor.idx >= 0 ? plot.cursor.idx : null),
		isRead: () => element.hasAttribute('data-keys'),
		plot: () => plot,
	};
}
