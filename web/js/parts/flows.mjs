// SPDX-License-Identifier: MIT
// The live table of flows, and the details of one.

import { h } from '../core/dom.mjs';
import { flexibleHostColumn } from '../lib/column.mjs';
import { flowColumns } from '../lib/columns.mjs';
import { NOTHING, bitRate, bytes, count, duration, endpoint, exact, micros, outside, packetRate, stamp, toNumber } from '../lib/format.mjs';
import { flowHref, flowKey, processHref } from '../lib/keys.mjs';
import { nameHint, side } from '../lib/names.mjs';
import { flagWords, stateWords } from '../lib/words.mjs';
import { createFacts } from './facts.mjs';
import { createLiveTable } from './live-table.mjs';
import { NO_PACKETS } from './panel.mjs';
import { createRateHistory } from './rate-history.mjs';

const withHost = [flexibleHostColumn, ...flowColumns];
const ids = withHost.map((column) => column.id);

// The snapshot carries the busiest flows only, and says how many there are.
function note({ snapshot }, shown, all) {
	const active = snapshot.flow_table.active;
	const part = shown === all ? `${exact(all)} flows` : `${exact(shown)} of ${exact(all)} flows`;

	return active !== null && active > all ? `${part}, the busiest of ${exact(active)} active` : part;
}

function hint({ snapshot }) {
	return snapshot.totals.packets > 0
		? ['No flows yet: what came so far is not IP, or no flow is active now.']
		: NO_PACKETS;
}

export function createFlows({ params, className, aside, opens = flowHref }) {
	return createLiveTable({
		id: 'flows', title: 'Flows', what: 'flows', ids, sort: { id: 'bps', descending: true }, params, className, aside,
		columns: ({ snapshot }) => (snapshot.hosts.length > 1 ? withHost : flowColumns),
		rows: 'flows', opens, key: flowKey,
		note, hint,
	});
}

// ---- details ---------------------------------------------------------------

const either = (value, text) => (toNumber(value) === null ? NOTHING : text(value));
const moved = (side) => (row) => `${bytes(row[`${side}_bytes`])} in ${count(row[`${side}_packets`])} packets`;
const movedExact = (side) => (row) => `${exact(row[`${side}_bytes`], 'bytes')} in ${exact(row[`${side}_packets`], 'packets')}`;

const FACTS = [
	['Source', side('src'), nameHint('src')],
	['Destination', side('dst'), nameHint('dst')],
	['Opened', (row) => ({ ingress: 'from outside', egress: 'from this side' })[row.src_direction] ?? NOTHING, () => 'Which side of the interface the source is on'],
	['Source to destination', moved('src'), movedExact('src')],
	['Destination to source', moved('dst'), movedExact('dst')],
	['Rate', (row) => `${bitRate(row.bps)}, ${packetRate(row.pps)}`, (row) => `${exact(row.bps, 'bit/s')}, ${exact(row.pps, 'packets/s')}`],
	['Process', (row) => `${outside(row.command)}${toNumber(row.pid) === null ? '' : ` (${row.pid})`}`, null, processHref],
	['TCP state', (row) => stateWords(row.state)],
	['TCP flags of the source', (row) => flagWords(row.tcp_flags_src)],
	['TCP flags of the destination', (row) => flagWords(row.tcp_flags_dst)],
	['ICMP', (row) => either(row.icmp_type, () => `type ${row.icmp_type}, code ${row.icmp_code ?? 0}`)],
	['Round-trip time', (row) => micros(row.rtt_us), (row) => exact(row.rtt_us, 'µs')],
	['Retransmits', (row) => count(row.retransmits), (row) => exact(row.retransmits, 'segments')],
	['Drops', (row) => count(row.drops), (row) => exact(row.drops, 'packets')],
	['Interface', (row) => `${outside(row.ifname)}${toNumber(row.vlan) === null ? '' : `, VLAN ${row.vlan}`}`],
	['Host', (row) => outside(row.host)],
	['First packet', (row) => stamp(row.first)],
	['Last packet', (row) => stamp(row.last)],
	['Age', (row) => duration((toNumber(row.last) ?? NaN) - (toNumber(row.first) ?? NaN))],
];

// Rates of each direction, from what was counted between two snapshots: in and out of the interface, or of the source where both are seen.
function createSideRates() {
	let before = null;

	return (row, time) => {
		const last = before;

		before = { time, src: toNumber(row.src_bytes), dst: toNumber(row.dst_bytes) };
		const rate = (side) => (!last || before[side] === null || before[side] < last[side] || !(time > last.time)
			? null
			: ((before[side] - last[side]) * 8000) / (time - last.time));
		return row.src_direction === 'ingress' ? { inbound: rate('src'), outbound: rate('dst') } : { outbound: rate('src'), inbound: rate('dst') };
	};
}

export function createFlowDetails() {
	const facts = createFacts(FACTS);
	const sides = createSideRates();
	let time = null;
	const history = createRateHistory('↓ in, ↑ out', (row) => sides(row, time));

	return {
		element: h('div', {}, facts.element, history.element),
		update(state, row, isThere) {
			time = state.snapshot.timestamp;
			facts.update(row);
			history.update(state, isThere ? row : null);
		},
	};
}

export const flowTitle = (row) => `${outside(row.proto)} ${endpoint(row.src_ip, row.src_port)} → ${endpoint(row.dst_ip, row.dst_port)}`;
