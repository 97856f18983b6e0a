// SPDX-License-Identifier: MIT
// The time range of the whole page: buttons, what is shown in words, and the way back to live.

import { h, setHidden, setText } from '../core/dom.mjs';
import { coverage } from '../lib/past.mjs';
import { CHOICES, isLive, rangeWords } from '../lib/range.mjs';
import { createSwitch } from './switch.mjs';

// choose(id) -> { element, update(state) }
export function createRangeControl(choose) {
	const choices = createSwitch({ label: 'Time range', choices: CHOICES.map(([id, label]) => [id, label]), chosen: 'live', choose });
	const words = h('span', { id: 'range-words', role: 'status' });
	const back = h('button', { type: 'button', id: 'range-live', hidden: true, on: { click: () => choose('live') } }, 'Back to live');

	return {
		element: h('div', { class: 'range', id: 'range' }, choices.element, words, back),
		update({ range, past, snapshot }) {
			const live = isLive(range);
			const answer = past.answer();
			const more = past.problem() ? `not to be had: ${past.problem()}` : answer ? coverage(answer) : '';

			choices.show(range.id);
			setHidden(back, live);
			setText(words, live ? '' : [rangeWords(range, snapshot.timestamp), more].filter(Boolean).join('; '));
		},
	};
}
