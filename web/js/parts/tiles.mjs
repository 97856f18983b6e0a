// SPDX-License-Identifier: MIT
// The numbers to see first: rates now, totals, flows.

import { h, setAttribute, setText } from '../core/dom.mjs';
import { bytes, count, exact, packetRate, parts } from '../lib/format.mjs';

const TILES = [
	{
		id: 'in', label: '↓ In', unit: 'bit/s', tone: 'ingress', value: (s) => s.rates.ingress_bps,
		detail: (s) => packetRate(s.rates.ingress_pps), detailExact: (s) => exact(s.rates.ingress_pps, 'packets/s'),
	},
	{
		id: 'out', label: '↑ Out', unit: 'bit/s', tone: 'egress', value: (s) => s.rates.egress_bps,
		detail: (s) => packetRate(s.rates.egress_pps), detailExact: (s) => exact(s.rates.egress_pps, 'packets/s'),
	},
	{
		id: 'packets', label: 'Packets', unit: '', exactUnit: 'packets', value: (s) => s.totals.packets,
		detail: (s) => `${count(s.totals.ingress_packets)} in · ${count(s.totals.egress_packets)} out`,
		detailExact: (s) => `${exact(s.totals.ingress_packets)} in, ${exact(s.totals.egress_packets)} out`,
	},
	{
		id: 'bytes', label: 'Bytes', unit: 'B', exactUnit: 'bytes', value: (s) => s.totals.bytes,
		detail: (s) => `${bytes(s.totals.ingress_bytes)} in · ${bytes(s.totals.egress_bytes)} out`,
		detailExact: (s) => `${exact(s.totals.ingress_bytes)} in, ${exact(s.totals.egress_bytes)} out`,
	},
	{
		id: 'flows', label: 'Active flows', unit: '', exactUnit: 'flows', value: (s) => s.flow_table.active,
		detail: (s) => `of ${count(s.flow_table.limit)} · ${count(s.flow_table.created)} seen`,
		detailExact: (s) => `room for ${exact(s.flow_table.limit)}; ${exact(s.flow_table.created)} created, ` +
			`${exact(s.flow_table.expired)} expired, ${exact(s.flow_table.evicted)} evicted`,
	},
];

function createTile(tile) {
	const number = h('span', { class: 'tile-number', id: `tile-${tile.id}` });
	const unit = h('span', { class: 'tile-unit' });
	const detail = h('dd', { class: 'tile-detail' });
	const element = h('div', { class: `tile ${tile.tone ? `tone-${tile.tone}` : ''}` },
		h('dt', {}, tile.label), h('dd', { class: 'tile-value' }, number, unit), detail);

	return {
		element,
		update(snapshot) {
			const value = tile.value(snapshot);
			const shown = parts(value, tile.unit);

			setText(number, shown.number);
			setText(unit, shown.unit);
			setAttribute(number.parentElement, 'title', exact(value, tile.exactUnit ?? tile.unit));
			setAttribute(number, 'data-exact', value === null ? null : String(value));
			setText(detail, value === null ? '' : tile.detail(snapshot));
			setAttribute(detail, 'title', value === null ? null : tile.detailExact(snapshot));
		},
	};
}

export function createTiles() {
	const tiles = TILES.map(createTile);

	return {
		element: h('dl', { class: 'tiles', 'aria-label': 'Rates and totals' }, ...tiles.map((tile) => tile.element)),
		update: (state) => tiles.forEach((tile) => tile.update(state.snapshot)),
	};
}
