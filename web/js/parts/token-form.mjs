// SPDX-License-Identifier: MIT
// Asks for the server's token when that is what is missing; and the button that ends what it began.

import { h, setAttribute, setHidden, setText } from '../core/dom.mjs';
import { isSignedIn, signIn, signOut } from '../core/session.mjs';
import { clock, outside } from '../lib/format.mjs';
import { wantsToken } from '../lib/freshness.mjs';

function wordsOf({ problem, wait, detail }) {
	return {
		wrong: 'That is not the token. It is the first line of the file that httpd was given with --token-file.',
		wait: `Too many wrong tokens came from your address. Try again at ${clock(Date.now() + wait * 1000)}, in ${wait} s.`,
		gone: 'The server does not answer.',
		other: `The server refuses: ${outside(detail)}`,
	}[problem];
}

// done() is called when the server has taken the token. -> { element, update(state) }
export function createTokenForm(done) {
	const input = h('input', {
		type: 'password', id: 'token', class: 'filter', autocomplete: 'current-password', required: true, maxlength: '512', spellcheck: 'false',
		'aria-describedby': 'token-help token-error',
	});
	// Password managers want somebody whose password it is.
	const who = h('input', { type: 'text', autocomplete: 'username', value: 'jopil', hidden: true, readonly: true, 'aria-hidden': 'true' });
	const error = h('p', { class: 'filter-error', id: 'token-error', role: 'alert' });
	const button = h('button', { type: 'submit' }, 'Sign in');
	const element = h('form', { class: 'token panel', id: 'token-form', method: 'post', hidden: true, 'aria-labelledby': 'token-title', on: { submit } },
		h('h2', { id: 'token-title' }, 'This server asks for its token'),
		h('p', { class: 'muted', id: 'token-help' }, 'It is shown once; after that a cookie stands for it that no script can read. The page keeps no token.'),
		who, h('label', { for: 'token' }, 'Token'), h('div', { class: 'token-row' }, input, button), error);
	let isNeeded = false;

	async function submit(event) {
		event.preventDefault();
		button.disabled = true;
		setText(error, '');
		const result = await signIn(input.value.trim());

		button.disabled = false;
		setAttribute(input, 'aria-invalid', result.ok ? null : 'true');
		if (result.ok) {
			input.value = '';
			done();
			return;
		}
		setText(error, wordsOf(result));
		input.select();
		input.focus();
	}

	return {
		element,
		update({ feed }) {
			const needed = wantsToken(feed);

			setHidden(element, !needed);
			if (needed && !isNeeded)
				input.focus();
			if (!needed && isNeeded)
				setText(error, '');
			isNeeded = needed;
		},
	};
}

export function createSignOut() {
	const element = h('button', {
		type: 'button', class: 'sign-out', id: 'sign-out', hidden: true,
		on: { click: () => signOut().then(() => location.reload()) },
	}, 'Sign out');

	return { element, update: ({ feed }) => setHidden(element, !isSignedIn() || wantsToken(feed)) };
}
