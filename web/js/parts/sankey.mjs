// SPDX-License-Identifier: MIT
// The Sankey diagram: interface, protocol, process, remote; and the same as a table.

import { h, setAttribute, setHidden, setText } from '../core/dom.mjs';
import { SANKEY, hasLibrary } from '../core/library.mjs';
import { name, number } from '../lib/column.mjs';
import { bitRate, exact, percent } from '../lib/format.mjs';
import { STAGES, WAYS } from '../lib/sankey.mjs';
import { NO_PACKETS, createEmpty, createPanel } from './panel.mjs';
import { createPause } from './pause.mjs';
import { bandOf, heightOf, layOut } from './sankey-layout.mjs';
import { createShortTable } from './short-table.mjs';
import { createSwitch } from './switch.mjs';

const WIDTH_PX = 700;	// at least: a narrower screen scrolls
const LABEL_PX = 214;
const LETTERS = 22;	// of a label; the whole name is in its title

const SVG = 'http://www.w3.org/2000/svg';

function svg(tag, attributes = {}, ...children) {
	const element = document.createElementNS(SVG, tag);

	Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
	element.append(...children);
	return element;
}

const short = (text) => (text.length > LETTERS ? `${text.slice(0, LETTERS - 1)}…` : text);

// "nginx ×4", "12 others"
function labelOf({ kind, stage, label, count }) {
	if (kind === 'others')
		return `${exact(count)} others`;
	return kind === 'named' && stage === 2 && count > 1 ? `${label} ×${count}` : label;
}

// ---- elements --------------------------------------------------------------

function makeNode() {
	const rect = svg('rect', { rx: 2 });
	const title = svg('tspan', { class: 'sankey-name' });
	const rate = svg('tspan', { class: 'sankey-rate', dx: 6 });
	const text = svg('text', { dy: '0.35em' }, title, rate);
	const element = svg('a', { class: 'sankey-node', tabindex: -1 }, rect, text);

	return {
		element,
		update(node, total) {
			const words = labelOf(node);

			Object.entries({ x: node.x0, y: node.y0.toFixed(1), width: node.x1 - node.x0, height: Math.max(1, node.y1 - node.y0).toFixed(1) })
				.forEach(([key, value]) => setAttribute(rect, key, String(value)));
			setAttribute(text, 'x', String(node.x1 + 7));
			setAttribute(text, 'y', ((node.y0 + node.y1) / 2).toFixed(1));
			setText(title, short(words));
			setText(rate, bitRate(node.value));
			setAttribute(element, 'href', node.href);
			setAttribute(element, 'data-kind', node.kind);
			setAttribute(element, 'aria-label', `${STAGES[node.stage]}: ${words}${node.title ? `, ${node.title}` : ''}, ${bitRate(node.value)}, ${percent(node.value, total)}`);
		},
	};
}

function makeLink() {
	const path = svg('path', { fill: 'none' });
	const element = svg('a', { class: 'sankey-link', tabindex: -1 }, path);

	return {
		element,
		update(link) {
			setAttribute(path, 'd', bandOf(link));
			setAttribute(path, 'stroke-width', Math.max(1, link.width).toFixed(1));
			setAttribute(element, 'data-mark', String(link.colour));
			setAttribute(element, 'href', link.href);
		},
	};
}

// One element a thing of this id, kept as long as there is one: so the focus stays.
function createPool(parent, make) {
	const pool = new Map();

	return {
		update(rows, total) {
			const ids = new Set(rows.map((row) => row.id));

			pool.forEach(({ element }, id) => {
				if (!ids.has(id)) {
					element.remove();
					pool.delete(id);
				}
			});
			for (const row of rows) {
				if (!pool.has(row.id)) {
					pool.set(row.id, make());
					parent.append(pool.get(row.id).element);
				}
				pool.get(row.id).row = row;
				pool.get(row.id).update(row, total);
			}
		},
		of: (element) => [...pool.values()].find((one) => one.element === element) ?? null,
		all: () => [...pool.values()],
	};
}

// ---- diagram ---------------------------------------------------------------

