// SPDX-License-Identifier: MIT
// Names of addresses, where the server looks them up (httpd --resolve): asked for now and then.

const ASK_MS = 5000;
const OFF_MS = 60000;	// no --resolve, or no answer

// changed(Map(address -> name)) when there is something new. world: fetch, setTimeout, clearTimeout, base. -> { start(), stop() }
export function createNames(changed, world) {
	let timer = null;
	let known = '';

	async function ask() {
		let wait = OFF_MS;

		try {
			const response = await world.fetch(new URL('api/names', world.base).href, { cache: 'no-store', headers: { Accept: 'application/json' } });
			const body = response.ok ? await response.json() : null;
			const names = Object.entries(body?.names ?? {}).filter(([, name]) => typeof name === 'string');

			wait = body?.enabled === true ? ASK_MS : OFF_MS;
			if (JSON.stringify(names) !== known)
				changed(new Map(names));
			known = JSON.stringify(names);
		} catch {
			// Numbers do without names.
		}
		timer = world.setTimeout(ask, wait);
	}

	return {
		start() {
			timer ??= world.setTimeout(ask, 0);
		},
		stop: () => world.clearTimeout(timer),
	};
}
