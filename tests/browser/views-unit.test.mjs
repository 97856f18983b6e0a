// SPDX-License-Identifier: MIT
// The pure parts of single views, without a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

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
