// SPDX-License-Identifier: MIT
// The past that the parts of the page show: one request for all of them, again as time goes on, once where the range is frozen.

import { boundsOf, isFrozen, isLive } from '../lib/range.mjs';

const STEPS_BEFORE_AGAIN = 2;
const TRY_AGAIN_MS = 5000;

async function load(get, path) {
	const response = await get(path, { headers: { Accept: 'application/json' } });
	const body = await response.json().catch(() => null);

	return response.ok && body ? { answer: body, problem: '' } : { answer: null, problem: `${response.status} ${body?.detail ?? ''}`.trim() };
}

/*
 * changed() is told of each answer, busy() when one is asked for. of(what) within an update says that a part shows that, and gives the answer, or null before
 * it came; look(now) after it asks for what is needed, now being the timestamp of the last snapshot in ms.
 */
export function createPast(range, changed, busy, get = (...given) => fetch(...given)) {
	let used = new Set();
	let have = new Set();	// what the answer has
	let answer = null;
	let problem = '';
	let until = null;	// ms, to which it was asked, or when it failed
	let asking = 0;	// number of the request under way, 0: none
	let count = 0;

	function isDue(now) {
		if (![...used].every((what) => have.has(what)))
			return problem === '' || now - until >= TRY_AGAIN_MS;
		return !isFrozen(range) && now - until >= STEPS_BEFORE_AGAIN * (answer?.step_ms ?? TRY_AGAIN_MS);
	}

	async function ask(now) {
		const bounds = boundsOf(range, now);
		const what = [...used];
		const number = ++count;
		const path = `api/history?from=${bounds.from}&to=${bounds.to}&step=${bounds.step}&what=${what.join()}`;

		asking = number;
		busy();
		const got = await load(get, path).catch(() => ({ answer: null, problem: 'the server does not answer' }));

		if (number !== asking)
			return;
		asking = 0;
		until = now;
		({ problem } = got);
		if (got.answer) {
			answer = { ...got.answer, asked: bounds };
			have = new Set(what);
		}
		changed();
	}

	return {
		begin() {
			used = new Set();
		},
		of(what) {
			used.add(what);
			return have.has(what) ? answer : null;
		},
		look(now) {
			if (!isLive(range) && asking === 0 && used.size && (now !== null || isFrozen(range)) && isDue(now ?? 0))
				ask(now ?? 0);
		},
		isBusy: () => asking > 0,
		answer: () => answer,
		problem: () => problem,
		// Another range: what is under way is for nobody.
		set(next) {
			range = next;
			used = new Set();
			have = new Set();
			answer = null;
			problem = '';
			until = null;
			asking = 0;
		},
	};
}
