// SPDX-License-Identifier: MIT
// The time range of the whole page: buttons, from one date to another, what is shown in words, and the way back to live.

import { h, setHidden, setText } from '../core/dom.mjs';
import { toNumber } from '../lib/format.mjs';
import { coverage } from '../lib/past.mjs';
import { CHOICES, choicesTo, fromInput, isFrozen, isLive, rangeText, rangeWords, toInput } from '../lib/range.mjs';
import { createSwitch } from './switch.mjs';

// From one moment to another, by the reader's clock and calendar.
function createDates(choose) {
	const from = h('input', { type: 'datetime-local', 'aria-label': 'From', required: true });
	const to = h('input', { type: 'datetime-local', 'aria-label': 'To', required: true });
	const show = h('button', { type: 'submit' }, 'Show');
	const element = h('details', { id: 'range-dates' }, h('summary', {}, 'From \u2026 to'), h('form', { on: { submit } }, from, ' to ', to, ' ', show));

	let shown = '';

	function submit(event) {
		const [first, last] = [from, to].map((input) => fromInput(input.value));

		event.preventDefault();
		to.setCustomValidity(last > first ? '' : 'before the beginning');
		if (!event.currentTarget.reportValidity())
			return;
		element.open = false;
		choose(rangeText(first / 1000, last / 1000));
	}

	to.addEventListener('input', () => to.setCustomValidity(''));
	return {
		element,
		update(bounds) {
			const text = `${bounds.from}..${bounds.to}`;

			// What somebody types stays.
			if (bounds.to !== null && text !== shown) {
				from.value = toInput(bounds.from);
				to.value = toInput(bounds.to);
			}
			shown = text;
		},
	};
}

// choose(id) -> { element, update(state) }
export function createRangeControl(choose) {
	const choices = createSwitch({ label: 'Time range', choices: CHOICES.map(([id, label]) => [id, label]), chosen: 'live', choose });
	const words = h('span', { id: 'range-words', role: 'status' });
	const back = h('button', { type: 'button', id: 'range-live', hidden: true, on: { click: () => choose('live') } }, 'Back to live');
	const element = h('div', { class: 'range', id: 'range' }, choices.element, words, back);
	let dates = null;	// made when it is offered: fields for dates are the dearest of all elements

	function offerDates(offered, bounds) {
		if (offered && !dates) {
			dates = createDates(choose);
			choices.element.after(dates.element);
		}
		if (!dates)
			return;
		setHidden(dates.element, !offered);
		dates.update(bounds);
	}

	return {
		element,
		update({ range, past, snapshot, httpd }) {
			const live = isLive(range);
			const answer = past.answer();
			const more = past.problem() ? `not to be had: ${past.problem()}` : answer ? coverage(answer) : '';
			const oldest = toNumber(httpd?.database?.oldest);

			choices.offer([...choicesTo(oldest, snapshot.timestamp), range.id]);
			choices.show(range.id);
			offerDates(oldest !== null || isFrozen(range), isFrozen(range) ? range : { from: null, to: null });
			setHidden(back, live);
			setText(words, live ? '' : [rangeWords(range, snapshot.timestamp), more].filter(Boolean).join('; '));
		},
	};
}
