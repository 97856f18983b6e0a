// SPDX-License-Identifier: MIT
// Who talks through what with whom: flows summed up along interface, protocol, process, remote.

import { outside, toNumber } from './format.mjs';
import { flowKey, processHref, remoteHref } from './keys.mjs';
import { formatRoute } from './route.mjs';

export const STAGES = ['Interface', 'Protocol', 'Process', 'Remote'];
export const WAYS = { both: 'In and out', in: '↓ In', out: '↑ Out' };

const MOST = [6, 5, 10, 14];	// of each stage; the rest is "others"
const KEEP = 0.8;	// of the old weight: who is on top does not change with every second
const COLOURS = 5;	// protocols told apart by colour

// ---- rates -----------------------------------------------------------------

/*
 * Rates of a flow in each way, from what was counted between two snapshots. see(snapshot) -> Map(flow -> { both, in, out });
 * in and out are null where they are not known: the flow was not shown before, or both ways are seen on the interface.
 */
export function createFlowRates() {
	let before = new Map();
	let beforeTime = null;
	let latest = null;
	let rates = new Map();

	function rateOf(flow, time) {
		const last = before.get(flowKey(flow));
		const [src, dst] = [toNumber(flow.src_bytes), toNumber(flow.dst_bytes)];
		const isNew = beforeTime !== null && toNumber(flow.first) >= beforeTime;
		const rate = (now, then) => (now === null || !(time > beforeTime) || !(now >= then) ? null : ((now - then) * 8000) / (time - beforeTime));
		const both = toNumber(flow.bps) ?? 0;
		const [sent, received] = last || isNew ? [rate(src, last?.src ?? 0), rate(dst, last?.dst ?? 0)] : [null, null];

		if (flow.src_direction !== 'ingress' && flow.src_direction !== 'egress')
			return { both, in: null, out: null };
		return flow.src_direction === 'ingress' ? { both, in: sent, out: received } : { both, in: received, out: sent };
	}

	return {
		see(snapshot) {
			const { timestamp: time, flows } = snapshot;

			if (latest === snapshot || time === null)
				return rates;
			rates = new Map(flows.map((flow) => [flow, rateOf(flow, time)]));
			before = new Map(flows.map((flow) => [flowKey(flow), { src: toNumber(flow.src_bytes) ?? 0, dst: toNumber(flow.dst_bytes) ?? 0 }]));
			beforeTime = time;
			latest = snapshot;
			return rates;
		},
	};
}

// ---- paths -----------------------------------------------------------------

