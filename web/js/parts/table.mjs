// SPDX-License-Identifier: MIT
// A table that sorts by a click on its head and, when it is long, has only the rows in sight.

import { h, setAttribute, setHidden } from '../core/dom.mjs';
import { rowsInSight } from '../lib/window.mjs';
import { createRowKeys } from './row-keys.mjs';

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

function makeCell(column, opens) {
	const element = h(column.head ? 'th' : 'td', { class: cellClass(column), scope: column.head ? 'row' : null });
	const href = column.opener && opens ? opens : column.link ?? null;
	const cell = { element, column, href, text: document.createTextNode(''), bar: null, mark: null, link: null, shown: null, tone: '' };
	let content = cell.text;

	if (href) {
		cell.link = h('a', { tabindex: '-1', class: column.opener ? 'opener' : '' }, content);
		content = cell.link;
	}
	if (column.mark) {
		cell.mark = h('span', { class: 'mark', 'aria-hidden': 'true' });
		element.append(cell.mark);
	}
	if (column.share) {
		cell.bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
		element.append(cell.bar);
		element.classList.add('with-bar');
		content = h('span', {}, content);
	}
	element.append(content);
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
	if (cell.link)
		setAttribute(cell.link, 'href', cell.href(row));
	if (cell.mark)
		setAttribute(cell.mark, 'data-mark', column.mark(row));
	if (cell.bar)
		cell.bar.style.transform = `scaleX(${Math.min(1, column.share(row)).toFixed(4)})`;
}

function makeRow(columns, opens) {
	const cells = columns.map((column) => makeCell(column, opens));

	return {
		element: h('tr', {}, ...cells.map((cell) => cell.element)),
		cells,
		links: cells.map((cell) => cell.link).filter(Boolean),
		key: null,
	};
}

/*
 * columns: see lib/column.mjs. sort: { id, descending }; sorted(sort) is told of a new one. long: only rows in sight
 * exist, and needed(first, last) is told which rows it wants to be given. opens(row): the hash of its details; key(row) names
 * it. The row whose key is current() is marked. place(key): a promise of where that row is.
 * -> { element, update(window of lib/rows.mjs), setSort(sort), setColumns(columns), focus(key) }
 */
export function createTable(options) {
	const {
		caption, columns: firstColumns, sort: firstSort, sorted = () => {}, long = false, needed = () => {}, className = '',
		opens = null, key = () => null, current = () => null, place: placeOf = async () => -1,
	} = options;
	let columns = firstColumns;
	let sort = firstSort;
	const colgroup = h('colgroup');
	const headRow = h('tr');
	const above = h('tr', { class: 'space', 'aria-hidden': 'true', hidden: true }, h('td'));
	const below = h('tr', { class: 'space', 'aria-hidden': 'true', hidden: true }, h('td'));
	const body = h('tbody', {}, above, below);
	const table = h('table', {}, h('caption', { class: 'unseen' }, caption), colgroup, h('thead', {}, headRow), body);
	const element = h('div', { class: `scroller ${className} ${opens ? 'opens' : ''}`, tabindex: '0', role: 'region', 'aria-label': `${caption}, the table` }, table);
	let shown = [];
	let pool = [];
	let given = { rows: [], first: 0, count: 0, has: [] };
	let room = Infinity;	// px for columns
	let planned = false;
	let first = 0;	// place of the first row that exists
	let height = 0;	// of the sight, told before the first frame that has it; it and the next are kept, as asking for them has the page laid out anew
	let top = 0;	// scrolled so far
	let lost = null;	// the row that had the focus when all rows were made anew
	const keys = createRowKeys(body, { pool: () => pool, first: () => first, count: () => given.count, reveal });

	const isShown = (column) => !column.optional || given.has.includes(column.id);

	function buildHead() {
		colgroup.replaceChildren(...shown.map(makeCol));
		headRow.replaceChildren(...shown.map((column) => makeHeadCell(column, sortBy)));
		table.style.minWidth = `${widthOf(shown)}px`;
		lost ??= keys.focused();
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
		scrollTo(0);
		sorted(sort);
	}

	function setSort(next) {
		sort = next;
		markSort();
	}

	function setSpace(row, count) {
		setHidden(row, count === 0);
		row.firstChild.style.height = `${count * ROW_PX}px`;
	}

	function setPool(size) {
		while (pool.length < size) {
			const row = makeRow(shown, opens);

			pool.push(row);
			below.before(row.element);
		}
		while (pool.length > size)
			pool.pop().element.remove();
	}

	function paint() {
		const { first: from, rows, count } = given;
		const sight = long ? rowsInSight(top, Math.max(height, ROW_PX), ROW_PX, count) : { first: 0, last: count };
		const last = Math.min(sight.last, from + rows.length);
		const focused = keys.focused() ?? lost;

		planned = false;
		lost = null;
		// Of those in sight the ones that are here; the others are on their way.
		first = Math.min(Math.max(sight.first, from), last);
		setPool(Math.max(0, last - first));
		setSpace(above, first);
		setSpace(below, count - first - pool.length);
		pool.forEach((row, i) => {
			const shownRow = rows[first - from + i];

			if (long)
				setAttribute(row.element, 'aria-rowindex', String(first + i + 2));
			row.cells.forEach((cell) => fillCell(cell, shownRow));
			row.key = key(shownRow);
			setAttribute(row.element, 'aria-current', row.key !== null && row.key === current() ? 'true' : null);
		});
		if (long)
			needed(sight.first, sight.last);
		keys.restore(focused, long ? Math.ceil(top / ROW_PX) : 0);
	}

	function scrollTo(wanted) {
		element.scrollTop = wanted;
		top = element.scrollTop;
	}

	// Scrolls so that the row at this place exists and is in sight.
	function reveal(place) {
		const start = place * ROW_PX;
		const sightPx = element.clientHeight - headRow.offsetHeight;

		if (start < top)
			scrollTo(start);
		else if (start + ROW_PX > top + sightPx)
			scrollTo(start + ROW_PX - sightPx);
		paint();
	}

	function paintSoon() {
		if (planned)
			return;
		planned = true;
		requestAnimationFrame(paint);
	}

	function scrolled() {
		top = element.scrollTop;
		paintSoon();
	}

	function resized() {
		if (element.clientWidth === 0)
			return;
		const isNew = height === 0;

		room = element.clientWidth;
		height = element.clientHeight;
		top = element.scrollTop;
		chooseColumns();
		if (lost || isNew)
			paint();
		else
			paintSoon();
	}

	// A click anywhere on a row is a click on what opens it, unless it marks text or hits another link.
	function clicked(event) {
		const row = event.target.closest('tr');

		if (!event.target.closest('a') && String(getSelection()) === '')
			row?.querySelector('a.opener[href]')?.click();
	}

	if (opens)
		body.addEventListener('click', clicked);
	if (long)
		element.addEventListener('scroll', scrolled, { passive: true });
	new ResizeObserver(resized).observe(element);
	return {
		element,
		async focus(wanted) {
			const place = (await placeOf(wanted)) ?? -1;

			if (place < 0)
				element.focus();
			else
				keys.goTo(place, 0);
		},
		setSort,

		setColumns(next) {
			columns = next;
			chooseColumns();
		},
		update(next) {
			given = next;
			chooseColumns();
			if (long)
				setAttribute(table, 'aria-rowcount', String(given.count + 1));
			setHidden(element, given.count === 0);
			paint();
		},
	};
}
