// SPDX-License-Identifier: MIT
// Showing the server its token, once: it answers with a cookie that no script can read. The page keeps no token, only that it has shown one.

const PATH = 'api/session';
const KEY = 'jopil-signed-in';
const WAIT_S = 60;	// where a server that has enough does not say how long

function keep(value) {
	try {
		if (value)
			localStorage.setItem(KEY, '1');
		else
			localStorage.removeItem(KEY);
	} catch {
		// Without storage there is no button to sign out; the cookie ends by itself.
	}
}

export function isSignedIn() {
	try {
		return localStorage.getItem(KEY) !== null;
	} catch {
		return false;
	}
}

// -> { ok }, or { problem: "wrong" | "wait" | "gone" | "other", wait (s), detail }
export async function signIn(token, world = globalThis) {
	let response;

	try {
		response = await world.fetch(PATH, {
			method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token }), cache: 'no-store',
		});
	} catch {
		return { ok: false, problem: 'gone', wait: 0, detail: '' };
	}
	if (response.ok) {
		keep(true);
		return { ok: true };
	}
	const detail = (await response.json().catch(() => null))?.detail ?? '';
	const problem = { 401: 'wrong', 400: 'wrong', 429: 'wait' }[response.status] ?? 'other';

	return { ok: false, problem, wait: Number(response.headers.get('Retry-After')) || WAIT_S, detail: `${response.status} ${detail}`.trim() };
}

// The cookie is gone afterwards, or the server is.
export async function signOut(world = globalThis) {
	keep(false);
	await world.fetch(PATH, { method: 'DELETE', cache: 'no-store' }).catch(() => {});
}
