// SPDX-License-Identifier: MIT
// The last packets that came with snapshots, newest first, and how many there is nothing to show of.

export const KEEP = 1000;

export function createPacketLog(keep = KEEP) {
	let rows = [];
	let number = 0;
	const counts = { seen: 0, leftOut: 0, lastShown: 0, lastLeftOut: 0 };

	return {
		add(packets, leftOut) {
			const fresh = packets.map((packet) => ({ ...packet, number: ++number }));

			rows = fresh.reverse().concat(rows).slice(0, keep);
			counts.seen += packets.length;
			counts.leftOut += leftOut;
			counts.lastShown = packets.length;
			counts.lastLeftOut = leftOut;
		},
		rows: () => rows,
		counts: () => ({ ...counts }),
	};
}
