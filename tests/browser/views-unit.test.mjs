// SPDX-License-Identifier: MIT
// The pure parts of single views, without a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RULES, alertWords, alertsNow, createAlerts } from '../../web/js/lib/alerts.mjs';
import { createNames } from '../../web/js/engine/names.mjs';
import { addNames, side } from '../../web/js/lib/names.mjs';
import { connectionReasonWords, flagWords, stateWords } from '../../web/js/lib/words.mjs';
import { parseFilter } from '../../web/js/lib/filter.mjs';
import { STAGES, createFlowRates, createSankeyGraph, termFor } from '../../web/js/lib/sankey.mjs';
import { readSnapshot } from '../../web/js/lib/snapshot.mjs';
import { NASTY_NAMES, createTraffic, nastySnapshot } from './traffic.mjs';

// ---- Sankey ----------------------------------------------------------------

const flow = (more) => ({
	host: 'web1', ifname: 'eth0', proto: 'TCP', src_ip: '10.0.0.1', src_port: 1, dst_ip: '10.0.0.2', dst_port: 443, src_direction: 'egress',
	src_bytes: 0, dst_bytes: 0, first: 0, last: 0, pid: 7, command: 'curl', bps: 800, ...more,
});
const snapshotOf = (timestamp, flows, interfaces = []) => readSnapshot({ timestamp, flows, interfaces, hosts: ['web1'] });

test('rates of a flow: each way from two snapshots, never without', () => {
	const rates = createFlowRates();
	const first = snapshotOf(1000, [flow({ src_bytes: 500, dst_bytes: 9000 })]);
	const second = snapshotOf(2000, [flow({ src_bytes: 600, dst_bytes: 10000 }), flow({ src_port: 2, src_bytes: 50, first: 1500 }), flow({ src_port: 3, src_bytes: 50, first: 900 }),
		flow({ src_port: 4, src_direction: null, first: 1500 })]);

	assert.deepEqual(rates.see(first).get(first.flows[0]), { both: 800, in: null, out: null });
	const seen = rates.see(second);
	assert.deepEqual(second.flows.map((row) => seen.get(row)), [
		{ both: 800, in: 8000, out: 800 }, { both: 800, in: 0, out: 400 }, { both: 800, in: null, out: null }, { both: 800, in: null, out: null },
	]);
	assert.equal(rates.see(second), seen);
	const turned = snapshotOf(3000, [flow({ src_bytes: 700, dst_bytes: 10000, src_direction: 'ingress' })]);
	assert.deepEqual(rates.see(turned).get(turned.flows[0]), { both: 800, in: 800, out: 0 });
	const restarted = snapshotOf(4000, [flow({ src_bytes: 1, dst_bytes: 10001 })]);
	assert.deepEqual(rates.see(restarted).get(restarted.flows[0]), { both: 800, in: 8, out: null });
});

test('sankey: every bit goes from stage to stage, what is not known is called so', () => {
	const { nodes, links, total, unsplit } = createSankeyGraph().update(snapshotOf(1000, [
		flow({ bps: 1000 }), flow({ src_port: 2, bps: 500, pid: null, command: null }),
		flow({ proto: 'UDP', src_direction: 'ingress', bps: 300 }),
	], [{ host: 'web1', ifname: 'eth0', ingress_bps: 1500, egress_bps: 400 }, { host: 'web1', ifname: 'eth1', ingress_bps: 7, egress_bps: 0 }]), 'both');
	const at = (stage) => nodes.filter((node) => node.stage === stage).map((node) => `${node.kind} ${node.label} ${node.value} ${node.count}`).sort();

	assert.equal(total, 1907);
	assert.equal(unsplit, 0);
	assert.deepEqual(at(0), ['named eth0 1900 1', 'named eth1 7 1']);
	assert.deepEqual(at(1), ['left in no flow shown 107 1', 'named TCP 1500 1', 'named UDP 300 1']);
	assert.deepEqual(at(2), ['named curl 1300 1', 'unknown unknown owner 500 1']);
	assert.deepEqual(at(3), ['named 10.0.0.1 300 1', 'named 10.0.0.2 1500 1']);
	for (const node of nodes.filter(({ stage, kind }) => stage > 0 && kind !== 'left'))
		assert.equal(links.filter(({ target }) => target === node.id).reduce((sum, { value }) => sum + value, 0), node.value);
	assert.deepEqual(nodes.filter(({ stage }) => stage === 2).map(({ href }) => href).sort(), ['#/flows?filter=pid%3Anone', '#/processes?open=7+curl+web1']);
	assert.ok(links.some(({ href }) => href === '#/flows?filter=if%3Aeth0+proto%3ATCP'));
});