// -> { element, reading, show(graph), clear() }
function createDiagram() {
	const bands = svg('g', { 'aria-hidden': 'true' });
	const boxes = svg('g');
	const picture = svg('svg', { class: 'sankey', role: 'group' }, bands, boxes);
	const heads = h('p', { class: 'sankey-heads', 'aria-hidden': 'true' }, ...STAGES.map((stage) => h('span', {}, stage)));
	const element = h('div', { class: 'sankey-scroller' }, h('div', { class: 'sankey-sheet' }, heads, picture));
	const reading = h('p', { class: 'legend', id: 'sankey-reading' });
	const nodes = createPool(boxes, makeNode);
	const links = createPool(bands, makeLink);
	let graph = null;
	let laidOut = null;
	let room = 0;
	let read = null;	// { pool, id } under the pointer or in focus

	function wordsOf({ pool, id }) {
		const found = laidOut?.[pool].find((one) => one.id === id);

		if (!found)
			return null;
		const what = pool === 'nodes' ? `${STAGES[found.stage]}: ${labelOf(found)}${found.title ? ` (${found.title})` : ''}`
			: `${labelOf(found.source)} → ${labelOf(found.target)}${found.source.stage > 0 && found.proto !== found.source.label ? `, ${found.proto}` : ''}`;

		return [what, exact(Math.round(found.value), 'bit/s'), percent(found.value, graph.total)];
	}

	function readOut() {
		const words = (read && wordsOf(read)) ?? (graph ? ['All', exact(Math.round(graph.total), 'bit/s'), ''] : ['', '', '']);
		const near = read?.pool === 'nodes' ? read.id : null;

		setText(reading, words.filter(Boolean).join(' · '));
		setAttribute(picture, 'data-near', near === null ? null : '');
		links.all().forEach(({ element: one, row }) => {
			const isNear = near !== null && (row.source.id === near || row.target.id === near);

			setAttribute(one, 'data-near', isNear ? '' : null);
		});
	}

	function pointed(event) {
		const target = event.type === 'mouseleave' || event.type === 'focusout' ? null : event.target.closest('a');
		const pool = target?.classList.contains('sankey-node') ? 'nodes' : 'links';
		const found = target && (pool === 'nodes' ? nodes : links).of(target);

		read = found ? { pool, id: found.row.id } : null;
		readOut();
	}

	// One stop of the tabulator; the arrows go on from there.
	function markStop(element_) {
		nodes.all().forEach(({ element: one }) => setAttribute(one, 'tabindex', one === element_ ? '0' : '-1'));
	}

	function place() {
		const focused = nodes.of(document.activeElement);
		const first = nodes.all().filter(({ row }) => row.stage === 0).sort((a, b) => a.row.y0 - b.row.y0)[0];

		markStop((focused ?? first)?.element);
	}

	function pressed(event) {
		const at = nodes.of(document.activeElement);
		const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] ?? [0, 0];

		if (!at || (!down && !right))
			return;
		event.preventDefault();
		const inStage = nodes.all().filter(({ row }) => row.stage === at.row.stage + right).sort((a, b) => a.row.y0 - b.row.y0);
		const joined = links.all().map(({ row }) => row).filter((row) => (right > 0 ? row.source.id : row.target.id) === at.row.id)
			.sort((a, b) => b.value - a.value)[0];
		const next = right ? inStage.find(({ row }) => row.id === (right > 0 ? joined?.target.id : joined?.source.id)) : inStage[inStage.indexOf(at) + down];

		if (next) {
			markStop(next.element);
			next.element.focus();
		}
	}

	function draw() {
		if (!graph?.nodes.length || room === 0 || !hasLibrary(SANKEY, draw))
			return;
		const width = Math.max(WIDTH_PX, room);
		const height = heightOf(graph.nodes, STAGES);

		laidOut = layOut(graph, { width, height, labelPx: LABEL_PX, stages: STAGES });
		setAttribute(picture, 'width', String(width));
		setAttribute(picture, 'height', String(height));
		links.update(laidOut.links, graph.total);
		nodes.update(laidOut.nodes, graph.total);
		place();
		readOut();
	}

	picture.addEventListener('mouseover', pointed);
	picture.addEventListener('mouseleave', pointed);
	picture.addEventListener('focusin', pointed);
	picture.addEventListener('focusout', pointed);
	picture.addEventListener('keydown', pressed);
	new ResizeObserver(([{ contentRect }]) => {
		room = Math.floor(contentRect.width);
		draw();
	}).observe(element);
	return {
		element,
		reading,
		show(next, way) {
			graph = next;
			setAttribute(picture, 'aria-label', `${WAYS[way]}: ${STAGES.join(', ')}. ${exact(next.nodes.length)} nodes, ${bitRate(next.total)} in all. ` +
				'The arrow keys go from one to the next, Enter opens it; the table below says the same.');
			draw();
		},
	};
}

