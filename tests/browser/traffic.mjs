// SPDX-License-Identifier: MIT
// Snapshots as aggregator writes them, of a small imagined network: the same seed, the same numbers.

import { createHostTraffic } from './host-traffic.mjs';

const HISTORY_S = 300;
const PACKETS_SHOWN = 50;

// mulberry32: small and good enough
export function createRandom(seed) {
	return () => {
		seed = (seed + 0x6d2b79f5) | 0;
		let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);

		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

// What a flow of each kind is like: how often it is made, who talks, bytes a second each way, bytes a packet.
const KINDS = [
	{ weight: 26, proto: 'TCP', dst: 'web', port: 443, up: 9e3, down: 120e3, size: 980, state: 'established' },
	{ weight: 6, proto: 'TCP', dst: 'web', port: 443, up: 2e3, down: 9e3, size: 420, state: 'established', six: true },
	{ weight: 4, proto: 'TCP', dst: 'web', port: 80, up: 1e3, down: 7e3, size: 610, state: 'closing' },
	{ weight: 5, proto: 'TCP', dst: 'db', port: 5432, up: 24e3, down: 62e3, size: 540, state: 'established', out: true },
	{ weight: 3, proto: 'TCP', dst: 'cache', port: 6379, up: 31e3, down: 44e3, size: 280, state: 'established', out: true },
	{ weight: 1, proto: 'TCP', dst: 'backup', port: 873, up: 0.7e6, down: 31e3, size: 1380, state: 'established', out: true },
	{ weight: 1, proto: 'TCP', dst: 'store', port: 9000, up: 22e3, down: 2.1e6, size: 1410, state: 'established', out: true },
	{ weight: 2, proto: 'TCP', dst: 'web', port: 22, up: 700, down: 2e3, size: 150, state: 'established' },
	{ weight: 4, proto: 'TCP', dst: 'web', port: 8443, up: 60, down: 0, size: 66, state: 'reset' },
	{ weight: 3, proto: 'TCP', dst: 'web', port: 443, up: 90, down: 60, size: 70, state: 'new' },
	{ weight: 8, proto: 'UDP', dst: 'dns', port: 53, up: 140, down: 320, size: 120, out: true },
	{ weight: 5, proto: 'UDP', dst: 'web', port: 443, up: 14e3, down: 160e3, size: 1190, six: true },
	{ weight: 2, proto: 'UDP', dst: 'ntp', port: 123, up: 9, down: 9, size: 90, out: true },
	{ weight: 2, proto: 'ICMP', dst: 'web', icmp: [8, 0], up: 98, down: 98, size: 98 },
	{ weight: 2, proto: 'ICMPv6', dst: 'web', icmp: [128, 0], up: 118, down: 118, size: 118, six: true },
];

const SERVERS = {
	web: ['192.0.2.10', '2001:db8:12::10'],
	db: ['10.20.0.31', 'fd12:20::31'],
	cache: ['10.20.0.32', 'fd12:20::32'],
	backup: ['10.20.9.5', 'fd12:20:9::5'],
	store: ['10.20.4.17', 'fd12:20:4::17'],
	dns: ['10.20.0.2', 'fd12:20::2'],
	ntp: ['10.20.0.3', 'fd12:20::3'],
};

function pick(random, kinds) {
	let at = random() * kinds.reduce((sum, kind) => sum + kind.weight, 0);

	return kinds.find((kind) => (at -= kind.weight) < 0) ?? kinds[0];
}

function makeFlow(random, now) {
	const kind = pick(random, KINDS);
	const far = Math.floor(random() * 200) + 2;
	const client = kind.six ? `2001:db8:${(0x40 + (far % 50)).toString(16)}::${far.toString(16)}` : `198.51.100.${far}`;
	const own = SERVERS.web[kind.six ? 1 : 0];
	const size = Math.exp((random() + random() + random() - 1.5) * 2.2);

	return {
		host: 'web1',
		ifname: kind.out ? 'eth1' : 'eth0',
		vlan: null,
		ip_version: kind.six ? 6 : 4,
		proto: kind.proto,
		src_ip: kind.out ? own : client,
		src_port: kind.icmp ? null : 32768 + Math.floor(random() * 28000),
		dst_ip: SERVERS[kind.dst][kind.six ? 1 : 0],
		dst_port: kind.port ?? null,
		src_direction: kind.out ? 'egress' : 'ingress',
		packets: 0, bytes: 0, src_packets: 0, src_bytes: 0, dst_packets: 0, dst_bytes: 0,
		first: now, last: now,
		state: kind.state ?? null,
		tcp_flags_src: kind.proto === 'TCP' ? (kind.state === 'new' ? 'S' : kind.state === 'closing' ? 'FSPA' : 'SPA') : null,
		tcp_flags_dst: kind.proto === 'TCP' ? (kind.state === 'reset' ? 'RA' : kind.state === 'new' ? '' : 'SPA') : null,
		icmp_type: kind.icmp?.[0] ?? null, icmp_code: kind.icmp?.[1] ?? null,
		fragment: false, pid: null, command: null, rtt_us: null, retransmits: null, drops: null, bps: 0, pps: 0,
		hidden: { kind, size, phase: random() * 6.28, pace: 20 + random() * 90 },
	};
}

function sum(rows, name) {
	return rows.reduce((total, row) => total + row[name], 0);
}

const START = Date.UTC(2025, 10, 13, 14, 0, 0);

// seconds of history come before the first snapshot; gap: [from, to), seconds of them without data; probes: the host's too
export function createTraffic({ seed = 1, flows = 220, limit = 1000, start = START, history = 0, gap = null, probes = true } = {}) {
	const random = createRandom(seed);
	const table = Array.from({ length: flows }, () => makeFlow(random, start));
	const cpus = [0, 1, 2, 3].map((cpu) => ({ host: 'web1', cpu, packets: 0, bytes: 0, pps: 0, bps: 0 }));
	const interfaces = ['eth0', 'eth1'].map((ifname) => ({
		host: 'web1', ifname, packets: 0, bytes: 0, ingress_packets: 0, ingress_bytes: 0, egress_packets: 0, egress_bytes: 0,
		ingress_pps: 0, ingress_bps: 0, egress_pps: 0, egress_bps: 0, packet_lines: 0, folded: 0, unattributed: 0,
		malformed: 0, ring_full: 0,
	}));
	const protocols = new Map();
	const past = [];
	const host = probes ? createHostTraffic(createRandom(seed + 1)) : null;
	let time = start;
	let seq = 0;
	let second = 0;

	function bump(target, packets, bytes) {
		target.packets += packets;
		target.bytes += bytes;
		target.pps += packets;
		target.bps += bytes * 8;
	}

	function count(name, packets, bytes) {
		if (!protocols.has(name))
			protocols.set(name, { proto: name, packets: 0, bytes: 0, pps: 0, bps: 0 });
		bump(protocols.get(name), packets, bytes);
	}

	// One direction of one flow in one second. ingress: from src, unless the flow goes out.
	function move(flow, side, packets, bytes, moment) {
		const kind = flow.hidden.kind;
		const way = (side === 'src') !== Boolean(kind.out) ? 'ingress' : 'egress';
		const card = interfaces.find((one) => one.ifname === flow.ifname);
		const lines = Math.min(packets, Math.round(packets * 0.04) + 1);

		flow[`${side}_packets`] += packets;
		flow[`${side}_bytes`] += bytes;
		bump(flow, packets, bytes);
		bump(cpus[(flow.src_port ?? 0) & 3], packets, bytes);
		count(flow.proto, packets, bytes);
		card.packets += packets;
		card.bytes += bytes;
		card[`${way}_packets`] += packets;
		card[`${way}_bytes`] += bytes;
		card[`${way}_pps`] += packets;
		card[`${way}_bps`] += bytes * 8;
		card.packet_lines += lines;
		card.folded += packets - lines;
		moment[`${way}_packets`] += packets;
		moment[`${way}_bytes`] += bytes;
	}

	// What has no addresses is in the totals and in no flow of a snapshot.
	function moveOther(name, packets, bytes, moment) {
		const card = interfaces[0];

		count(name, packets, bytes);
		bump(cpus[1], packets, bytes);
		card.packets += packets;
		card.bytes += bytes;
		card.ingress_packets += packets;
		card.ingress_bytes += bytes;
		card.ingress_pps += packets;
		card.ingress_bps += bytes * 8;
		card.packet_lines += packets;
		moment.ingress_packets += packets;
		moment.ingress_bytes += bytes;
	}

	function step() {
		const moment = { ingress_bytes: 0, egress_bytes: 0, ingress_packets: 0, egress_packets: 0 };
		const day = 0.72 + 0.16 * Math.sin(second / 41) + 0.55 * Math.exp(-((((second % 127) - 90) / 9) ** 2));

		[...table, ...cpus, ...protocols.values()].forEach((row) => Object.assign(row, { pps: 0, bps: 0 }));
		interfaces.forEach((row) => Object.assign(row, { ingress_pps: 0, ingress_bps: 0, egress_pps: 0, egress_bps: 0 }));
		for (const flow of table) {
			const { kind, size, phase, pace } = flow.hidden;
			const swing = Math.max(0, 0.75 + 0.5 * Math.sin(second / pace + phase) + 0.7 * (random() - 0.5)) * size * day;

			for (const [side, rate] of [['src', kind.up], ['dst', kind.down]]) {
				const bytes = Math.round(rate * swing);
				const packets = Math.ceil(bytes / kind.size);

				if (packets > 0)
					move(flow, side, packets, Math.max(bytes, packets * 60), moment);
			}
			flow.packets = flow.src_packets + flow.dst_packets;
			flow.bytes = flow.src_bytes + flow.dst_bytes;
			if (flow.pps > 0)
				flow.last = time + 900 + Math.round(random() * 99);
		}
		moveOther('ARP', 3, 180, moment);
		if (second % 4 === 0)
			moveOther('IGMP', 1, 60, moment);
		if (second % 30 === 0)
			moveOther('LLDP', 1, 343, moment);
		table[second % table.length] = makeFlow(random, time);
		past.push(gap && second >= gap[0] && second < gap[1] ? null : moment);
		second++;
		time += 1000;
		host?.step(table, { ingress_bytes: sum(interfaces, 'ingress_bytes'), egress_bytes: sum(interfaces, 'egress_bytes') }, time);
		return moment;
	}

	function packetOf(flow, index) {
		const back = random() < 0.5;

		return {
			timestamp: time - 1000 + index * 19 + random(), ifname: flow.ifname,
			direction: back === Boolean(flow.hidden.kind.out) ? 'ingress' : 'egress', cpu: Math.floor(random() * 4),
			ip_version: flow.ip_version, proto: flow.proto,
			src_ip: back ? flow.dst_ip : flow.src_ip, dst_ip: back ? flow.src_ip : flow.dst_ip,
			src_port: back ? flow.dst_port : flow.src_port, dst_port: back ? flow.src_port : flow.dst_port,
			length: Math.round(60 + random() * 1454), payload_length: Math.round(random() * 1400),
			tcp_flags: flow.proto === 'TCP' ? ['A', 'PA', 'A', 'S', 'FA'][Math.floor(random() * 5)] : null,
			icmp_type: flow.icmp_type, icmp_code: flow.icmp_code, ttl: back ? 64 : 52, vlan: flow.vlan, fragment: false,
			malformed: false,
		};
	}

	function historyNow() {
		const kept = past.slice(-HISTORY_S);
		const column = (name) => kept.map((moment) => (moment ? moment[name] : null));

		return {
			interval_ms: 1000, start: time - kept.length * 1000,
			ingress_bytes: column('ingress_bytes'), egress_bytes: column('egress_bytes'),
			ingress_packets: column('ingress_packets'), egress_packets: column('egress_packets'),
		};
	}

	function snapshot() {
		const busy = table.filter((flow) => flow.pps > 0).sort((a, b) => b.bps - a.bps || b.bytes - a.bytes);
		const rows = busy.concat(table.filter((flow) => flow.pps === 0)).slice(0, limit);
		const totals = Object.fromEntries(['packets', 'bytes', 'ingress_packets', 'ingress_bytes', 'egress_packets', 'egress_bytes']
			.map((name) => [name, sum(interfaces, name)]));
		const rates = Object.fromEntries(['ingress_pps', 'ingress_bps', 'egress_pps', 'egress_bps']
			.map((name) => [name, sum(interfaces, name)]));
		const lines = sum(interfaces, 'packet_lines');

		seq++;
		return {
			type: 'snapshot', schema: 1, timestamp: time, seq, interval_ms: 1000, final: false, host: 'web1', hosts: ['web1'],
			totals,
			rates: { pps: rates.ingress_pps + rates.egress_pps, bps: rates.ingress_bps + rates.egress_bps, ...rates },
			accounting: {
				packet_lines: lines, flow_packets: totals.packets - lines, unattributed: 0, total: totals.packets, before: 0, difference: 0,
			},
			interfaces: interfaces.map((row) => ({ ...row })),
			protocols: [...protocols.values()].map((row) => ({ ...row })).sort((a, b) => b.bytes - a.bytes),
			cpus: cpus.map((row) => ({ ...row })),
			flows: rows.map(({ hidden, ...flow }) => flow),
			flow_table: { active: table.length, limit: 65536, created: table.length + second, evicted: 0, expired: second },
			packets: busy.slice(0, PACKETS_SHOWN).map((flow, i) => packetOf(flow, i)),
			packets_left_out: 412 + (second % 37),
			history: historyNow(),
			...(host?.keys() ?? { processes: [], connections: [], drops: [], latency: [] }),
			losses: {
				unattributed: 0, ring_full: 0, malformed: 0, bad_lines: 0, bad_json: 0, too_long: 0, wrong_type: 0,
				unknown_type: 0, flows_evicted: 0,
				...(host && {
					processes_evicted: 0, connections_evicted: 0, connection_ring_full: 0, drop_ring_full: 0, drops_unattributed: 0,
					process_unattributed_bytes: 0, latency_unattributed: 0, drop_flows_evicted: 0, drop_rows_over: 0, latency_evicted: 0,
					hosts_over: 0, interfaces_over: 0, no_memory: 0,
				}),
			},
			input: { lines: lines + 400, packet: lines, flow: 380, counters: 19, hello: 1 },
		};
	}

	for (let i = 0; i < history; i++)
		step();
	return {
		next() {
			step();
			return snapshot();
		},
	};
}

// What attackers and accidents put where names go.
export const NASTY_NAMES = [
	'<img src=x onerror="window.pwned=1">',
	'"><script>window.pwned=1</script>',
	'&lt;b&gt; &amp; \' " ` ${7*7} {{7*7}}',
	'\u202egpj.exe\u202c',
	'שלום עולם مرحبا بالعالم',
	'🦈👩‍👩‍👧‍👦🏴‍☠️ e\u0301',
	`${'x'.repeat(255)}`,
	'\u0000\u0001\n\t\u001b[31mred\u007f',
	'\ufffd\ufffd',
	'__proto__',
	'constructor',
	'',
];

function nastyHost(base, name) {
	const wrong = [null, 7, {}, { pid: '<b>1</b>', command: { a: 1 }, remotes: 'x', protocols: [null], buckets: 5, network: 9, reason: [] }];

	return {
		processes: NASTY_NAMES.map((command, i) => ({
			...base.processes[i % base.processes.length], pid: 100 + i, command, uid: i % 2 ? null : 4294967295,
			remotes: [{ remote_ip: name(i + 1), remote_port: 443, proto: name(i + 2), tx_bytes: '9007199254740993' }],
		})).concat(wrong),
		remotes: base.remotes.map((row, i) => ({ ...row, remote_ip: i % 3 ? row.remote_ip : name(i) })).concat(wrong),
		process_protocols: NASTY_NAMES.map((proto) => ({ proto, tx_bytes: 1, rx_bytes: 2 })).concat(wrong),
		connections: base.connections.map((row, i) => ({
			...row, command: name(i), cgroup: name(i + 1), reason: name(i + 2), service: name(i + 3), state: i % 4 ? row.state : name(i + 4),
		})).concat(wrong),
		drops: NASTY_NAMES.map((reason, i) => ({ host: 'web1', reason, reason_code: i, proto: name(i + 1), packets: 10 + i, bytes: 700, pps: i }))
			.concat(wrong),
		drop_flows: base.drop_flows.map((row, i) => ({ ...row, reason: name(i), location: name(i + 1), ifname: name(i + 2), proto: name(i + 3) }))
			.concat(wrong),
		latency: base.latency.map((row, i) => ({ ...row, name: name(i), network: i ? name(i) : null, unit: i % 2 ? name(i) : 'us' })).concat(wrong),
		probes: [...base.probes, ...wrong],
	};
}

// A snapshot in which every name is one of these, and some values are not what they should be.
export function nastySnapshot(seq = 1) {
	const base = createTraffic({ seed: 7, flows: 60, history: 30 }).next();
	const name = (i) => NASTY_NAMES[i % NASTY_NAMES.length];

	return {
		...base,
		seq,
		host: name(0),
		hosts: NASTY_NAMES,
		interfaces: base.interfaces.map((row, i) => ({ ...row, ifname: name(i), host: name(i + 1), malformed: 3, ring_full: 17 })),
		protocols: [...base.protocols, ...NASTY_NAMES.map((proto) => ({ proto, packets: 1, bytes: 60, pps: 1, bps: 480 })), null, 7],
		cpus: [...base.cpus, { host: name(1), cpu: '<b>9</b>', packets: '9007199254740993', bytes: null, pps: 1 }],
		flows: base.flows.map((flow, i) => ({
			...flow, host: name(i + 2), ifname: name(i), command: name(i + 3), pid: i, state: name(i + 5), src_ip: i % 5 ? flow.src_ip : name(i),
			rtt_us: 1234.5, retransmits: 3, drops: i, vlan: 4094, bps: i % 7 ? flow.bps : null,
		})).concat([{}, { proto: 5, src_ip: 5, bps: 'many' }]),
		...nastyHost(base, name),
		packets: base.packets.map((packet, i) => ({ ...packet, ifname: name(i), tcp_flags: name(i + 1), malformed: true })),
		losses: { ...base.losses, bad_lines: 5, bad_json: 2, too_long: 1, wrong_type: 2, unattributed: 12 },
		accounting: { ...base.accounting, before: 1000, difference: -12 },
		history: {
			...base.history,
			ingress_bytes: [null, ...base.history.ingress_bytes.slice(1, 9), 'x', ...base.history.ingress_bytes.slice(10)],
		},
		packets_left_out: 4271,
		unknown_key: { deep: ['<script>window.pwned=1</script>'] },
	};
}
