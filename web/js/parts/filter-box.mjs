// SPDX-License-Identifier: MIT
// The box for the filter language: says what is wrong, keeps the last filter that was right.

import { h, setAttribute, setText } from '../core/dom.mjs';
import { HELP, parseFilter } from '../lib/filter.mjs';

// changed(text) after each edit. -> { element, valid(): the last text that was right, text(), set(text) }
// examples: the filter language as far as it concerns these rows.
export function createFilterBox({ id, label, changed, examples = HELP, placeholder = 'tcp port:443 ip:10.0.0.0/8' }) {
	let valid = '';
	const error = h('p', { class: 'filter-error', id: `${id}-error`, role: 'alert' });
	const help = h('p', { class: 'unseen', id: `${id}-help` }, `For example: ${examples}`);
	const input = h('input', {
		type: 'search', id, class: 'filter', placeholder: `Filter: ${placeholder}`, title: examples,
		autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', maxlength: '500', 'aria-label': label,
		'aria-describedby': `${help.id} ${error.id}`, on: { input: () => set(input.value), keydown: keys },
	});

	function keys(event) {
		if (event.key !== 'Escape' || input.value === '')
			return;
		event.preventDefault();
		input.value = '';
		set('');
	}

	function set(text) {
		const next = parseFilter(text);

		setText(error, next.error);
		setAttribute(input, 'aria-invalid', next.error ? 'true' : null);
		if (!next.error)
			valid = text;
		changed(text);
	}

	return {
		element: h('div', { class: 'filter-box' }, input, help, error),
		valid: () => valid,
		text: () => input.value,
		set(text) {
			if (input.value === text)
				return;
			input.value = text;
			set(text);
		},
	};
}