// ---- table -----------------------------------------------------------------

const STEPS = STAGES.slice(1).map((stage, i) => `${STAGES[i]} → ${stage}`);

function rowsOf(graph, way) {
	const byId = new Map(graph.nodes.map((node) => [node.id, node]));

	return graph.links.map(({ source, target, proto, value, href }) => {
		const [from, to] = [byId.get(source), byId.get(target)];

		const row = { step: STEPS[from.stage], from: labelOf(from), to: labelOf(to), proto, way, bps: Math.round(value), part: value / graph.total };

		// Not enumerable: for the page, not for what is saved.
		return Object.defineProperty(row, 'hrefs', { value: { from: from.href, to: to.href, link: href } });
	});
}

const columns = [
	name('step', 'Step', 172, { kind: 'word', rank: 2 }),
	name('from', 'From', 0, { link: (row) => row.hrefs.from }),
	name('to', 'To', 0, { link: (row) => row.hrefs.to }),
	name('proto', 'Proto', 84, { kind: 'word', rank: 3 }),
	number('bps', 'Rate', 'bits', 112, { link: (row) => row.hrefs.link, about: 'A link to its flows' }),
	{
		id: 'part', label: 'Share', width: 80, kind: 'number', rank: 2, value: (row) => row.part, text: (row) => percent(row.part, 1), exact: (row) => exact(row.bps, 'bit/s'),
		share: (row) => row.part,
	},
];

// ---- panel -----------------------------------------------------------------

function noteOf({ unsplit, nodes }, way) {
	const parts = [];
	const left = nodes.find(({ kind }) => kind === 'left');
	const unknown = nodes.find(({ kind }) => kind === 'unknown');

	if (left)
		parts.push(`${bitRate(left.value)} in no flow of the snapshot: quieter flows, and what is not IP.`);
	if (unknown)
		parts.push(`${bitRate(unknown.value)} of which no process is known: forwarded, the kernel’s own, or begun before the probe.`);
	if (unsplit > 0 && way !== 'both')
		parts.push(`${bitRate(unsplit)} left out: which way they went is not known yet, or both are seen.`);
	return parts.join(' ');
}

// -> { element, update(state), setParams(params) }
export function createSankey({ params }) {
	const diagram = createDiagram();
	const empty = createEmpty();
	const note = h('p', { class: 'remark', id: 'sankey-note' });
	let way = 'both';
	let state = null;
	let rows = [];
	let timestamp = null;
	const ways = createSwitch({
		label: 'Direction', choices: Object.entries(WAYS), chosen: way,
		choose(next) {
			params({ way: next === 'both' ? '' : next });
			setWay(next);
		},
	});
	const pause = createPause('the diagram', () => state && show());
	const table = createShortTable({
		id: 'sankey-table', title: 'The same as a table', what: 'sankey', columns: () => columns, rows: () => rows,
		sort: { id: 'bps', descending: true }, size: 'low', empty: () => ['Nothing moves now.'],
	});
	const panel = createPanel({
		id: 'sankey', title: 'Who talks through what with whom', aside: [diagram.reading, pause.note, ways.element, pause.element],
		body: [diagram.element, note, empty.element],
	});

	function show() {
		const graph = state.select('sankey', 'sankey', { way, hold: pause.paused() });

		if (!graph)
			return;
		timestamp = graph.timestamp;
		const isEmpty = graph.nodes.length === 0;

		rows = isEmpty ? [] : rowsOf(graph, way);
		setHidden(diagram.element, isEmpty);
		setHidden(diagram.reading, isEmpty);
		setText(note, noteOf(graph, way));
		setHidden(note, note.textContent === '');
		if (isEmpty)
			empty.show(...emptyWords(state, graph.unsplit));
		else
			empty.hide();
		diagram.show(graph, way);
		table.update(state);
	}

	function setWay(next) {
		way = Object.hasOwn(WAYS, next) ? next : 'both';
		ways.show(way);
		if (state)
			show();
	}

	return {
		element: h('div', { class: 'view stack' }, panel, table.element),
		update(next) {
			if (pause.paused() && state.received !== next.received)
				pause.missed(timestamp);
			state = next;
			show();
		},
		setParams: (given) => setWay(given.way ?? 'both'),
	};
}

function emptyWords({ snapshot }, unsplit) {
	if (!(snapshot.totals.packets > 0))
		return NO_PACKETS;
	return unsplit > 0 ? ['Which way the bytes went is known with the next snapshot.'] : ['Nothing moves now.'];
}
