// SPDX-License-Identifier: MIT
// A panel with a short table: sorts, exports, says what to do when there is nothing.

import { h, setText } from '../core/dom.mjs';
import { hostColumn } from '../lib/column.mjs';
import { toFile } from '../lib/export.mjs';
import { exact } from '../lib/format.mjs';
import { formatSort } from '../lib/route.mjs';
import { isLive } from '../lib/range.mjs';
import { createRows } from '../lib/rows.mjs';
import { isComing } from '../lib/topics.mjs';
import { createExport } from './export.mjs';
import { createEmpty, createPanel } from './panel.mjs';
import { createTable } from './table.mjs';

const MOST = 200;	// rows of a list that the engine keeps

/*
 * rows(state, subject) is what it shows; or it is a name in lib/tables.mjs, and about(subject) what is to be known of the subject there.
 * columns(sums) with which columns, sums() of what sum(rows) says; byHost: a column of hosts where there are several. what: the
 * words of the export. topic: where its rows come in. past: { what, rows(answer), columns: ids } of a time range that is not live (core/past.mjs). empty(state): [sentence, command]. aside, below: more in the head, and under the table.
 */
export function createShortTable(options) {
	const {
		id, title, what = title.toLowerCase(), caption = title, className = '', rows, about = () => null, columns, sum = () => ({}), sort: firstSort,
		byHost = false, empty: emptyWords = () => ['Nothing counted yet.'], opens = null, key, aside = [], above = [], below = [],
		size = 'short', past = null, topic = 'stats',
	} = options;
	const isFar = typeof rows === 'string';
	let sums = sum([]);
	let several = false;
	let shownIds = null;	// of columns, null: all
	let timestamp = null;
	let state = null;
	let subject = null;
	let sort = formatSort(firstSort);
	const own = columns(() => sums);
	const near = createRows([hostColumn, ...own]);
	const many = h('span', { class: 'muted', id: `${id}-count` });
	const table = createTable({ caption, columns: own, sort: firstSort, className: size, opens, key, sorted: sortBy });
	const empty = createEmpty();
	const element = createPanel({
		id, title, className, aside: [many, ...aside, createExport(what, file, () => timestamp)],
		body: [...above, table.element, empty.element, ...below],
	});

	// Of a time range: the sums that are remembered, in the columns that have them.
	function lookBack() {
		const answer = past && !isLive(state.range) ? state.past.of(past.what) : null;
		const ids = answer ? past.columns : null;

		if (String(ids) !== String(shownIds)) {
			shownIds = ids;
			table.setColumns(ids ? own.filter(({ id: one }) => ids.includes(one)) : own);
			several = false;
		}
		return answer;
	}

	const slot = () => `${id} ${JSON.stringify(about(subject))}`;

	function file(kind) {
		return isFar ? state.call(slot(), 'save', { kind }) : toFile(kind, near.arranged());
	}

	function windowNow() {
		if (!isFar) {
			const window = near.window({ sort });

			return { ...window, timestamp: state.snapshot.timestamp, sums: sum(window.rows) };
		}
		const answer = state.select(slot(), 'table', { table: rows, subject: about(subject), sort, last: MOST });

		return answer && { ...answer, count: answer.rows.length, sums: sum(answer.rows) };
	}

	function show() {
		const shown = windowNow();

		if (!shown)
			return;
		timestamp = shown.timestamp;
		sums = shown.sums;
		table.update(shown);
		setText(many, shown.all ? exact(shown.all) : '');
		if (shown.count)
			empty.hide();
		else
			empty.show(...(past && !isLive(state.range) ? [state.past.problem() ? 'The past is not to be had.' : 'Nothing is remembered of this time range.'] : emptyWords(state)));
	}

	function sortBy(next) {
		sort = formatSort(next);
		show();
	}

	return {
		element,
		update(next, about_) {
			state = next;
			subject = about_;
			if (isComing(state, topic))
				return;
			const answer = lookBack();

			const isMissing = past !== null && !isLive(state.range) && !answer;

			if (isMissing && !state.past.problem())
				return;
			if (!isFar)
				near.set(isMissing ? [] : answer ? past.rows(answer) : rows(state, subject));
			if (byHost && !answer && several !== state.snapshot.hosts.length > 1) {
				several = !several;
				table.setColumns(several ? [hostColumn, ...own] : own);
			}
			show();
		},
	};
}