test('sankey: few nodes a stage, the others together; their sum is that of the flows', () => {
	const snapshot = readSnapshot(createTraffic({ seed: 2, flows: 600, limit: 500 }).next());
	const { nodes, total } = createSankeyGraph().update({ ...snapshot, interfaces: [] }, 'both');
	const sum = snapshot.flows.reduce((all, row) => all + row.bps, 0);

	assert.ok(nodes.length < 50);
	for (const stage of STAGES.keys())
		assert.ok(Math.abs(nodes.filter((node) => node.stage === stage).reduce((all, { value }) => all + value, 0) - sum) < 1, STAGES[stage]);
	assert.equal(total, sum);
	const others = nodes.find(({ kind, stage }) => kind === 'others' && stage === 3);
	assert.equal(others.count + 14, new Set(snapshot.flows.filter(({ bps }) => bps > 0)
		.map((row) => (row.src_direction === 'ingress' ? row.src_ip : row.dst_ip))).size);
});

test('sankey: one way only when it is known; more than one process of a name', () => {
	const graphs = createSankeyGraph();
	const flows = (k) => [flow({ src_bytes: 100 * k, dst_bytes: 1000 * k }), flow({ pid: 8, src_port: 9, src_bytes: 100 * k, dst_bytes: 0 }), flow({ src_port: 5, src_direction: null })];

	assert.deepEqual(graphs.update(snapshotOf(1000, flows(1)), 'in').nodes, []);
	const graph = graphs.update(snapshotOf(2000, flows(2)), 'in');
	assert.equal(graph.total, 8000);
	assert.equal(graph.unsplit, 800);
	const out = graphs.update(snapshotOf(3000, flows(3)), 'out');
	assert.equal(out.total, 1600);
	assert.deepEqual(out.nodes.filter(({ stage }) => stage === 2).map(({ count, href }) => [count, href]), [[2, '#/processes?filter=command%3Acurl']]);
});

test('sankey: whatever the names are', () => {
	const graphs = createSankeyGraph();

	for (const seq of [1, 2])
		for (const way of ['both', 'in', 'out']) {
			const { nodes, links } = graphs.update(readSnapshot(nastySnapshot(seq)), way);

			assert.equal(new Set(nodes.map(({ id }) => id)).size, nodes.length);
			assert.ok(links.every(({ value }) => value > 0));
		}
	for (const name of NASTY_NAMES) {
		const { error, test: holds } = parseFilter(termFor('if', name));

		assert.equal(error, '', name);
		assert.ok(holds({ ifname: name }), name);
	}
	assert.ok(parseFilter('pid:none').test({ pid: null }));
	assert.ok(!parseFilter('pid:none').test({ pid: 1 }));
});

// ---- alerts ----------------------------------------------------------------

// States second by second: change(i) is what is not as always.
function alertsOver(seconds, change, from = 0, alerts = createAlerts()) {
	const seen = [];

	for (let i = from; i < from + seconds; i++) {
		const { httpd = null, page = { framesLost: 0, framesBroken: 0 }, ...raw } = change(i);

		alerts.add({ snapshot: readSnapshot({ timestamp: 1e6 + i * 1000, rates: { pps: 10000, bps: 1e8 }, losses: {}, ...raw }), httpd, page });
		seen.push(alerts.now().map(({ id }) => id).join());
	}
	return { alerts, seen, times: (id) => seen.flatMap((ids, i) => (ids.split(',').includes(id) ? [i + from] : [])) };
}

const drop = (pps) => ({ drops: [{ reason: 'SOCKET_RCVBUFF', pps }, { reason: 'NO_SOCKET', pps: 1 }] });
const rtt = (p99) => ({ latency: [{ name: 'tcp_rtt', network: null, count: 900, p99 }] });

test('alerts: a healthy host has none', () => {
	const traffic = createTraffic({ seed: 5, flows: 60, limit: 60, history: 5 });
	const { seen, alerts } = alertsOver(120, (i) => ({ ...drop(3), ...rtt(900 + 40 * (i % 5)), connection_table: { failed: 0, connects: i, accepts: i, open: 3, limit: 100 },
		flow_table: { active: 10, limit: 100 }, processes: [{ pid: 1, command: 'a', rx_bps: 5e7, tx_bps: 0 }] }));

	assert.deepEqual(seen.filter(Boolean), []);
	assert.deepEqual(alerts.ended(), []);
	assert.ok(alerts.knowsNormal());
	assert.doesNotThrow(() => alertsOver(90, () => traffic.next()));
	assert.doesNotThrow(() => alertsOver(5, () => nastySnapshot(1)));
});

