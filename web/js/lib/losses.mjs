// SPDX-License-Identifier: MIT
// Everything that was lost, left out or not understood: one row a cause, with what to do about it.

// weight: "lost" = something is missing for good, "note" = counts are exact, detail is not.
const CAUSES = [
	['unattributed', 'Unattributed packets', 'note', (s) => s.snapshot.losses.unattributed,
		'In the totals, in no flow: the kernel’s flow map was full. loader --max-flows N makes it larger.'],
	['ring_full', 'Ring full', 'note', (s) => s.snapshot.losses.ring_full,
		'Packets folded into flows because the reader was busy: counted, without a line of their own.'],
	['malformed', 'Malformed frames', 'note', (s) => s.snapshot.losses.malformed,
		'Counted as far as they could be parsed.'],
	['bad_json', 'Lines that are not JSON', 'lost', (s) => s.snapshot.losses.bad_json,
		'Passed over by the aggregator.'],
	['too_long', 'Lines too long', 'lost', (s) => s.snapshot.losses.too_long, 'Passed over by the aggregator.'],
	['wrong_type', 'Lines with a wrong type', 'lost', (s) => s.snapshot.losses.wrong_type,
		'Passed over by the aggregator.'],
	['unknown_type', 'Lines of unknown type', 'note', (s) => s.snapshot.losses.unknown_type,
		'From a newer or foreign producer; passed over.'],
	['flows_evicted', 'Flows evicted', 'lost', (s) => s.snapshot.losses.flows_evicted,
		'The flow table was full; the flow longest silent went. aggregator --max-flows N makes it larger.'],
	['processes_evicted', 'Processes evicted', 'lost', (s) => s.snapshot.losses.processes_evicted,
		'The table of processes was full; what it had counted is in its sums. aggregator --max-processes N makes it larger.'],
	['process_unattributed_bytes', 'Bytes of no process', 'note', (s) => s.snapshot.losses.process_unattributed_bytes,
		'Moved by processes, in no row: the kernel’s map was full. loader --max-processes N makes it larger.'],
	['connections_evicted', 'Connections evicted', 'lost', (s) => s.snapshot.losses.connections_evicted,
		'The table of connections was full. aggregator --max-connections N makes it larger.'],
	['connection_ring_full', 'Connection events lost', 'lost', (s) => s.snapshot.losses.connection_ring_full,
		'The ring was full: counted, never listed. loader --event-ring-size BYTES makes it larger.'],
	['drop_ring_full', 'Drops without a line', 'note', (s) => s.snapshot.losses.drop_ring_full,
		'The ring was full: counted by reason and flow, without a line of their own.'],
	['drops_unattributed', 'Drops of no flow', 'note', (s) => s.snapshot.losses.drops_unattributed,
		'Counted by reason, in no flow: the kernel’s map was full. loader --max-drops N makes it larger.'],
	['latency_unattributed', 'Latencies of no network', 'note', (s) => s.snapshot.losses.latency_unattributed,
		'In the whole host’s, in no network’s: the kernel’s map was full. loader --max-networks N makes it larger.'],
	['drop_flows_evicted', 'Dropped flows evicted', 'note', (s) => s.snapshot.losses.drop_flows_evicted,
		'The table of flows with drops was full; the counts by reason have them.'],
	['drop_rows_over', 'Reasons too many', 'lost', (s) => s.snapshot.losses.drop_rows_over,
		'More reasons and protocols of drops than the aggregator keeps.'],
	['latency_evicted', 'Networks evicted', 'note', (s) => s.snapshot.losses.latency_evicted,
		'The table of networks was full; the whole host’s latency has them.'],
	['hosts_over', 'Hosts too many', 'lost', (s) => s.snapshot.losses.hosts_over, 'More hosts than the aggregator keeps apart.'],
	['interfaces_over', 'Interfaces too many', 'lost', (s) => s.snapshot.losses.interfaces_over,
		'More interfaces than the aggregator keeps apart.'],
	['no_memory', 'Out of memory', 'lost', (s) => s.snapshot.losses.no_memory, 'What the aggregator had no memory to keep.'],
	['httpd_bad_lines', 'Snapshots httpd could not read', 'lost', (s) => s.httpd?.bad_lines ?? null,
		'Lines on its stdin that are no snapshot.'],
	['httpd_frames', 'Frames lost, all clients', 'note', (s) => s.httpd?.frames_lost ?? null,
		'Snapshots that slow clients of this server did not get.'],
	['page_frames', 'Frames lost, this page', 'note', (s) => s.page.framesLost,
		'Gaps in the numbers of the snapshots that came here.'],
	['page_broken', 'Frames broken, this page', 'lost', (s) => s.page.framesBroken,
		'Events that were not a snapshot.'],
];

// state: { snapshot, httpd (or null), page: { framesLost, framesBroken } } -> rows; count null = not known
export function lossRows(state) {
	return CAUSES.map(([id, label, weight, count, hint]) => ({ id, label, weight, hint, count: count(state) }));
}

export const LOSS_WORDS = { unknown: 'not known yet', none: 'none', note: 'counts exact, less detail', lost: 'something was lost' };

export function lossLevel(rows) {
	const hit = rows.filter((row) => row.count > 0);

	if (hit.length === 0 && rows[0].count === null)
		return 'unknown';
	if (hit.some((row) => row.weight === 'lost'))
		return 'lost';
	return hit.length ? 'note' : 'none';
}

// "3 of 25 causes were hit", and so on.
export function lossSentence(rows) {
	const hit = rows.filter((row) => row.count > 0).length;
	const unknown = rows.filter((row) => row.count === null).length;
	const rest = unknown ? `; of ${unknown} it is not known` : '';

	return hit ? `${hit} of ${rows.length} causes ${hit === 1 ? 'was' : 'were'} hit${rest}.` : `None of ${rows.length} causes was hit${rest}.`;
}
