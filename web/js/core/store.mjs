// SPDX-License-Identifier: MIT
// The state of the page. Whoever listens is told once a frame, however often it changed.

export function createStore(initial, schedule = requestAnimationFrame) {
	let state = initial;
	let planned = false;
	const listeners = new Set();

	function tell() {
		planned = false;
		listeners.forEach((listener) => listener(state));
	}

	return {
		get: () => state,
		set(patch) {
			state = { ...state, ...patch };
			if (planned)
				return;
			planned = true;
			schedule(tell);
		},
		listen(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
	};
}