test('alerts: drops above their normal, said with reason; over with hysteresis; what is long so is normal', () => {
	const { times, alerts } = alertsOver(300, (i) => drop(i >= 60 && i < 90 ? 80 : 4));
	const [first] = times('drops');

	assert.ok(first > 60 && first <= 72, String(first));
	assert.ok(times('drops').at(-1) >= 90 + 15);
	assert.deepEqual(times('drops'), Array.from({ length: times('drops').length }, (_, i) => first + i));
	assert.match(alerts.ended()[0].text, /pps, normal is 5 pps; mostly SOCKET_RCVBUFF: The receive buffer/);
	assert.equal(alerts.ended()[0].href, '#/drops');
	assert.ok(alertsOver(60, () => drop(80)).seen.every((ids) => ids === ''));	// nothing to compare with
	const long = alertsOver(400, (i) => drop(i >= 60 ? 80 : 4));
	assert.ok(long.times('drops').length > 50 && !long.seen.at(-1).includes('drops'));
});

test('alerts: one second of something, or a value around the threshold, neither raises nor flaps', () => {
	assert.deepEqual(alertsOver(120, (i) => drop(i === 80 ? 90 : 4)).times('drops'), []);
	const { times } = alertsOver(200, (i) => drop(i < 60 ? 4 : i % 2 ? 22 : 16));
	const gaps = times('drops').filter((at, i, all) => i > 0 && at !== all[i - 1] + 1);
	assert.ok(times('drops').length > 0);
	assert.deepEqual(gaps, []);
});

test('alerts: many drops beside the packets; slow answers; a table nearly full', () => {
	assert.ok(alertsOver(30, () => ({ ...drop(300), rates: { pps: 10000 } })).times('drop-share').length > 20);
	const slow = alertsOver(100, (i) => rtt(i > 60 ? 40000 : 3000));
	assert.deepEqual(slow.times('rtt'), Array.from({ length: 34 }, (_, i) => 66 + i));
	assert.match(slow.alerts.now()[0].text, /^40.0 ms, normal is 3.00 ms$/);
	assert.deepEqual(alertsOver(100, (i) => rtt(i > 60 ? 900 : 100)).times('rtt'), []);	// nine times, but nobody waits
	const full = alertsOver(40, (i) => ({ flow_table: { active: i < 5 ? 89 : i < 20 ? 90 : i < 30 ? 85 : 70, limit: 100 } }));
	assert.deepEqual([full.times('table')[0], full.times('table').at(-1)], [5, 34]);
	assert.match(full.alerts.ended()[0].text, /^flows: 90 of 100; aggregator --max-flows/);
});

test('alerts: failures, retransmits, with who and where', () => {
	const failed = alertsOver(110, (i) => ({
		connection_table: { failed: Math.min(12, Math.max(0, i - 10)), connects: i, accepts: 0 },
		connections: [{ state: 'failed', command: 'curl', dst_ip: '10.0.0.9', dst_port: 5432, reason: 'refused', ended: i, started: 1 }],
	}));
	assert.deepEqual(failed.times('failures')[0], 18);
	assert.ok(!failed.seen.at(-1).includes('failures'));
	assert.match(failed.alerts.ended()[0].text, /in the last minute; last: curl to 10\.0\.0\.9:5432, refused$/);
	assert.equal(failed.alerts.ended()[0].href, '#/connections?filter=state%3Afailed');
	const again = alertsOver(40, (i) => ({ totals: { egress_packets: 1000 * i }, connections: [{ src_ip: 'a', retransmits: i < 10 ? 500 : 500 + 40 * (i - 9), started: 1 }] }));
	assert.ok(again.times('retransmits')[0] > 10, String(again.times('retransmits')));
	assert.match(again.alerts.now()[0].text, /^[\d,]+ segments sent again in the last minute, \d\.\d % of the packets sent$/);
});

test('alerts: what is lost is said while it grows, not what was lost before', () => {
	const { times, alerts } = alertsOver(120, (i) => ({ losses: { connection_ring_full: i < 20 ? 7 : 9, processes_evicted: i, unattributed: i < 50 ? 0 : 3 } }));

	assert.deepEqual([times('lost')[0], times('lost').at(-1)], [20, 78]);
	assert.deepEqual([times('detail')[0], times('detail').at(-1)], [50, 108]);
	assert.deepEqual(alerts.ended().map(({ text }) => text), ['Unattributed packets +3', 'Connection events lost +2']);
});

