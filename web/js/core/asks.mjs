// SPDX-License-Identifier: MIT
// What the page has asked the engine for. A part says with each update what it needs; what no part needs any more is dropped.

// busy() is told when there is something to wait for; isBusy() says when it is over.
export function createAsks(post, busy) {
	const slots = new Map();	// slot -> { text, number, answered, answer, used, keep }
	const calls = new Map();	// id -> resolve
	let changes = null;
	let started = false;
	let count = 0;

	const isCurrent = ([slot, , , number]) => slots.get(slot)?.number === number;

	// All that changes in one go is one message.
	function change(more) {
		if (!changes) {
			changes = { asks: [], drop: [] };
			queueMicrotask(() => {
				const message = { ...changes, asks: changes.asks.filter(isCurrent) };

				changes = null;
				post(message);
			});
		}
		more(changes);
	}

	function take([slot, number, answer]) {
		const known = slots.get(slot);

		if (!known)
			return;
		if (answer !== null)
			known.answer = answer;
		known.answered = number;
	}

	return {
		/*
		 * Asks for it unless that is done, and gives the last answer, null before the first. name, args: see lib/answers.mjs.
		 * args.hold: it stays as it is, also while nobody asks.
		 */
		select(slot, name, args) {
			const text = JSON.stringify([name, args]);
			let known = slots.get(slot);

			if (known?.text !== text) {
				known = { answer: null, answered: 0, ...known, text, number: ++count, keep: args.hold === true };
				slots.set(slot, known);
				change(({ asks }) => asks.push([slot, name, args, known.number]));
				busy();
			}
			known.used = true;
			return known.answer;
		},
		isBusy: () => [...slots.values()].some(({ number, answered }) => number !== answered),
		// Runs update(), in which every part says what it needs.
		during(update) {
			slots.forEach((known) => { known.used = false; });
			update();
			const unused = [...slots.keys()].filter((slot) => !slots.get(slot).used && !slots.get(slot).keep);

			unused.forEach((slot) => slots.delete(slot));
			// The first message starts the feed, also when nothing is asked.
			if (unused.length || !started)
				change(({ drop }) => drop.push(...unused));
			started = true;
		},
		// Something that is answered once, of what a slot has.
		call(slot, method, args) {
			return new Promise((resolve) => {
				const id = ++count;

				calls.set(id, resolve);
				// After what was asked just now.
				queueMicrotask(() => post({ call: [id, slot, method, args] }));
			});
		},
		takeAnswers: (answers) => answers.forEach(take),
		takeResult([id, value]) {
			calls.get(id)?.(value);
			calls.delete(id);
		},
	};
}
