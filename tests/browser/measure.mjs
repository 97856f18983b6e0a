// SPDX-License-Identifier: MIT
// What a page takes: memory of it and of its engine, elements, listeners, long tasks, time to the first numbers.

import { once } from 'node:events';

/*
 * Measures through the debugger, after collecting garbage in page and worker.
 * -> { take(): { heap, engineHeap (bytes), nodes, listeners } }
 */
export async function createMeter(page) {
	const session = await page.context().newCDPSession(page);
	const attached = once(session, 'Target.attachedToTarget');
	let count = 0;

	await session.send('Performance.enable');
	await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
	const [{ sessionId }] = await attached;

	async function ofWorker(method) {
		const id = ++count;
		const answered = new Promise((resolve) => {
			session.on('Target.receivedMessageFromTarget', function heard({ message }) {
				const body = JSON.parse(message);

				if (body.id !== id)
					return;
				session.off('Target.receivedMessageFromTarget', heard);
				resolve(body.result);
			});
		});

		await session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method }) });
		return answered;
	}

	return {
		async take() {
			await session.send('HeapProfiler.collectGarbage');
			await ofWorker('HeapProfiler.collectGarbage');
			const { metrics } = await session.send('Performance.getMetrics');
			const of = (name) => metrics.find((metric) => metric.name === name).value;
			const { usedSize } = await ofWorker('Runtime.getHeapUsage');

			return { heap: of('JSHeapUsedSize'), engineHeap: usedSize, nodes: of('Nodes'), listeners: of('JSEventListeners') };
		},
	};
}

// Before any script of the page: notes when the first numbers are painted (window.firstNumbers, ms), and every long task.
export function watchPage() {
	const observer = new MutationObserver(() => {
		if (!document.querySelector('#tile-packets')?.dataset.exact)
			return;
		observer.disconnect();
		requestAnimationFrame(() => {
			const { port1, port2 } = new MessageChannel();

			// The first task after the frame.
			port1.onmessage = () => { window.firstNumbers = performance.now(); };
			port2.postMessage(null);
		});
	});

	observer.observe(document, { subtree: true, childList: true, attributes: true });
	window.longTasks = [];
	new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => window.longTasks.push(duration)))
		.observe({ type: 'longtask', buffered: true });
}

// Snapshots with so many flows: the same ones, with other counts each time.
export function createManyFlows(traffic, count) {
	const { flows } = traffic.next();
	let round = 0;

	return () => {
		round++;
		const snapshot = traffic.next();

		snapshot.flows = Array.from({ length: count }, (_, i) => ({
			...flows[i % flows.length], src_port: i, bps: ((i * 7919 + round * 104729) % 1e6) + 1, packets: i + round,
		}));
		snapshot.flow_table = { ...snapshot.flow_table, active: count };
		return snapshot;
	};
}
