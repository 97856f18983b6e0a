// SPDX-License-Identifier: MIT
// What somebody should look at now: each alert with what, since when, how bad, and the view that answers.
//
// A rule measures one snapshot and says { over, under, text, href }: over = it begins or goes on, under = it may end, neither =
// it stays as it is. It begins when it was over for `begin` seconds and ends when it was under for `end` seconds, so that a
// single second, or a value that swings around a threshold, neither raises nor flaps. null = nothing is known: that is no alarm.
// "Normal" is the median of the last five minutes without the last ten seconds; without half a minute of them nothing is unusual.

import { reasonWords } from './drop-reasons.mjs';
import { bitRate, duration, exact, micros, outside, packetRate, percent, toNumber } from './format.mjs';
import { processHref, remoteHref } from './keys.mjs';
import { lossRows } from './losses.mjs';
import { formatRoute } from './route.mjs';

const NORMAL_S = 300;
const NEW_S = 10;
const NORMAL_POINTS = 30;
const MINUTE_S = 60;
const ENDED_MOST = 5;
const ENDED_KEPT_S = 900;

// Rows that make room for newer ones all the time: old processes and connections, not data of now.
const NO_LOSS = new Set(['processes_evicted', 'connections_evicted', 'page_frames', 'httpd_frames', 'ring_full', 'malformed', 'unknown_type', 'drop_ring_full']);

export const LIMITS = {
	drops: { times: 3, pps: 10, backTimes: 1.5, backPps: 5 },
	dropShare: { part: 0.01, pps: 10, backPart: 0.005 },
	failures: { many: 5, part: 0.1, backMany: 3, backPart: 0.05 },
	rtt: { times: 3, us: 5000, samples: 50, backTimes: 2 },
	retransmits: { many: 60, part: 0.01, backPart: 0.005 },
	table: { part: 0.9, backPart: 0.8 },
	share: { part: 0.8, bps: 1e6, backPart: 0.6 },
};

// ---- series ----------------------------------------------------------------

// Values of the last minutes: add(time s, value or null); normal(): median, or null.
function createSeries(seconds = NORMAL_S) {
	let points = [];

	return {
		add(time, value) {
			if (points.length && time < points.at(-1).time)
				points = [];
			if (value !== null)
				points.push({ time, value });
			points = points.filter((point) => point.time > time - seconds);
		},
		normal(time) {
			const old = points.filter((point) => point.time <= time - NEW_S).map(({ value }) => value).sort((a, b) => a - b);

			return old.length < NORMAL_POINTS ? null : old[Math.floor(old.length / 2)];
		},
		// By how much a count that only grows grew, since the oldest point; restarts count from there.
		grown: () => points.reduce((sum, { value }, i) => sum + (i ? Math.max(0, value - points[i - 1].value) : 0), 0),
		recent(time, within) {
			const last = points.filter((point) => point.time > time - within);

			return last.length ? last.reduce((sum, { value }) => sum + value, 0) / last.length : null;
		},
	};
}

// Grown counts by name over a minute.
function createGrowth() {
	const series = new Map();

	return (time, name, value) => {
		if (!series.has(name))
			series.set(name, createSeries(MINUTE_S));
		series.get(name).add(time, value);
		return series.get(name).grown();
	};
}

const total = (rows, id) => rows.reduce((sum, row) => sum + (toNumber(row[id]) ?? 0), 0);
const most = (rows, of) => rows.reduce((best, row) => (best === null || of(row) > of(best) ? row : best), null);

// ---- rules -----------------------------------------------------------------

function growing(weight) {
	return () => {
		const growth = createGrowth();

		return (state, time) => {
			const hit = lossRows(state)
				.filter((row) => row.weight === weight && !NO_LOSS.has(row.id) && row.count !== null)
				.map((row) => ({ ...row, more: growth(time, row.id, row.count) }))
				.filter(({ more }) => more > 0);

			return { over: hit.length > 0, under: hit.length === 0, text: hit.map(({ label, more }) => `${label} +${exact(more)}`).join(', '), href: '#/overview?at=losses' };
		};
	};
}

