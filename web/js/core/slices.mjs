// SPDX-License-Identifier: MIT
// Work that can wait until what matters most is painted, and then leaves room for other things.

// A task of its own, as soon as there is nothing else to do.
function nextTask() {
	return new Promise((resolve) => {
		const { port1, port2 } = new MessageChannel();

		port1.onmessage = resolve;
		port2.postMessage(null);
	});
}

// Does each work in a task of its own, after the next frame, or without one where the page is not shown. -> a promise of what they return
export async function afterPaint(works) {
	const made = [];

	await new Promise((resolve) => {
		requestAnimationFrame(resolve);
		document.hidden && resolve();
	});
	for (const work of works) {
		await nextTask();
		made.push(work());
	}
	return made;
}
