// SPDX-License-Identifier: MIT
// Puts the page together: feed -> store -> the view that the URL names.

import { createFeed } from './core/feed.mjs';
import { createRouter } from './core/router.mjs';
import { createStore } from './core/store.mjs';
import { createTheme } from './core/theme.mjs';
import { createAlerts } from './lib/alerts.mjs';
import { freshness } from './lib/freshness.mjs';
import { createMemory } from './lib/memory.mjs';
import { createPacketLog } from './lib/packet-log.mjs';
import { createSequence } from './lib/sequence.mjs';
import { readSnapshot } from './lib/snapshot.mjs';
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

const memory = createMemory();
const alerts = createAlerts();
const store = createStore({
	snapshot: readSnapshot({}),
	received: 0,	// snapshots that came
	receivedAt: null,
	feed: { link: 'connecting', mode: 'events', problem: '', ended: false },
	httpd: null,
	freshness: null,
	memory,
	alerts,
	page: { framesLost: 0, framesBroken: 0 },
	packets: { rows: [], counts: { seen: 0, leftOut: 0, lastShown: 0, lastLeftOut: 0 } },
});
const sequence = createSequence();
const log = createPacketLog();
const router = createRouter(VIEWS.map((view) => view.id));
const theme = createTheme((choice) => {
	shell.showTheme(choice);
	store.set({});
});
const shell = createShell(document.getElementById('page'), VIEWS, theme);
const made = new Map();
let current = null;

function countBroken() {
	const { page } = store.get();

	store.set({ page: { ...page, framesBroken: page.framesBroken + 1 } });
}

function takeSnapshot(raw, mode) {
	const snapshot = readSnapshot(raw);
	const { page, received } = store.get();

	if (!snapshot) {
		countBroken();
		return;
	}
	const { fresh, lost } = sequence.see(snapshot.seq, snapshot.timestamp);
	if (mode === 'polling')
		sequence.forget();
	// After a reconnection the last snapshot comes again.
	if (!fresh)
		return;
	if (mode === 'events')
		log.add(snapshot.packets, snapshot.packets_left_out);
	memory.add(snapshot);
	alerts.add({ ...store.get(), snapshot });
	store.set({
		snapshot,
		received: received + 1,
		receivedAt: performance.now(),
		page: { ...page, framesLost: page.framesLost + (mode === 'events' ? lost : 0) },
		packets: { rows: log.rows(), counts: log.counts() },
	});
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
		}));
	}
	return made.get(id);
}

// moved: somebody went here, the page did not begin here.
function showRoute({ view, params }, moved) {
	current = viewFor(view);
	shell.showView(view);
	if (!current.element.isConnected)
		shell.main.replaceChildren(current.element);
	current.setParams(params, moved);
	current.update(store.get());
}

function showFreshness() {
	const state = store.get();
	const now = freshnessOf(state);

	shell.update(state, now);
	if (now.level !== state.freshness?.level)
		store.set({ freshness: now });
}

const feed = createFeed({
	snapshot: takeSnapshot,
	broken: countBroken,
	stats: (httpd) => store.set({ httpd }),
	link: (change) => store.set({ feed: { ...store.get().feed, ...change } }),
});

store.listen((state) => {
	current.update(state);
	showFreshness();
});
router.listen((route) => showRoute(route, true));
showRoute(router.get(), false);
showFreshness();
setInterval(showFreshness, TICK_MS);
feed.start();
