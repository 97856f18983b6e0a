// SPDX-License-Identifier: MIT
// Connections: failures first, then the newest; and the details of one.

import { h, setText } from '../core/dom.mjs';
import { flexibleHostColumn } from '../lib/column.mjs';
import { STATES } from '../lib/connections.mjs';
import { withTerm, termOf } from '../lib/filter.mjs';
import { NOTHING, bytes, count, duration, endpoint, exact, micros, outside, stamp, toNumber } from '../lib/format.mjs';
import { connectionColumns } from '../lib/host-columns.mjs';
import { connectionKey, processHref } from '../lib/keys.mjs';
import { hintOf } from '../lib/probes.mjs';
import { nameHint, side } from '../lib/names.mjs';
import { connectionReasonWords } from '../lib/words.mjs';
import { createFacts } from './facts.mjs';
import { createLiveTable } from './live-table.mjs';
import { createSwitch } from './switch.mjs';

const withHost = [flexibleHostColumn, ...connectionColumns];

function note({ snapshot }, shown, all) {
	const { active } = snapshot.connection_table;
	const part = shown === all ? `${exact(all)} connections` : `${exact(shown)} of ${exact(all)} connections`;

	return active !== null && active > all ? `${part}; ${exact(active)} are remembered` : part;
}

function hint({ snapshot }) {
	return hintOf(snapshot, 'connection', 'No connection yet: none was open when the probe came, none has begun since.');
}

function sumsText({ open, connects, accepts, closed, failed }) {
	const part = (value, word) => (value === null ? null : `${exact(value)} ${word}`);
	const parts = [part(open, 'open'), part(connects, 'begun here'), part(accepts, 'accepted'), part(closed, 'closed'), part(failed, 'failed')];

	return parts.filter(Boolean).join(' · ');
}

export function createConnections({ params, opens }) {
	const sums = h('span', { id: 'connection-sums' });
	const states = createSwitch({
		label: 'State', choices: [['', 'All'], ...STATES.map((state) => [state, state])], chosen: '',
		choose: (state) => table.filter.set(withTerm(table.filter.text(), 'state', state)),
	});
	const table = createLiveTable({
		id: 'connections', title: 'Connections', what: 'connections', ids: withHost.map((column) => column.id),
		sort: { id: 'urgency', descending: false }, params, className: 'tall', opens, key: connectionKey,
		above: [h('div', { class: 'remark' }, states.element, ' ', sums)],
		examples: 'state:failed · pid:812 · command:curl · ip:10.0.0.0/8 · port:443 · reason:refused · cgroup:nginx · retransmits>0 · duration>1k',
		placeholder: 'pid:812 · command:curl · ip: · port: · state:',
		columns: ({ snapshot }) => (snapshot.hosts.length > 1 ? withHost : connectionColumns),
		rows: 'connections',
		sums: (counts) => STATES.forEach((name) => states.setLabel(name, `${name} ${exact(counts.get(name))}`)),
		chosen: (text) => states.show(termOf(text, 'state')),
		note, hint,
	});

	return {
		...table,
		update(state) {
			setText(sums, sumsText(state.snapshot.connection_table));
			table.update(state);
		},
	};
}

// ---- details ---------------------------------------------------------------

const FACTS = [
	['State', (row) => outside(row.state)],
	['Reason', (row) => [outside(row.reason), connectionReasonWords(row.reason)].filter(Boolean).join(': ')],
	['Process', (row) => `${outside(row.command)}${toNumber(row.pid) === null ? '' : ` (${row.pid})`}`, null, processHref],
	['UID', (row) => outside(row.uid)],
	['Control group', (row) => outside(row.cgroup), (row) => `id ${outside(row.cgroup_id)}`],
	['Network namespace', (row) => outside(row.netns)],
	['Opened by', (row) => ({ egress: 'this host', ingress: 'the remote' })[row.direction] ?? outside(row.direction)],
	['From', side('src'), nameHint('src')],
	['To', side('dst'), nameHint('dst')],
	['Protocol', (row) => `${outside(row.proto)}${toNumber(row.ip_version) === null ? '' : ` over IPv${row.ip_version}`}`],
	['Service', (row) => outside(row.service)],
	['Started', (row) => (row.existing === true && toNumber(row.started) === null ? 'before the probe came' : stamp(row.started))],
	['Ended', (row) => (toNumber(row.ended) === null ? NOTHING : stamp(row.ended))],
	['Lasted', (row) => duration(row.duration_ms), (row) => exact(row.duration_ms, 'ms')],
	['Received', (row) => bytes(row.bytes_received), (row) => exact(row.bytes_received, 'bytes')],
	['Sent', (row) => bytes(row.bytes_sent), (row) => exact(row.bytes_sent, 'bytes')],
	['Round-trip time', (row) => micros(row.rtt_us), (row) => exact(row.rtt_us, 'µs')],
	['Shortest round-trip time', (row) => micros(row.rtt_min_us), (row) => exact(row.rtt_min_us, 'µs')],
	['Retransmits', (row) => count(row.retransmits), (row) => exact(row.retransmits, 'segments')],
	['Host', (row) => outside(row.host)],
];

export function createConnectionDetails() {
	const facts = createFacts(FACTS);

	return { element: facts.element, update: (state, row) => facts.update(row) };
}

export const connectionTitle = (row) => `${outside(row.proto)} ${endpoint(row.src_ip, row.src_port)} → ${endpoint(row.dst_ip, row.dst_port)}`;
