// SPDX-License-Identifier: MIT
// The state of the page. Whoever listens is told with a frame, however often it changed.

const REST_MS = 60;	// between two times: painting a table takes a good part of that, and clicks want the rest
let toldAt = -REST_MS;

// With the next frame, but not before the page had time for other things.
export function inTime(tell) {
	const wait = toldAt + REST_MS - performance.now();
	const next = () => requestAnimationFrame(() => {
		toldAt = performance.now();
		tell();
	});

	if (wait > 0)
		setTimeout(next, wait);
	else
		next();
}

export function createStore(initial, schedule = inTime) {
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
