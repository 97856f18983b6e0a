// SPDX-License-Identifier: MIT
// A titled box: heading, something beside it, content.

import { h } from '../core/dom.mjs';

export function createPanel({ id, title, aside = [], body = [], className = '' }) {
	const heading = h('h2', { id: `${id}-title` }, title);

	return h(
		'section',
		{ class: `panel ${className}`, id, 'aria-labelledby': heading.id },
		h('header', { class: 'panel-head' }, heading, h('div', { class: 'panel-aside' }, ...aside)),
		...body,
	);
}

// What stands where there is nothing to show: a sentence, and a command that helps.
export function createEmpty() {
	const text = h('span');
	const command = h('code');
	const element = h('p', { class: 'empty', hidden: true }, text, command);

	return {
		element,
		show(words, line = '') {
			element.hidden = false;
			if (text.textContent !== words)
				text.textContent = words;
			if (command.textContent !== line)
				command.textContent = line;
			command.hidden = line === '';
		},
		hide() {
			element.hidden = true;
		},
	};
}

export const NO_PACKETS = ['No packets yet: is the loader attached?', 'sudo loader eth0'];