test('alerts: one process or host with most of it; another aggregator begins anew; stale data go first', () => {
	const hog = alertsOver(60, () => ({ processes: [{ pid: 4, command: 'rsync', rx_bps: 0, tx_bps: 9e7 }, { pid: 5, command: 'b', rx_bps: 1e7, tx_bps: 0 }],
		remotes: [{ remote_ip: '10.0.0.9', rx_bps: 85e6, tx_bps: 0 }] }));

	assert.deepEqual([hog.times('process')[0], hog.times('remote')[0]], [20, 20]);
	assert.deepEqual(hog.alerts.now().map(({ text, href }) => [text, href]), [
		['rsync (4): 90.0 Mbit/s, 90.0 % of 100 Mbit/s', '#/processes?open=4+rsync+-'], ['10.0.0.9: 85.0 Mbit/s, 85.0 % of 100 Mbit/s', '#/hosts?open=10.0.0.9+-'],
	]);
	const anew = alertsOver(1, () => ({}), -500, hog.alerts);
	assert.deepEqual(anew.seen, ['']);
	assert.ok(!anew.alerts.knowsNormal());
	assert.deepEqual(alertsNow(hog.alerts, { timestamp: 5 }, { level: 'stale', text: 'No more.' }).map(({ id, since }) => [id, since]), [['stale', 5]]);
	assert.equal(alertWords([{ level: 'bad' }, { level: 'note' }]), '2 alerts, 1 of them bad');
	assert.equal(new Set(RULES.map(({ id }) => id)).size, RULES.length);
});

// ---- words and names -------------------------------------------------------

test('words: flags and states spelled out, reasons in words, what is unknown as it came', () => {
	assert.equal(flagWords('SPA'), 'SYN PSH ACK');
	assert.deepEqual([flagWords(''), flagWords(null), flagWords('Sx')], ['none', '–', 'SYN x']);
	assert.match(stateWords('reset'), /^reset: one side/);
	assert.equal(stateWords('constructor'), 'constructor');
	assert.match(connectionReasonWords('refused'), /nobody listens/);
	assert.equal(connectionReasonWords('error_71'), 'The kernel gave error 71 (errno).');
	assert.deepEqual([connectionReasonWords(null), connectionReasonWords('__proto__'), connectionReasonWords({})], ['', '', '']);
});

test('names: beside the addresses they are of, found by the filter, as text', () => {
	const snapshot = readSnapshot({
		flows: [{ src_ip: '10.0.0.1', dst_ip: '10.0.0.2' }], remotes: [{ remote_ip: '10.0.0.2' }], processes: [{ remotes: [{ remote_ip: '10.0.0.2' }] }],
	});

	addNames(snapshot, new Map([['10.0.0.2', 'db.example\u202e']]));
	assert.equal(snapshot.flows[0].dst_name, 'db.example\u202e');
	assert.ok(!('src_name' in snapshot.flows[0]));
	assert.equal(snapshot.processes[0].remotes[0].remote_name, snapshot.remotes[0].remote_name);
	for (const text of ['name:db.ex', 'db.example', '10.0.0.2'])
		assert.ok(parseFilter(text).test(snapshot.flows[0]), text);
	assert.equal(side('dst')({ dst_ip: '10.0.0.2', dst_port: 5, dst_name: 'a\u202e' }), '10.0.0.2:5 · a\\u202e');
});

test('names: asked for now and then; without them once a minute', async () => {
	const waits = [];
	const heard = [];
	const answers = [{ enabled: true, names: { '10.0.0.1': 'a', '10.0.0.2': 7 } }, { enabled: true, names: { '10.0.0.1': 'a' } }, { enabled: false, names: {} }, null];
	const world = {
		base: 'http://h/', clearTimeout() {},
		fetch: async () => ({ ok: answers[0] !== null, json: async () => answers.shift() }),
		setTimeout(act, wait) {
			waits.push(wait);
			if (waits.length < 5)
				setImmediate(act);
			return 1;
		},
	};
	const lookup = createNames((names) => heard.push([...names]), world);

	lookup.start();
	lookup.start();
	for (let i = 0; i < 40; i++)
		await new Promise(setImmediate);
	assert.deepEqual(waits, [0, 5000, 5000, 60000, 60000]);
	assert.deepEqual(heard, [[['10.0.0.1', 'a']], []]);
});
