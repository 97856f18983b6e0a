// SPDX-License-Identifier: MIT
// Puts the page together: engine -> store -> the view that the URL names.

import { createAsks } from './core/asks.mjs';
import { setAttribute } from './core/dom.mjs';
import { startEngine } from './core/link.mjs';
import { createPast } from './core/past.mjs';
import { createRouter } from './core/router.mjs';
import { createStore, inTime } from './core/store.mjs';
import { createTheme } from './core/theme.mjs';
import { freshness } from './lib/freshness.mjs';
import { createMemory } from './lib/memory.mjs';
import { pointsOf } from './lib/past.mjs';
import { readSnapshot } from './lib/snapshot.mjs';
import { headOf } from './lib/topics.mjs';
import { LIVE, isLive, parseRange, rangeText } from './lib/range.mjs';
import { createRangeControl } from './parts/range-control.mjs';
import { createShell } from './parts/shell.mjs';
import { createConnectionsView } from './views/connections.mjs';
import { createDropsView } from './views/drops.mjs';
import { createFlowsView } from './views/flows.mjs';
import { createHostsView } from './views/hosts.mjs';
import { createLatencyView } from './views/latency.mjs';
import { createOverview } from './views/overview.mjs';
import { createPacketsView } from './views/packets.mjs';
import { createProcessesView } from './views/processes.mjs';
import { createSankeyView } from './views/sankey.mjs';

const TICK_MS = 1000;	// how often the age of the data is looked at

// One row a view: this is all that a new one needs here.
const VIEWS = [
	{ id: 'overview', title: 'Overview', create: createOverview },
	{ id: 'flows', title: 'Flows', create: createFlowsView },
	{ id: 'processes', title: 'Processes', create: createProcessesView },
	{ id: 'hosts', title: 'Hosts', create: createHostsView },
	{ id: 'connections', title: 'Connections', create: createConnectionsView },
	{ id: 'drops', title: 'Drops', create: createDropsView },
	{ id: 'latency', title: 'Latency', create: createLatencyView },
	{ id: 'sankey', title: 'Sankey', create: createSankeyView },
	{ id: 'packets', title: 'Packets', create: createPacketsView },
];

function showBusy() {
	setAttribute(shell.main, 'aria-busy', 'true');
}

// As lib/alerts.mjs has them; the engine watches for them.
function alertsOf({ now, ended, knowsNormal }) {
	return { now: () => now, ended: () => ended, knowsNormal: () => knowsNormal };
}

// What early.js asked for: the numbers of api/stats, until the engine says more.
function earlyState(body) {
	const { httpd = null, ...raw } = body;

	return { httpd, snapshot: headOf(readSnapshot(raw)), topics: ['stats'], received: 1, receivedAt: performance.now() };
}

const first = globalThis.jopilFirst ?? null;	// there already
const asks = createAsks(startEngine(hear), showBusy);
const memory = createMemory();
const past = createPast(LIVE, () => store.set({}), showBusy);
const store = createStore({
	snapshot: readSnapshot({}),
	topics: [],	// of the snapshot that have come
	received: 0,	// snapshots that came
	receivedAt: null,
	feed: { link: 'connecting', mode: 'events', problem: '', ended: first?.httpd?.stale === true },
	httpd: null,
	freshness: null,
	range: LIVE,
	past,
	points: pointsNow,
	alerts: alertsOf({ now: [], ended: [], knowsNormal: false }),
	page: { framesLost: 0, framesBroken: 0 },
	packets: { seen: 0, leftOut: 0, lastShown: 0, lastLeftOut: 0 },
	select: asks.select,
	call: asks.call,
	...(first && earlyState(first)),
}, (tell) => {
	showBusy();
	inTime(tell);
});
const router = createRouter(VIEWS.map((view) => view.id));
const theme = createTheme((choice) => {
	shell.showTheme(choice);
	store.set({});
});
const control = createRangeControl(chooseRange);
const shell = createShell(document.getElementById('page'), VIEWS, theme, control);
const made = new Map();
let current = null;

function takeState({ snapshot, topics, fresh, page, alerts, packets, answers }) {
	asks.takeAnswers(answers);
	if (fresh)
		memory.add(snapshot, topics);
	store.set({
		snapshot,
		topics,
		page,
		packets,
		alerts: alertsOf(alerts),
		...(fresh && { received: store.get().received + 1, receivedAt: performance.now() }),
	});
}

function takeEarly(body) {
	if (body && store.get().received === 0)
		store.set({ ...earlyState(body), feed: { ...store.get().feed, ended: body.httpd?.stale === true } });
}

// What the engine says: see engine/engine.mjs.
function hear({ state, answers, link, httpd, page, result }) {
	if (state)
		takeState(state);
	if (answers) {
		asks.takeAnswers(answers);
		store.set({});
	}
	if (link)
		store.set({ feed: { ...store.get().feed, ...link } });
	if (httpd !== undefined)
		store.set({ httpd });
	if (page)
		store.set({ page });
	if (result)
		asks.takeResult(result);
}

function freshnessOf({ snapshot, receivedAt, feed }) {
	return freshness({
		...feed,
		receivedAt,
		now: performance.now(),
		timestamp: snapshot.timestamp,
		seq: snapshot.seq,
		intervalMs: snapshot.interval_ms,
		final: snapshot.final,
	});
}

function viewFor(id) {
	if (!made.has(id)) {
		const { create } = VIEWS.find((view) => view.id === id);

		made.set(id, create({
			params: (params) => router.setParams(id, params),
			href: (params) => router.href(id, params),
			changed: () => store.set({}),
		}));
	}
	return made.get(id);
}

// Points of lib/memory.mjs of what is shown: "drops" or "latency"; null while they are on their way.
function pointsNow(what) {
	if (isLive(store.get().range))
		return memory.points();
	const answer = past.of(what);

	return answer && pointsOf(answer);
}

function chooseRange(text) {
	router.setParams(router.get().view, { range: text === 'live' ? '' : text });
	setRange(text);
	updateView();
}

function setRange(text) {
	const range = parseRange(text);

	if (range.id === store.get().range.id)
		return;
	past.set(range);
	store.set({ range });
	setAttribute(shell.main, 'data-range', isLive(range) ? null : 'past');
}

function updateView() {
	past.begin();
	asks.during(() => current.update(store.get()));
	past.look(store.get().snapshot.timestamp);
	control.update(store.get());
	if (!asks.isBusy() && !past.isBusy() && (current.isWhole?.() ?? true))
		setAttribute(shell.main, 'aria-busy', null);
}

// moved: somebody went here, the page did not begin here.
function showRoute({ view, params }, moved) {
	current = viewFor(view);
	shell.showView(view);
	if (!current.element.isConnected)
		shell.main.replaceChildren(current.element);
	setRange(params.range);
	current.setParams(params, moved);
	updateView();
}

function showFreshness() {
	const state = store.get();
	const now = freshnessOf(state);

	shell.update(state, now);
	if (now.level !== state.freshness?.level)
		store.set({ freshness: now });
}

store.listen(() => {
	updateView();
	showFreshness();
});
router.listen((route) => showRoute(route, true));
showRoute(router.get(), false);
showFreshness();
setInterval(showFreshness, TICK_MS);
shell.main.addEventListener('zoom', ({ detail: { from, to } }) => chooseRange(rangeText(from, to)));
if (!first)
	globalThis.jopilStats?.then(takeEarly);