function dropsRising() {
	const series = createSeries();
	const { times, pps, backTimes, backPps } = LIMITS.drops;

	return ({ snapshot }, time) => {
		if (snapshot.drops.length === 0)
			return null;
		series.add(time, total(snapshot.drops, 'pps'));
		const [now, normal] = [series.recent(time, NEW_S), series.normal(time)];
		const first = most(snapshot.drops, (row) => toNumber(row.pps) ?? 0);

		if (normal === null)
			return null;
		return {
			over: now >= pps && now >= times * normal, under: now < backPps || now < backTimes * normal, href: '#/drops',
			text: `${packetRate(Math.round(now))}, normal is ${packetRate(Math.round(normal))}; mostly ${outside(first.reason)}${reasonWords(first.reason) ? `: ${reasonWords(first.reason)}` : ''}`,
		};
	};
}

function dropShare() {
	const [dropped, moved] = [createSeries(NEW_S), createSeries(NEW_S)];
	const { part, pps, backPart } = LIMITS.dropShare;

	return ({ snapshot }, time) => {
		if (!(snapshot.rates.pps > 0))
			return null;
		dropped.add(time, total(snapshot.drops, 'pps'));
		moved.add(time, snapshot.rates.pps);
		const now = dropped.recent(time, NEW_S);
		const share = now / moved.recent(time, NEW_S);

		return {
			over: share >= part && now >= pps, under: share < backPart || now < pps / 2, href: '#/drops',
			text: `${packetRate(Math.round(now))} dropped, ${percent(share, 1)} of the packets on the interfaces`,
		};
	};
}

function failures() {
	const growth = createGrowth();
	const { many, part, backMany, backPart } = LIMITS.failures;

	return ({ snapshot }, time) => {
		const { failed, connects, accepts } = snapshot.connection_table;

		if (failed === null)
			return null;
		const lost = growth(time, 'failed', failed);
		const begun = growth(time, 'begun', (connects ?? 0) + (accepts ?? 0));
		const share = lost / Math.max(lost, begun);
		const last = most(snapshot.connections.filter((row) => row.state === 'failed'), (row) => toNumber(row.ended) ?? 0);
		const who = last ? `; last: ${outside(last.command)} to ${outside(last.dst_ip)}:${outside(last.dst_port)}, ${outside(last.reason)}` : '';

		return {
			over: lost >= many && share >= part, under: lost < backMany || share < backPart, href: formatRoute('connections', { filter: 'state:failed' }),
			text: `${exact(lost)} of ${exact(Math.max(lost, begun))} in the last minute${who}`,
		};
	};
}

function slowAnswers() {
	const series = createSeries();
	const { times, us, samples, backTimes } = LIMITS.rtt;

	return ({ snapshot }, time) => {
		const whole = most(snapshot.latency.filter((row) => (row.network ?? null) === null && row.name === 'tcp_rtt' && row.count >= samples), (row) => toNumber(row.p99) ?? 0);
		const now = toNumber(whole?.p99);

		if (now === null)
			return null;
		series.add(time, now);
		const normal = series.normal(time);

		if (normal === null)
			return null;
		return {
			over: now >= times * normal && now >= normal + us, under: now < backTimes * normal || now < normal + us / 2, href: '#/latency',
			text: `${micros(now)}, normal is ${micros(normal)}`,
		};
	};
}

function retransmits() {
	const growth = createGrowth();
	const seen = new Map();
	let sum = 0;
	const { many, part, backPart } = LIMITS.retransmits;

	// Connections come and go in the snapshot: what each has grown by since it was seen last.
	function grown(rows) {
		const now = new Map(rows.map((row) => [JSON.stringify([row.host, row.netns, row.src_ip, row.src_port, row.dst_ip, row.dst_port, row.started]), toNumber(row.retransmits) ?? 0]));

		now.forEach((value, key) => { sum += Math.max(0, value - (seen.get(key) ?? value)); });
		seen.clear();
		now.forEach((value, key) => seen.set(key, value));
		return sum;
	}

	return ({ snapshot }, time) => {
		if (snapshot.connections.length === 0)
			return null;
		const again = growth(time, 'again', grown(snapshot.connections));
		const sent = growth(time, 'sent', snapshot.totals.egress_packets ?? 0);
		const share = sent > 0 ? again / sent : 0;

		return {
			over: again >= many && share >= part, under: again < many / 2 || share < backPart, href: formatRoute('connections', { filter: 'retransmits>0' }),
			text: `${exact(again)} segments sent again in the last minute, ${percent(share, 1)} of the packets sent`,
		};
	};
}

