// SPDX-License-Identifier: MIT
// Packets that the kernel dropped: by reason, over time, by flow.

import { h, setAttribute, setHidden, setText } from '../core/dom.mjs';
import { flexibleHostColumn } from '../lib/column.mjs';
import { sumOf } from '../lib/columns.mjs';
import { NOT_SPECIFIED_WORDS } from '../lib/drop-reasons.mjs';
import { bytes, exact, outside, packetRate } from '../lib/format.mjs';
import { dropColumns, dropFlowColumns, topDropColumns } from '../lib/host-columns.mjs';
import { busiestReasons, dropSeries } from '../lib/memory.mjs';
import { dropSums } from '../lib/past.mjs';
import { hintOf } from '../lib/probes.mjs';
import { isLive, windowOf } from '../lib/range.mjs';
import { isComing } from '../lib/topics.mjs';
import { MARKS, createLines } from './lines.mjs';
import { createLiveTable } from './live-table.mjs';
import { axisText } from './mirror-chart.mjs';
import { createEmpty, createPanel } from './panel.mjs';
import { createShortTable } from './short-table.mjs';

const hint = ({ snapshot }) => hintOf(snapshot, 'drop', 'No packet dropped.');

// Packets without a reason stand apart, with what they are.
function createUnspecified() {
	const packets = h('b');
	const rate = h('span');
	const element = h('p', { class: 'remark', id: 'drops-unspecified', hidden: true }, packets, ' ', rate, ' ', NOT_SPECIFIED_WORDS);

	return {
		element,
		update({ drops_unspecified: { packets: n, bytes: size, pps } }) {
			setHidden(element, n === null);
			setText(packets, `${exact(n)} packets without a reason`);
			setAttribute(packets, 'title', `${exact(n, 'packets')}, ${exact(size, 'bytes')}`);
			setText(rate, `(${bytes(size)}, ${packetRate(pps)} now).`);
		},
	};
}

export function createDropReasons() {
	let reasons = [];
	const unspecified = createUnspecified();
	const mark = (row) => {
		const place = reasons.indexOf(row.reason);

		return place < 0 ? null : String(place);
	};
	const table = createShortTable({
		id: 'drops', title: 'Drops by reason', what: 'drops', className: 'full ranged', columns: (sums) => dropColumns(sums, mark), sum: sumOf,
		past: { what: 'drops', rows: dropSums, columns: ['reason', 'packets', 'part', 'words'] },
		rows: ({ snapshot }) => snapshot.drops, sort: { id: 'packets', descending: true }, byHost: true, empty: hint, topic: 'drops',
		below: [unspecified.element], size: 'middle',
	});

	return {
		element: table.element,
		update(state) {
			reasons = busiestReasons(state.points('drops') ?? [], MARKS - 1);
			unspecified.update(state.snapshot);
			table.update(state);
		},
	};
}

export function createDropsOverTime() {
	const lines = createLines('Dropped packets a second by reason', {
		scale: { range: (plot, least, most) => [0, Math.max(1, most ?? 0) * 1.08] },
		axis: { values: (plot, values) => values.map(axisText) },
		format: packetRate,
		exact: (value) => exact(value, 'packets/s'),
	});
	const empty = createEmpty();
	const element = createPanel({
		id: 'drops-over-time', title: 'Drops over time', className: 'full charted ranged', body: [lines.legend, lines.element, empty.element],
	});

	return {
		element,
		update(state) {
			const points = state.points('drops');

			if (!points || isComing(state, 'drops'))
				return;
			const reasons = busiestReasons(points, MARKS - 1);
			const series = dropSeries(points, reasons);

			if (reasons.length === 0) {
				empty.show(...(isLive(state.range) ? hint(state) : ['No packet dropped in this time range, as far as it is remembered.']));
				lines.clear();
				return;
			}
			empty.hide();
			lines.show({ times: series.times, rows: [...series.rows, series.others], names: [...reasons.map(outside), 'others'], window: windowOf(state) });
		},
	};
}

const note = (state, shown, all) => (shown === all ? `${exact(all)} flows` : `${exact(shown)} of ${exact(all)} flows`);
const withHost = [flexibleHostColumn, ...dropFlowColumns];

export function createDropFlows({ params }) {
	return createLiveTable({
		id: 'drop-flows', title: 'Drops by flow', what: 'drops by flow', ids: withHost.map((column) => column.id),
		sort: { id: 'recent', descending: true }, params, className: 'low',
		examples: 'reason:no_socket · udp · port:53 · ip:10.0.0.0/8 · if:eth0 · location:tcp_v4_rcv · packets>100',
		placeholder: 'reason:no_socket · port:53',
		columns: ({ snapshot }) => (snapshot.hosts.length > 1 ? withHost : dropFlowColumns),
		rows: 'drop_flows', note, hint,
	});
}

export function createTopDrops() {
	return createShortTable({
		id: 'top-drops', title: 'Drops', what: 'drops by reason', caption: 'Packets dropped, by reason', columns: topDropColumns, sum: sumOf,
		rows: ({ snapshot }) => snapshot.drops, sort: { id: 'packets', descending: true }, empty: hint, size: 'short', topic: 'drops',
		className: 'ranged', past: { what: 'drops', rows: dropSums, columns: ['reason', 'packets'] },
		aside: [h('a', { href: '#/drops' }, 'All drops')],
	});
}
