// SPDX-License-Identifier: MIT
// A plain script in the head: the chosen theme is in force before the first paint; the first numbers are asked for, and the
// engine starts, before the page is read.
(() => {
	try {
		const choice = localStorage.getItem('jopil-theme');

		if (choice === 'light' || choice === 'dark')
			document.documentElement.dataset.theme = choice;
	} catch {
		// No storage: as the system has it.
	}
	globalThis.jopilStats = fetch('api/stats', { cache: 'no-store', headers: { Accept: 'application/json' } })
		.then((response) => (response.ok ? response.json() : null)).catch(() => null)
		.then((body) => {
			globalThis.jopilFirst = body;	// for who comes later, at once
			return body;
		});
	try {
		const worker = new Worker('js/engine/worker.mjs', { type: 'module' });

		globalThis.jopilWorker = worker;
		// It may fail before the page is there to see it.
		worker.onerror = (event) => {
			event.preventDefault();
			globalThis.jopilWorker = null;
		};
	} catch {
		// No workers: core/link.mjs knows what to do.
	}
})();
