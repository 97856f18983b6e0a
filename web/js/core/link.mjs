// SPDX-License-Identifier: MIT
// The engine that works beside the page, in a worker; without workers it is the same in the page itself.

const PATH = 'js/engine/worker.mjs';

// The same program, at the other end of a channel.
function startHere() {
	const { port1, port2 } = new MessageChannel();
	const script = document.createElement('script');

	globalThis.jopilPort = port2;
	script.type = 'module';
	script.src = PATH;
	document.head.append(script);
	return port1;
}

// take(message) is told what the engine says. -> post(message)
export function startEngine(take) {
	const early = globalThis.jopilWorker ?? null;	// early.js has started it
	let port = early ?? startHere();
	let said = [];	// until something comes back

	function heard({ data }) {
		said = null;
		take(data);
	}

	// One that never said a word could not be started.
	function failed(event) {
		if (said === null)
			return;
		event.preventDefault();
		port.terminate();
		port = startHere();
		port.onmessage = heard;
		said.forEach((message) => port.postMessage(message));
	}

	port.onmessage = heard;
	if (early)
		early.onerror = failed;
	return (message) => {
		said?.push(message);
		port.postMessage(message);
	};
}
