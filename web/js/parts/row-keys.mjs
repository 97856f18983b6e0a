// SPDX-License-Identifier: MIT
// The keyboard in a table with links: one stop of the tabulator, arrows go from row to row and from link to link, and
// the focus stays with its row when the rows change places.

const isUsable = (link) => link.hasAttribute('href');

/*
 * rows: { pool() -> [{ element, links, key }] that exist, first() place of the first of them, count() of all rows,
 * reveal(place) makes a row exist }. -> { focused(), restore(focused, top) } around each painting.
 */
export function createRowKeys(body, rows) {
	function find(element) {
		const index = rows.pool().findIndex((row) => row.links.includes(element));

		return index < 0 ? null : { index, row: rows.pool()[index], link: rows.pool()[index].links.indexOf(element) };
	}

	function stepTo(place, link) {
		const wanted = Math.max(0, Math.min(rows.count() - 1, place));

		rows.reveal(wanted);
		const row = rows.pool()[wanted - rows.first()];
		const target = [row?.links[link], ...(row?.links ?? [])].find((one) => one && isUsable(one));

		target?.focus();
		mark(row);
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
			stepTo(place + step, at.link);
		else if (aside !== undefined)
			at.row.links.filter(isUsable)[at.row.links.filter(isUsable).indexOf(document.activeElement) + aside]?.focus();
		else
			return;
		event.preventDefault();
	}

	body.addEventListener('keydown', pressed);
	body.addEventListener('focusin', (event) => mark(find(event.target)?.row ?? null));
	return {
		focused() {
			const at = body.contains(document.activeElement) ? find(document.activeElement) : null;

			return at && { key: at.row.key, link: at.link };
		},
		restore(focused, top) {
			const pool = rows.pool();
			const row = focused && focused.key !== null ? pool.find((one) => one.key === focused.key) : null;

			if (row && !row.element.contains(document.activeElement))
				(row.links[focused.link] ?? row.links[0])?.focus({ preventScroll: true });
			mark(row ?? find(document.activeElement)?.row ?? pool[Math.max(0, Math.min(pool.length - 1, top - rows.first()))]);
		},
	};
}
