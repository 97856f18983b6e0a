// SPDX-License-Identifier: MIT
// Which snapshots this page did not get, from the gaps in their numbers.

// see(seq, timestamp) -> { fresh, lost }: whether it is a new snapshot, and how many were missing before it.
export function createSequence() {
	let last = null;
	let lastTime = null;

	return {
		see(seq, timestamp) {
			if (typeof seq !== 'number' || !Number.isFinite(seq))
				return { fresh: true, lost: 0 };
			const before = last;
			const again = seq === before && timestamp === lastTime;

			last = seq;
			lastTime = timestamp;
			// A number that was there before: another aggregator, that counts from the start.
			if (before === null || (seq <= before && !again))
				return { fresh: true, lost: 0 };
			return { fresh: !again, lost: Math.max(0, seq - before - 1) };
		},
		// What comes next follows nothing: polling passes over snapshots by design.
		forget() {
			last = null;
		},
	};
}
