// SPDX-License-Identifier: MIT
// Runs the engine: as a worker; or in the page, where workers are not to be had, on the port that it left there.

import { createEngine } from './engine.mjs';

const port = globalThis.jopilPort ?? globalThis;
const engine = createEngine((message) => port.postMessage(message), {
	EventSource: globalThis.EventSource,
	fetch: (...given) => fetch(...given),
	setTimeout: (...given) => setTimeout(...given),
	clearTimeout: (timer) => clearTimeout(timer),
	// A worker's own address is in js/engine/.
	base: globalThis.document ? document.baseURI : new URL('../../', location.href).href,
});

port.onmessage = ({ data }) => engine.take(data);