const TABLES = [
	['flows', ({ snapshot }) => [snapshot.flow_table.active, snapshot.flow_table.limit], 'aggregator --max-flows N'],
	['open connections', ({ snapshot }) => [snapshot.connection_table.open, snapshot.connection_table.limit], 'aggregator --max-connections N'],
];

function tablesFull() {
	const { part, backPart } = LIMITS.table;

	return (state) => {
		const rows = TABLES.map(([name, sizes, option]) => ({ name, option, used: sizes(state)[0], limit: sizes(state)[1] })).filter(({ used, limit }) => used !== null && limit > 0);
		const fullest = most(rows, ({ used, limit }) => used / limit);

		if (!fullest)
			return null;
		const share = fullest.used / fullest.limit;

		return {
			over: share >= part, under: share < backPart, href: '#/flows',
			text: `${fullest.name}: ${exact(fullest.used)} of ${exact(fullest.limit)}; ${fullest.option} makes it larger`,
		};
	};
}

// One row that moves most of what all interfaces move.
function hog(rowsOf, nameOf, hrefOf) {
	const { part, bps, backPart } = LIMITS.share;

	return () => ({ snapshot }) => {
		const all = snapshot.rates.bps;
		const rate = (row) => (toNumber(row.rx_bps) ?? 0) + (toNumber(row.tx_bps) ?? 0);
		const first = most(rowsOf(snapshot), rate);

		if (!first || !(all > 0))
			return null;
		const share = rate(first) / all;

		return {
			over: share >= part && all >= bps, under: share < backPart || all < bps / 2, href: hrefOf(first),
			text: `${nameOf(first)}: ${bitRate(rate(first))}, ${percent(Math.min(1, share), 1)} of ${bitRate(all)}`,
		};
	};
}

// level: bad = something is missing or fails, warn = it may soon, note = good to know. about: the threshold in words.
export const RULES = [
	{ id: 'lost', level: 'bad', what: 'Data are lost', begin: 0, end: 0, make: growing('lost'), about: 'A count of lost data grew within the last minute.' },
	{
		id: 'failures', level: 'bad', what: 'Connections fail', begin: 3, end: 15, make: failures,
		about: 'At least 5 in the last minute, and 10 % of those begun. Over below 3, or 5 %.',
	},
	{
		id: 'drop-share', level: 'bad', what: 'Many packets are dropped', begin: 5, end: 15, make: dropShare,
		about: 'At least 1 % of the packets and 10 a second, over ten seconds. Over below 0.5 %.',
	},
	{
		id: 'drops', level: 'warn', what: 'Drops rise', begin: 5, end: 15, make: dropsRising,
		about: 'At least 10 a second over ten seconds, and 3 times the median of the last five minutes. Over below 5, or 1.5 times.',
	},
	{
		id: 'rtt', level: 'warn', what: 'Answers are slow (p99)', begin: 5, end: 15, make: slowAnswers,
		about: 'The p99 of the last minute’s round-trip times is 3 times its median of five minutes and 5 ms above. Over below twice.',
	},
	{
		id: 'retransmits', level: 'warn', what: 'Retransmits', begin: 3, end: 15, make: retransmits,
		about: 'At least 60 in the last minute, and 1 % of the packets sent, of the connections shown. Over below half of that.',
	},
	{ id: 'table', level: 'warn', what: 'A table is nearly full', begin: 0, end: 5, make: tablesFull, about: 'From 90 % of its limit. Over below 80 %.' },
	{
		id: 'detail', level: 'note', what: 'Counts are exact, detail is lost', begin: 0, end: 0, make: growing('note'),
		about: 'Packets, bytes or drops of the last minute are in the sums, but in no row.',
	},
	{
		id: 'process', level: 'note', what: 'One process takes most of the bandwidth', begin: 20, end: 20,
		make: hog(({ processes }) => processes, (row) => `${outside(row.command)} (${outside(row.pid)})`, processHref),
		about: '80 % of at least 1 Mbit/s for 20 seconds. Over below 60 %.',
	},
	{
		id: 'remote', level: 'note', what: 'One host takes most of the bandwidth', begin: 20, end: 20,
		make: hog(({ remotes }) => remotes, (row) => outside(row.remote_ip), remoteHref),
		about: '80 % of at least 1 Mbit/s for 20 seconds. Over below 60 %.',
	},
];