// `key:text` for the filter of a table; of text that it cannot hold the longest part that it can.
export function termFor(key, text) {
	const part = String(text ?? '').split(/[",\p{Cc}\u202a-\u202e\u2066-\u2069]/u).sort((a, b) => b.length - a.length)[0].trim();

	return part ? `${key}:${/\s/.test(part) ? `"${part}"` : part}` : '';
}

const node = (kind, stage, name, label, term = '', row = null, title = '') => ({ id: `${kind} ${stage} ${name}`, kind, stage, label, term, row, title });

function remoteOf(flow) {
	return flow.src_direction === 'ingress' ? flow.src_ip : flow.dst_ip;
}

function interfaceOf({ host, ifname }, several) {
	return node('named', 0, JSON.stringify([host ?? null, ifname ?? null]), several ? `${outside(host)} ${outside(ifname)}` : outside(ifname), termFor('if', ifname));
}

function processOf(flow) {
	if (toNumber(flow.pid) === null && typeof flow.command !== 'string')
		return node('unknown', 2, '', 'unknown owner', 'pid:none');
	return node('named', 2, JSON.stringify([flow.host ?? null, flow.command ?? null]), outside(flow.command), termFor('command', flow.command), flow);
}

function pathOf(flow, several) {
	const remote = remoteOf(flow);
	const name = flow.src_direction === 'ingress' ? flow.src_name : flow.dst_name;

	return [
		interfaceOf(flow, several),
		node('named', 1, flow.proto, outside(flow.proto), termFor('proto', flow.proto)),
		processOf(flow),
		node('named', 3, remote, outside(name ?? remote), termFor('ip', remote), { host: flow.host, remote_ip: remote }, name ? outside(remote) : ''),
	];
}

// ---- graph -----------------------------------------------------------------

const bump = (map, key, value) => map.set(key, (map.get(key) ?? 0) + value);

// What each interface moved that is in no flow shown: [[interface row, bit/s]].
function leftOf(snapshot, shown, way) {
	const rate = ({ ingress_bps: inbound, egress_bps: outbound }) =>
		(way === 'out' ? 0 : toNumber(inbound) ?? 0) + (way === 'in' ? 0 : toNumber(outbound) ?? 0);

	return snapshot.interfaces
		.map((row) => [row, rate(row) - (shown.get(interfaceOf(row, false).id) ?? 0)])
		.filter(([, rest]) => rest > 0);
}

// Weights of nodes that outlive a snapshot -> Set(ids on top) of each stage.
function createRanks() {
	let weights = new Map();

	return {
		update(sums) {
			const next = new Map();

			for (const id of new Set([...weights.keys(), ...sums.keys()])) {
				const old = weights.get(id);
				const now = sums.get(id) ?? 0;
				const weight = old === undefined ? now : KEEP * old + (1 - KEEP) * now;

				if (weight >= 1)
					next.set(id, weight);
			}
			weights = next;
		},
		weight: (id) => weights.get(id) ?? 0,
		forget() {
			weights = new Map();
		},
	};
}

function topOf(paths, ranks) {
	return STAGES.map((name, stage) => {
		const ids = new Set(paths.map(({ nodes }) => nodes[stage]).filter(({ kind }) => kind === 'named').map(({ id }) => id));

		return new Set([...ids].sort((a, b) => ranks.weight(b) - ranks.weight(a)).slice(0, MOST[stage]));
	});
}

/*
 * -> { update(snapshot, way): { nodes: [{ id, kind, stage, label, value, weight, href, count }],
 * links: [{ id, source, target (ids), proto, colour, value, href }], total, unsplit }, forget() }
 * kind: named, others (too small to be shown alone), unknown (no process is known), left (in no flow of the snapshot).
 * unsplit: bit/s of flows whose way is not known. All values in bit/s.
 */
export function createSankeyGraph() {
	const flowRates = createFlowRates();
	const ranks = createRanks();
	let wayBefore = null;

	function pathsOf(snapshot, way) {
		const rates = flowRates.see(snapshot);
		const several = snapshot.hosts.length > 1;
		let unsplit = 0;
		const paths = [];

		for (const flow of snapshot.flows) {
			const { both, [way]: value } = rates.get(flow) ?? { both: 0 };

			if (value === null || value === undefined)
				unsplit += both;
			else if (value > 0)
				paths.push({ nodes: pathOf(flow, several), value });
		}
		return { paths, unsplit };
	}

	function rank(paths, way) {
		const sums = new Map();

		if (way !== wayBefore)
			ranks.forget();
		wayBefore = way;
		paths.forEach(({ nodes, value }) => nodes.forEach(({ id }) => bump(sums, id, value)));
		ranks.update(sums);
		return sums;
	}

	return {
		update(snapshot, way) {
			const { paths, unsplit } = pathsOf(snapshot, way);
			const sums = rank(paths, way);
			const graph = build(paths, topOf(paths, ranks), ranks);

			for (const [row, rest] of unsplit > 0 ? [] : leftOf(snapshot, sums, way))
				graph.leave(interfaceOf(row, snapshot.hosts.length > 1), rest);
			return { ...graph.finish(), unsplit };
		},
	};
}

function build(paths, top, ranks) {
	const nodes = new Map();
	const links = new Map();
	const protocols = [...top[1]];

	function take(one) {
		const isTop = one.kind !== 'named' || top[one.stage].has(one.id);
		const kept = isTop ? one : node('others', one.stage, '', 'others');
		const there = nodes.get(kept.id) ?? { ...kept, members: new Set(), value: 0, weight: kept.kind === 'named' ? ranks.weight(kept.id) : -1 };

		nodes.set(kept.id, there);
		there.members.add(kept === one ? one.row?.pid ?? null : one.id);
		return there;
	}

	function link(source, target, proto, value) {
		const id = JSON.stringify([source.id, target.id, proto.id]);
		const place = protocols.indexOf(proto.id);

		if (!links.has(id))
			links.set(id, {
				id, source: source.id, target: target.id, proto: proto.label, colour: place < 0 ? COLOURS : place % COLOURS, value: 0,
				href: formatRoute('flows', { filter: [...new Set([source.term, proto.term, target.term])].filter(Boolean).join(' ') }),
			});
		links.get(id).value += value;
	}

	for (const { nodes: path, value } of paths) {
		const steps = path.map(take);

		steps.forEach((step) => { step.value += value; });
		for (let stage = 1; stage < steps.length; stage++)
			link(steps[stage - 1], steps[stage], steps[1], value);
	}
	return {
		// Bytes that came through an interface and are in no flow shown.
		leave(at, rest) {
			if (top[0].size < MOST[0])
				top[0].add(at.id);
			const from = take(at);
			const left = take(node('left', 1, '', 'in no flow shown'));

			from.value += rest;
			left.value += rest;
			link(from, left, left, rest);
		},
		finish() {
			const all = [...nodes.values()].map(({ members, ...one }) => ({ ...one, count: members.size, href: hrefOf(one, members) }));

			return { nodes: all, links: [...links.values()], total: all.reduce((sum, one) => sum + (one.stage === 0 ? one.value : 0), 0) };
		},
	};
}

// Where a click leads: to the process or host itself, else to the flows.
function hrefOf({ kind, stage, term, row }, members) {
	if (kind === 'left')
		return '#/overview';
	if (kind === 'named' && stage === 2)
		return members.size === 1 && toNumber(row.pid) !== null ? processHref(row) : formatRoute('processes', { filter: term });
	if (kind === 'named' && stage === 3)
		return remoteHref(row);
	return formatRoute('flows', { filter: term });
}
