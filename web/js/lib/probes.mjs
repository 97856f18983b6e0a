// SPDX-License-Identifier: MIT
// Which of the host's probes are loaded, and what to do about one that is not.

export const LOAD = 'sudo loader --probe all eth0';

export function isLoaded(snapshot, probe) {
	return snapshot.probes.some((row) => row.probe === probe);
}

// [sentence, command] for a place with nothing to show: otherwise is what it means when the probe is there.
export function hintOf(snapshot, probe, otherwise) {
	if (snapshot.timestamp === null)
		return ['No snapshot yet.'];
	return isLoaded(snapshot, probe) ? [otherwise] : [`The ${probe} probe is not loaded: nothing is known here. This loads it:`, LOAD];
}
