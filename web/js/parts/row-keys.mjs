// SPDX-License-Identifier: MIT
// The keyboard in a table with links: one stop of the tabulator, arrows go from row to row and from link to link, and
// the focus stays with its row when the rows change places.

const isUsable = (link) => link.hasAttribute('href');

/*
 * rows: { pool() -> [{ element, links, key }] that exist, first() place of the first of them, count() of all rows,
 * reveal(place) scrolls there and paints: the row exists now or with a later painting }.
 * -> { focused(), restore(focused, top) } around each painting, goTo(place, link).
 */
export function createRowKeys(body, rows) {
	let wanted = null;	// { place, link } that gets the focus as soon as it exists

	function find(element) {
		const index = rows.pool().findIndex((row) => row.links.includes(element));

		return index < 0 ? null : { index, row: rows.pool()[index], link: rows.pool()[index].links.indexOf(element) };
	}

	// Whether the row that is to get the focus was there.
	function arrive() {
		const row = wanted && rows.pool()[wanted.place - rows.first()];

		if (!row)
			return false;
		const target = [row.links[wanted.link], ...row.links].find((one) => one && isUsable(one));

		wanted = null;
		target?.focus({ preventScroll: true });
		mark(row);
		return true;
	}

	function goTo(place, link) {
		wanted = { place: Math.max(0, Math.min(rows.count() - 1, place)), link };
		rows.reveal(wanted.place);
		arrive();
	}

	// Only the links of one row can be reached with the tabulator.
	function mark(chosen) {
		for (const row of rows.pool())
			for (const link of row.links) {
				const tabIndex = row === chosen ? 0 : -1;

				if (link.tabIndex !== tabIndex)
					link.tabIndex = tabIndex;
			}
	}

	function pressed(event) {
		const at = find(document.activeElement);

		if (!at || event.altKey || event.ctrlKey || event.metaKey)
			return;
		const place = rows.first() + at.index;
		const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -place, End: rows.count() }[event.key];
		const aside = { ArrowRight: 1, ArrowLeft: -1 }[event.key];

		if (step !== undefined)
			goTo(place + step, at.link);
		else if (aside !== undefined)
			at.row.links.filter(isUsable)[at.row.links.filter(isUsable).indexOf(document.activeElement) + aside]?.focus();
		else
			return;
		event.preventDefault();
	}

	body.addEventListener('keydown', pressed);
	body.addEventListener('focusin', (event) => mark(find(event.target)?.row ?? null));
	return {
		goTo,
		focused() {
			const at = body.contains(document.activeElement) ? find(document.activeElement) : null;

			return at && { key: at.row.key, link: at.link };
		},
		restore(focused, top) {
			if (arrive())
				return;
			const pool = rows.pool();
			const row = focused && focused.key !== null ? pool.find((one) => one.key === focused.key) : null;

			if (row && !row.element.contains(document.activeElement))
				(row.links[focused.link] ?? row.links[0])?.focus({ preventScroll: true });
			mark(row ?? find(document.activeElement)?.row ?? pool[Math.max(0, Math.min(pool.length - 1, top - rows.first()))]);
		},
	};
}
