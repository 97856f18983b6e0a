// SPDX-License-Identifier: MIT
// Round-trip times: percentiles over time, a heat map, and the networks. Never an average.

import { h, setAttribute, setHidden, setText } from '../core/dom.mjs';
import { flexibleHostColumn } from '../lib/column.mjs';
import { count, exact, micros, outside, shortMicros } from '../lib/format.mjs';
import { latencyColumns } from '../lib/host-columns.mjs';
import { LINES, latencyNames, latencySeries } from '../lib/memory.mjs';
import { hintOf } from '../lib/probes.mjs';
import { isLive, windowOf } from '../lib/range.mjs';
import { isComing } from '../lib/topics.mjs';
import { logarithmic } from './chart.mjs';
import { createHeatMap } from './heat-map.mjs';
import { createLines } from './lines.mjs';
import { createLiveTable } from './live-table.mjs';
import { createEmpty, createPanel } from './panel.mjs';

const hint = ({ snapshot }) => hintOf(snapshot, 'latency', 'No round-trip time taken yet: no TCP connection had an answer to time.');

const rangeOf = (plot, least, most) => [Math.max(0.5, (least ?? 10) * 0.8), Math.max(2, (most ?? 1000) * 1.25)];

// Which of several hosts or measures is shown; hidden where there is one.
function createChoice(changed) {
	const select = h('select', { 'aria-label': 'Which latency', hidden: true, on: { change: () => changed() } });
	let known = '';

	return {
		element: select,
		value: () => select.value,
		update(names) {
			const ids = names.map((name) => name.id).join('\n');

			if (ids !== known) {
				const chosen = select.value;

				known = ids;
				select.replaceChildren(...names.map(({ id, host, name }) => h('option', { value: id }, `${outside(host)}: ${outside(name)}`)));
				select.value = names.some(({ id }) => id === chosen) ? chosen : names[0]?.id ?? '';
			}
			setHidden(select, names.length < 2);
		},
	};
}

export function createLatencyCharts() {
	const lines = createLines('Round-trip time of the whole host', {
		...logarithmic(rangeOf, shortMicros), format: micros, exact: (value) => exact(value, 'µs'),
	});
	const heat = createHeatMap('Round-trip times of the whole host');
	const empties = [createEmpty(), createEmpty()];
	const choice = createChoice(() => latest && draw());
	let latest = null;
	const percentiles = createPanel({
		id: 'latency-lines', title: 'Percentiles over time', className: 'charted ranged', aside: [choice.element],
		body: [lines.legend, lines.element, empties[0].element],
	});
	const map = createPanel({
		id: 'latency-heat', title: 'Heat map', className: 'charted ranged', aside: [heat.scale],
		body: [heat.reading, heat.element, empties[1].element],
	});

	function draw() {
		const points = latest.points('latency');

		if (!points || isComing(latest, 'latency'))
			return;
		choice.update(latencyNames(points));
		const series = latencySeries(points, choice.value());
		if (choice.value() === '') {
			empties.forEach((empty) => empty.show(...(isLive(latest.range) ? hint(latest) : ['No round-trip time is remembered of this time range.'])));
			lines.clear();
			heat.clear();
			return;
		}
		empties.forEach((empty) => empty.hide());
		lines.show({ times: series.times, rows: series.rows, names: LINES, window: windowOf(latest) });
		heat.show(series, points.map((point) => point.seconds ?? 0), windowOf(latest));
	}

	return {
		element: h('div', { class: 'pair' }, percentiles, map),
		update(state) {
			latest = state;
			draw();
		},
	};
}

const withHost = [flexibleHostColumn, ...latencyColumns];

function note({ snapshot }, shown, all) {
	const part = shown === all ? `${exact(all)} rows` : `${exact(shown)} of ${exact(all)} rows`;
	const active = snapshot.latency_table.active;

	return `${part}${active !== null && active > all ? ` of ${exact(active)}` : ''}; percentiles of the last minute`;
}

export function createLatencyTable({ params }) {
	return createLiveTable({
		id: 'latency', title: 'By network', what: 'latencies', ids: withHost.map((column) => column.id),
		sort: { id: 'order', descending: false }, params, className: 'low',
		examples: 'network:10.0.0 · p99>100k (µs) · p50>1k · max>1M · count>100', placeholder: 'network:10.0 · p99>100k (µs)',
		columns: ({ snapshot }) => (snapshot.hosts.length > 1 ? withHost : latencyColumns),
		rows: 'latency', note, hint,
	});
}

// ---- overview --------------------------------------------------------------

const WHOLE = (row) => (row.network ?? null) === null && row.name === 'tcp_rtt';

// The percentiles of the last minute, large, the slowest host's where there are several.
export function createRttSummary() {
	const values = new Map(LINES.map((id) => [id, h('dd')]));
	const samples = h('span', { class: 'muted' });
	const list = h('dl', { class: 'percentiles' },
		...LINES.map((id) => h('div', {}, h('dt', {}, id === 'max' ? 'slowest' : id), values.get(id))));
	const empty = createEmpty();
	const element = createPanel({
		id: 'rtt', title: 'Round-trip time', className: 'ranged', aside: [samples, h('a', { href: '#/latency' }, 'Over time')], body: [list, empty.element],
	});

	return {
		element,
		update(state) {
			const live = isLive(state.range);
			const past = live ? null : state.past.of('latency');
			const row = live ? state.snapshot.latency.filter(WHOLE).sort((a, b) => (b.p99 ?? 0) - (a.p99 ?? 0))[0] : past?.latency?.range;

			if (live ? isComing(state, 'latency') : !past)
				return;
			setHidden(list, !row);
			setText(samples, row ? `${live ? 'last minute' : 'time range'}, ${count(row.count)} samples` : '');
			setAttribute(samples, 'title', row ? exact(row.count, 'samples') : null);
			if (!row) {
				empty.show(...(live ? hint(state) : ['Nothing is remembered of this time range.']));
				return;
			}
			empty.hide();
			values.forEach((value, id) => {
				setText(value, micros(row[id]));
				setAttribute(value, 'title', exact(row[id], 'µs'));
			});
		},
	};
}
