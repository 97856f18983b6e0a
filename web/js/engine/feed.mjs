// SPDX-License-Identifier: MIT
// Where snapshots come from: server-sent events of the topics wanted, and where those do not get through, asking again and again.

import { ROUTES, TOPICS } from '../lib/topics.mjs';

const POLL_MS = 2000;
const POLL_MS_MAX = 10000;
const STATS_MS = 10000;
const POLLS_BEFORE_EVENTS = 15;	// then the event stream gets another chance
const FAILURES_BEFORE_POLLING = 3;
const CLOSED = 2;	// EventSource.CLOSED

/*
 * handlers: message(topics, raw, mode) with what came of a snapshot, broken() for an event that is no JSON, lost(frames) when
 * the server has not what is missing, stats(httpd) with httpd's own counters, link({ mode, link, problem, ended }) with what changed.
 * world: EventSource, fetch, setTimeout, clearTimeout, base (what paths are relative to).
 */
export function createFeed(handlers, world) {
	const at = (path) => new URL(path, world.base).href;
	let source = null;
	let wanted = [];
	let failures = 0;
	let polls = 0;
	let polling = false;
	let pollTimer = null;
	let statsTimer = null;
	let lastSeq = null;
	let behind = 0;

	// null, and counted, if it is no object.
	function read(text) {
		let raw = null;

		try {
			raw = JSON.parse(text);
		} catch {
			// Counted below, as what is JSON and no object.
		}
		if (typeof raw === 'object' && raw !== null && !Array.isArray(raw))
			return raw;
		handlers.broken();
		return null;
	}

	function take(topics, text) {
		const raw = read(text);

		if (!raw)
			return;
		lastSeq = raw.seq ?? null;
		behind = 0;
		handlers.link({ mode: 'events', link: 'open', problem: '', ended: false });
		handlers.message(topics, raw, 'events');
	}

	function takeStatus(text) {
		const raw = read(text);

		if (raw)
			handlers.link({ ended: raw.stale === true });
	}

	function takeLost(text) {
		const frames = read(text)?.frames;

		if (frames > 0)
			handlers.lost(frames);
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
		// The browser takes a broken stream up again where it was, by the number of the last event.
		source = new world.EventSource(at(`events?topics=${wanted.join()}`));
		source.addEventListener('open', opened);
		source.addEventListener('snapshot', (event) => take(TOPICS, event.data));
		TOPICS.forEach((topic) => source.addEventListener(topic, (event) => take([topic], event.data)));
		source.addEventListener('status', (event) => takeStatus(event.data));
		source.addEventListener('lost', (event) => takeLost(event.data));
		source.addEventListener('error', failed);
	}

	function closeEvents() {
		source?.close();
		source = null;
	}

	async function get(path) {
		const response = await world.fetch(at(path), { cache: 'no-store', headers: { Accept: 'application/json' } });
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
		const topics = wanted;
		const routes = topics.flatMap((topic) => ROUTES[topic]);
		const [stats, ...lists] = await Promise.all(['api/stats', ...routes.map(([path]) => path)].map(get));
		const wrong = [stats, ...lists].find(({ status }) => status !== 200);

		if (!polling)
			return;
		if (wrong) {
			refused(wrong);
			return;
		}
		const { httpd = null, ...raw } = stats.body;

		routes.forEach(([, names], i) => names.filter((name) => name in lists[i].body).forEach((name) => { raw[name] = lists[i].body[name]; }));
		handlers.link({ mode: 'polling', link: 'open', problem: '', ended: httpd?.stale === true });
		handlers.stats(httpd);
		handlers.message(topics, raw, 'polling');
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

	function reopen() {
		closeEvents();
		openEvents();
	}

	function pollNow() {
		world.clearTimeout(pollTimer);
		poll();
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

	// The page itself has asked for the first (core/early.js).
	function start() {
		openEvents();
		statsTimer = world.setTimeout(lookAtStats, STATS_MS);
	}

	return {
		// The topics that are to come from now on; the first time starts it.
		want(topics) {
			const isFirst = wanted.length === 0;

			if (topics.join() === wanted.join())
				return;
			wanted = topics;
			if (isFirst)
				start();
			else if (polling)
				pollNow();
			else
				reopen();
		},
		stop() {
			closeEvents();
			stopPolling();
			world.clearTimeout(statsTimer);
		},
	};
}
