// SPDX-License-Identifier: MIT
// A button that holds a table still, and says since when and how much has come in since.

import { h, setText } from '../core/dom.mjs';
import { clock, exact } from '../lib/format.mjs';

// changed() is called when it starts or stops. -> { element, note, paused(), missed(timestamp) }
export function createPause(what, changed) {
	let paused = false;
	let missed = 0;
	const note = h('span', { class: 'paused-note', hidden: true });
	const element = h('button', {
		type: 'button', class: 'pause', 'aria-pressed': 'false', 'aria-label': `Pause ${what}`, on: { click: toggle },
	}, 'Pause');

	function toggle() {
		paused = !paused;
		missed = 0;
		element.setAttribute('aria-pressed', String(paused));
		note.hidden = !paused;
		setText(note, paused ? 'Paused' : '');
		changed();
	}

	return {
		element,
		note,
		paused: () => paused,
		missed(timestamp) {
			missed++;
			setText(note, `Paused at ${clock(timestamp)}, ${exact(missed)} newer`);
		},
	};
}
