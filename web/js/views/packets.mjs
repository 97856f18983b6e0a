// SPDX-License-Identifier: MIT
// The packet feed alone.

import { h } from '../core/dom.mjs';
import { createPackets } from '../parts/packets.mjs';

export function createPacketsView({ params }) {
	const packets = createPackets({ params, className: 'tall' });

	return { element: h('div', { class: 'view' }, packets.element), update: packets.update, setParams: packets.setParams };
}
