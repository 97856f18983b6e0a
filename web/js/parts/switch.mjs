// SPDX-License-Identifier: MIT
// Buttons of which one is pressed.

import { h, setAttribute, setHidden, setText } from '../core/dom.mjs';

// choices: [[id, label]]; choose(id) after a click. -> { element, show(id), setLabel(id, text), offer(ids): the others are hidden }
export function createSwitch({ label, choices, chosen, choose }) {
	const buttons = new Map(choices.map(([id, text]) => [id, h('button', { type: 'button', on: { click: () => pick(id) } }, text)]));

	function show(id) {
		buttons.forEach((button, one) => setAttribute(button, 'aria-pressed', String(one === id)));
	}

	function pick(id) {
		show(id);
		choose(id);
	}

	show(chosen);
	return {
		element: h('div', { class: 'switch', role: 'group', 'aria-label': label }, ...buttons.values()),
		show,
		offer: (ids) => buttons.forEach((button, id) => setHidden(button, !ids.includes(id))),
		setLabel: (id, text) => setText(buttons.get(id), text),
	};
}
