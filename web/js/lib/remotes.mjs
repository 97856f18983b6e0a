// SPDX-License-Identifier: MIT
// Which processes talk with a remote host.

import { toNumber } from './format.mjs';

const SUMS = ['tx_bytes', 'rx_bytes', 'tx_bps', 'rx_bps'];

// Processes that have the address among their remotes; their bytes are those with this address alone, over all its ports.
export function processesOf(processes, { remote_ip: ip, host }) {
	const rows = [];

	for (const process of processes) {
		const theirs = process.host === host ? process.remotes.filter((remote) => remote.remote_ip === ip) : [];

		if (theirs.length === 0)
			continue;
		const { pid, command, uid } = process;
		rows.push({
			host, pid, command, uid,
			...Object.fromEntries(SUMS.map((id) => [id, theirs.reduce((sum, row) => sum + (toNumber(row[id]) ?? 0), 0)])),
		});
	}
	return rows;
}
