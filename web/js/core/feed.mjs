// SPDX-License-Identifier: MIT
// Where snapshots come from: server-sent events, and where those do not get through, asking again and again.

const POLL_MS = 2000;
const POLL_MS_MAX = 10000;
const STATS_MS = 10000;
const POLLS_BEFORE_EVENTS = 15;	// then the event stream gets another chance
const FAILURES_BEFORE_POLLING = 3;
// What a poll asks for beside api/stats: together they are the snapshot, but for its packets.
const LISTS = ['api/flows?limit=1000&sort=bps', 'api/processes?limit=1000', 'api/remotes?limit=1000',
	'api/connections?limit=1000', 'api/drops?limit=1000', 'api/latency?limit=1000'];
const CLOSED = 2;	// EventSource.CLOSED

/*
 * handlers: snapshot(raw, mode), broken() for an event that is no JSON, stats(httpd) with httpd's own counters,
 * link({ mode, link, problem, ended }) with what changed.
 * world: EventSource, fetch, setTimeout, clearTimeout.
 */
export function createFeed(handlers, world = globalThis) {
	let source = null;
	let failures = 0;
	let polls = 0;
	let polling = false;
	let pollTimer = null;
	let statsTimer = null;
	let lastSeq = null;
	let behind = 0;

	function take(text) {
		let raw;

		try {
			raw = JSON.parse(text);
		} catch {
			handlers.broken();
			return;
		}
		lastSeq = raw?.seq ?? null;
		behind = 0;
		handlers.link({ mode: 'events', link: 'open', problem: '', ended: false });
		handlers.snapshot(raw, 'events');
	}

	function takeStatus(text) {
		try {
			handlers.link({ ended: JSON.parse(text).stale === true });
		} catch {
			handlers.broken();
		}
	}

	function opened() {
		failures = 0;
		stopPolling();
		handlers.link({ mode: 'events', link: 'open', problem: '' });
	}

	function failed() {
		failures++;
		if (polling) {
			closeEvents();
			return;
		}
		if (source.readyState !== CLOSED && failures < FAILURES_BEFORE_POLLING) {
			handlers.link({ link: 'down', problem: '' });
			return;
		}
		closeEvents();
		startPolling();
	}

	function openEvents() {
		if (!world.EventSource) {
			startPolling();
			return;
		}
		source = new world.EventSource('events');
		source.addEventListener('open', opened);
		source.addEventListener('snapshot', (event) => take(event.data));
		source.addEventListener('status', (event) => takeStatus(event.data));
		source.addEventListener('error', failed);
	}

	function closeEvents() {
		source?.close();
		source = null;
	}

	async function get(path) {
		const response = await world.fetch(path, { cache: 'no-store', headers: { Accept: 'application/json' } });
		const body = await response.json().catch(() => null);

		return { status: response.status, body };
	}

	function refused({ status, body }) {
		if (status === 503)
			handlers.link({ mode: 'polling', link: 'open', problem: '' });
		else
			handlers.link({ mode: 'polling', link: 'refused', problem: `${status} ${body?.detail ?? ''}`.trim() });
	}

	async function ask() {
		const [stats, ...lists] = await Promise.all(['api/stats', ...LISTS].map(get));
		const other = [stats, ...lists].find((answer) => answer.status !== 200);

		if (!polling)
			return;
		if (other) {
			refused(other);
			return;
		}
		handlers.link({ mode: 'polling', link: 'open', problem: '', ended: stats.body.httpd?.stale === true });
		handlers.stats(stats.body.httpd ?? null);
		handlers.snapshot(Object.assign({ packets: [] }, ...lists.map((list) => list.body), stats.body), 'polling');
	}

	async function poll() {
		let wait = POLL_MS;

		try {
			await ask();
		} catch {
			wait = Math.min(POLL_MS_MAX, POLL_MS * (polls + 1));
			if (polling)
				handlers.link({ mode: 'polling', link: 'down', problem: '' });
		}
		if (!polling)
			return;
		polls++;
		if (polls % POLLS_BEFORE_EVENTS === 0 && !source && world.EventSource) {
			failures = 0;
			openEvents();
		}
		pollTimer = world.setTimeout(poll, wait);
	}

	function startPolling() {
		if (polling)
			return;
		polling = true;
		polls = 0;
		poll();
	}

	function stopPolling() {
		polling = false;
		world.clearTimeout(pollTimer);
	}

	// The server has newer snapshots than the stream brought, twice in a row: something between holds the stream back.
	function isHeldBack(stats) {
		behind = stats.seq !== null && lastSeq !== null && stats.seq > lastSeq + 1 ? behind + 1 : 0;
		return behind >= 2;
	}

	async function lookAtStats() {
		try {
			const { status, body } = polling ? {} : await get('api/stats');

			if (status === 200) {
				handlers.stats(body.httpd ?? null);
				if (source && isHeldBack(body)) {
					closeEvents();
					startPolling();
				}
			}
		} catch {
			// The stream itself tells when the server is gone.
		}
		statsTimer = world.setTimeout(lookAtStats, STATS_MS);
	}

	return {
		start() {
			openEvents();
			lookAtStats();
		},
		stop() {
			closeEvents();
			stopPolling();
			world.clearTimeout(statsTimer);
		},
	};
}
