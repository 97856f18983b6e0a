// SPDX-License-Identifier: MIT
// A table that sorts by a click on its head and, when it is long, has only the rows in sight.

import { h, setAttribute, setHidden } from '../core/dom.mjs';
import { sortRows } from '../lib/sort.mjs';
import { rowsInSight } from '../lib/window.mjs';

const ROW_PX = 28;	// --row in page.css
const PHONE_PX = 500;
const FLEX_PX = 150;	// what a column without a width needs at least, if it does not say

const isNumber = (column) => column.kind === 'number' || column.kind === 'time';
const least = (column) => column.width || (column.least ?? FLEX_PX);
const widthOf = (columns) => columns.reduce((sum, column) => sum + least(column), 0);

// Where the room is short, columns of the highest rank go, from the right; on a phone what matters most stands first.
function fit(columns, room) {
	const kept = [...columns];

	for (const rank of [3, 2])
		for (let i = kept.length - 1; i >= 0 && widthOf(kept) > room; i--)
			if (kept[i].rank === rank)
				kept.splice(i, 1);
	if (room < PHONE_PX)
		kept.sort((a, b) => Number(b.early ?? false) - Number(a.early ?? false));
	return kept;
}

function makeHeadCell(column, sortBy) {
	const button = h('button', { type: 'button', title: column.about ?? null, on: { click: () => sortBy(column) } },
		column.label);

	return h('th', { scope: 'col', class: cellClass(column) }, button);
}

function cellClass(column) {
	return `k-${column.kind ?? 'word'}`;
}

function makeCol(column) {
	const col = h('col');

	if (column.width)
		col.style.width = `${column.width}px`;
	return col;
}

function makeCell(column) {
	const element = h(column.head ? 'th' : 'td', { class: cellClass(column), scope: column.head ? 'row' : null });
	const cell = { element, column, text: document.createTextNode(''), bar: null, shown: null, tone: '' };

	if (column.share) {
		cell.bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
		element.append(cell.bar);
		element.classList.add('with-bar');
	}
	element.append(column.share ? h('span', {}, cell.text) : cell.text);
	return cell;
}

function fillCell(cell, row) {
	const { column, element } = cell;
	const text = column.text(row);
	const tone = column.tone ? column.tone(row) : '';

	if (cell.shown !== text) {
		cell.text.data = text;
		cell.shown = text;
	}
	if (cell.tone !== tone) {
		if (cell.tone)
			element.classList.remove(`tone-${cell.tone}`);
		if (tone)
			element.classList.add(`tone-${tone}`);
		cell.tone = tone;
	}
	if (column.exact)
		setAttribute(element, 'title', column.exact(row));
	if (cell.bar)
		cell.bar.style.transform = `scaleX(${Math.min(1, column.share(row)).toFixed(4)})`;
}

function makeRow(columns) {
	const cells = columns.map(makeCell);

	return { element: h('tr', {}, ...cells.map((cell) => cell.element)), cells };
}

/*
 * columns: see lib/columns.mjs. sort: { id, descending }; sorted(sort) is told of a new one. long: only rows in sight
 * exist. -> { element, update(rows), setSort(sort), setColumns(columns), rows() }
 */
export function createTable({ caption, columns, sort, sorted = () => {}, long = false, className = '' }) {
	const colgroup = h('colgroup');
	const headRow = h('tr');
	const above = h('tr', { class: 'space', 'aria-hidden': 'true', hidden: true }, h('td'));
	const below = h('tr', { class: 'space', 'aria-hidden': 'true', hidden: true }, h('td'));
	const body = h('tbody', {}, above, below);
	const table = h('table', {}, h('caption', { class: 'unseen' }, caption), colgroup, h('thead', {}, headRow), body);
	const element = h('div', { class: `scroller ${className}`, tabindex: '0', role: 'region', 'aria-label': `${caption}, the table` }, table);
	const used = new Set();	// optional columns that have had a value
	let shown = [];
	let pool = [];
	let given = [];
	let rows = [];
	let room = Infinity;	// px for columns
	let planned = false;

	function isShown(column) {
		if (!column.optional || used.has(column.id))
			return true;
		if (!given.some((row) => column.value(row) !== null))
			return false;
		used.add(column.id);
		return true;
	}

	function buildHead() {
		colgroup.replaceChildren(...shown.map(makeCol));
		headRow.replaceChildren(...shown.map((column) => makeHeadCell(column, sortBy)));
		table.style.minWidth = `${widthOf(shown)}px`;
		pool.forEach((row) => row.element.remove());
		pool = [];
		above.firstChild.colSpan = shown.length;
		below.firstChild.colSpan = shown.length;
	}

	function chooseColumns() {
		const wanted = fit(columns.filter(isShown), room);

		if (wanted.length === shown.length && wanted.every((column, i) => column === shown[i]))
			return;
		shown = wanted;
		buildHead();
		markSort();
	}

	function markSort() {
		shown.forEach((column, i) => {
			const direction = sort.descending ? 'descending' : 'ascending';

			setAttribute(headRow.children[i], 'aria-sort', column.id === sort.id ? direction : 'none');
		});
	}

	function sortBy(column) {
		const descending = column.id === sort.id ? !sort.descending : isNumber(column);

		setSort({ id: column.id, descending });
		element.scrollTop = 0;
		sorted(sort);
	}

	function arrange() {
		const column = columns.find((one) => one.id === sort.id);

		rows = column ? sortRows(given, column.value, sort.descending) : given;
	}

	function setSort(next) {
		sort = next;
		markSort();
		arrange();
		paint();
	}

	function setSpace(row, count) {
		setHidden(row, count === 0);
		row.firstChild.style.height = `${count * ROW_PX}px`;
	}

	function setPool(size) {
		while (pool.length < size) {
			const row = makeRow(shown);

			pool.push(row);
			below.before(row.element);
		}
		while (pool.length > size)
			pool.pop().element.remove();
	}

	function paint() {
		const sight = long
			? rowsInSight(element.scrollTop, Math.max(element.clientHeight, ROW_PX), ROW_PX, rows.length)
			: { first: 0, last: rows.length };

		planned = false;
		setPool(sight.last - sight.first);
		setSpace(above, sight.first);
		setSpace(below, rows.length - sight.last);
		pool.forEach((row, i) => {
			if (long)
				setAttribute(row.element, 'aria-rowindex', String(sight.first + i + 2));
			row.cells.forEach((cell) => fillCell(cell, rows[sight.first + i]));
		});
	}

	function paintSoon() {
		if (planned)
			return;
		planned = true;
		requestAnimationFrame(paint);
	}

	function resized() {
		if (element.clientWidth === 0)
			return;
		room = element.clientWidth;
		chooseColumns();
		paintSoon();
	}

	if (long)
		element.addEventListener('scroll', paintSoon, { passive: true });
	new ResizeObserver(resized).observe(element);
	return {
		element,
		rows: () => rows,
		setSort,
		setColumns(next) {
			columns = next;
			chooseColumns();
		},
		update(next) {
			given = next;
			chooseColumns();
			arrange();
			if (long)
				setAttribute(table, 'aria-rowcount', String(rows.length + 1));
			setHidden(element, rows.length === 0);
			paint();
		},
	};
}