// ---- alerts ----------------------------------------------------------------

function createAlarm(rule) {
	const measure = rule.make();
	let overSince = null;
	let underSince = null;
	let alert = null;

	return (state, time) => {
		const found = measure(state, time);
		const isNow = (since, seconds) => since !== null && time - since >= seconds;

		overSince = found?.over ? overSince ?? time : null;
		underSince = !found || found.under ? underSince ?? time : null;
		if (alert && isNow(underSince, rule.end)) {
			const ended = { ...alert, ended: time * 1000 };

			alert = null;
			return { alert, ended };
		}
		if (!alert && isNow(overSince, rule.begin))
			alert = { id: rule.id, level: rule.level, what: rule.what, about: rule.about, since: overSince * 1000 };
		// What it says stays while it fades: the last that was over.
		if (alert && found && (found.over || !alert.text))
			alert = { ...alert, text: found.text, href: found.href };
		return { alert, ended: null };
	};
}

const order = new Map(RULES.map(({ id }, i) => [id, i]));

/*
 * add(state) for each snapshot that came, state: { snapshot, httpd, page }.
 * now(): [{ id, level, what, text, about, since (ms), href }], the worst first; ended(): those that are over, the newest first, with `ended`.
 */
export function createAlerts(rules = RULES) {
	let alarms = rules.map(createAlarm);
	let now = [];
	let ended = [];
	let first = null;
	let last = null;

	return {
		add(state) {
			const time = (state.snapshot.timestamp ?? NaN) / 1000;

			if (Number.isNaN(time) || time === last)
				return;
			// Another aggregator: nothing of before can be compared.
			if (last !== null && time < last) {
				alarms = rules.map(createAlarm);
				first = time;
			}
			first ??= time;
			last = time;
			const seen = alarms.map((alarm) => alarm(state, time));

			now = seen.map(({ alert }) => alert).filter(Boolean).sort((a, b) => order.get(a.id) - order.get(b.id));
			ended = [...seen.map((one) => one.ended).filter(Boolean), ...ended]
				.filter((one) => one.ended > (time - ENDED_KEPT_S) * 1000).slice(0, ENDED_MOST);
		},
		// Whether it has seen enough to say what is unusual.
		knowsNormal: () => last !== null && last - first >= NEW_S + NORMAL_POINTS,
		now: () => now,
		ended: () => ended,
	};
}

// What the page itself can tell goes first: that nothing new comes. freshness: of lib/freshness.mjs, or null.
export function alertsNow(alerts, snapshot, freshness) {
	if (snapshot.timestamp === null || !['stale', 'gone'].includes(freshness?.level))
		return alerts.now();
	return [{
		id: 'stale', level: 'bad', what: 'Data are not of now', text: freshness.text, since: snapshot.timestamp, href: '#/overview',
		about: 'No snapshot for five intervals, at least three seconds.',
	}, ...alerts.now()];
}

// "2 min 10 s"
export const lasting = (alert, timestamp) => duration(Math.max(0, (timestamp ?? alert.since) - alert.since));

// "2 alerts, 1 of them bad"
export function alertWords(alerts) {
	const bad = alerts.filter(({ level }) => level === 'bad').length;
	const many = `${exact(alerts.length)} ${alerts.length === 1 ? 'alert' : 'alerts'}`;

	return bad && bad < alerts.length ? `${many}, ${bad} of them bad` : many;
}
