// SPDX-License-Identifier: MIT
// Names beside addresses. A name is what whoever holds the address says of it.

import { endpoint, outside } from './format.mjs';

export const CLAIM = 'A name is a claim: who holds an address decides what its reverse lookup says.';

// For lists of facts: an end of a flow with its name.
export const side = (end) => (row) => {
	const name = row[`${end}_name`];

	return [endpoint(row[`${end}_ip`], row[`${end}_port`]), ...(name ? [outside(name)] : [])].join(' · ');
};
export const nameHint = (end) => (row) => (row[`${end}_name`] ? CLAIM : null);

const FIELDS = [['remote_ip', 'remote_name'], ['src_ip', 'src_name'], ['dst_ip', 'dst_name']];

function put(rows, names) {
	for (const row of rows)
		for (const [ip, field] of FIELDS)
			if (names.has(row[ip]))
				row[field] = names.get(row[ip]);
}

// Rows of a snapshot of lib/snapshot.mjs get remote_name, src_name, dst_name where there is one.
export function addNames(snapshot, names) {
	if (names.size === 0)
		return;
	[snapshot.flows, snapshot.remotes, snapshot.connections, snapshot.drop_flows].forEach((rows) => put(rows, names));
	snapshot.processes.forEach((row) => put(row.remotes, names));
}
