// SPDX-License-Identifier: MIT
// What somebody should look at now, and what was so a moment ago; one quiet line when all is well.

import { h, setAttribute, setHidden, setText } from '../core/dom.mjs';
import { alertWords, alertsNow, lasting } from '../lib/alerts.mjs';
import { clock } from '../lib/format.mjs';
import { createExport } from './export.mjs';

const LEVELS = { bad: 'Bad', warn: 'Warning', note: 'Note' };

function createRow() {
	const level = h('span', { class: 'badge' });
	const what = h('a', { class: 'alert-what' });
	const text = h('span', { class: 'alert-text' });
	const since = h('span', { class: 'muted' });

	return {
		element: h('li', { class: 'alert' }, level, what, text, since),
		update(alert, timestamp) {
			setText(level, alert.ended ? 'Over' : LEVELS[alert.level]);
			setAttribute(level, 'data-level', alert.ended ? 'unknown' : { bad: 'lost', warn: 'note', note: 'unknown' }[alert.level]);
			setText(what, alert.what);
			setAttribute(what, 'href', alert.href);
			setAttribute(what, 'title', alert.about);
			setText(text, alert.text);
			setText(since, alert.ended ? `${clock(alert.since)} to ${clock(alert.ended)}` : `since ${clock(alert.since)}, for ${lasting(alert, timestamp)}`);
		},
	};
}

function createList(id, label) {
	const rows = [];
	const element = h('ul', { class: 'alerts-list', id, 'aria-label': label });

	return {
		element,
		update(alerts, timestamp) {
			while (rows.length < alerts.length) {
				rows.push(createRow());
				element.append(rows.at(-1).element);
			}
			rows.forEach(({ element: row, update }, i) => {
				setHidden(row, i >= alerts.length);
				if (alerts[i])
					update(alerts[i], timestamp);
			});
			setHidden(element, alerts.length === 0);
		},
	};
}

function quietWords(alerts, active, timestamp) {
	if (active.length)
		return alertWords(active);
	if (timestamp === null)
		return 'No snapshot yet, so no alerts.';
	return alerts.knowsNormal() ? 'Nothing unusual: no data lost, and failures, drops and answers as they usually are.'
		: 'Nothing lost, nothing fails. What is normal here is known after forty seconds.';
}

export function createAlertList() {
	const quiet = h('p', { class: 'alerts-quiet' });
	const spoken = h('p', { class: 'unseen', role: 'status', id: 'alerts-spoken' });
	const now = createList('alerts-now', 'Alerts now');
	const over = createList('alerts-over', 'Alerts that are over');
	const save = createExport('alerts', () => rows, () => timestamp);
	let rows = [];
	let timestamp = null;
	let before = null;	// ids, to say what is new

	// Only what begins and what ends is spoken, not each number that changes.
	function speak(alerts) {
		const ids = new Map(alerts.map((alert) => [alert.id, alert.what]));

		if (before) {
			const begun = alerts.filter(({ id }) => !before.has(id)).map(({ what, text }) => `Alert: ${what}. ${text}.`);
			const ended = [...before].filter(([id]) => !ids.has(id)).map(([, what]) => `Over: ${what}.`);

			if (begun.length || ended.length)
				setText(spoken, [...begun, ...ended].join(' '));
		}
		before = ids;
	}

	const element = h('section', { class: 'alerts', id: 'alerts', 'aria-label': 'Alerts' },
		h('div', { class: 'alerts-head' }, quiet, save), spoken, now.element, over.element);

	return {
		element,
		update({ alerts, snapshot, freshness }) {
			const active = alertsNow(alerts, snapshot, freshness);
			const ended = alerts.ended();

			timestamp = snapshot.timestamp;
			rows = [...active, ...ended];
			setAttribute(element, 'data-level', active[0]?.level ?? 'none');
			setText(quiet, quietWords(alerts, active, timestamp));
			setHidden(save, rows.length === 0);
			now.update(active, timestamp);
			over.update(ended, timestamp);
			speak(active);
		},
	};
}
