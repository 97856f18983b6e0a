// SPDX-License-Identifier: MIT
// The part of a snapshot that the host's probes give, for the flows of the imagined network in traffic.mjs.

const OVERHEAD = 0.06;	// of what is on the wire: headers, which no process sends
const CONNECTIONS_SHOWN = 400;
const LATENCY_S = 60;
const REMOTES_SHOWN = 10;

// Who serves or opens a kind of flow, by its destination and port.
const OWNERS = new Map(Object.entries({
	'web 443': [812, 'nginx', 33], 'web 80': [812, 'nginx', 33], 'web 22': [655, 'sshd', 0], 'db 5432': [1204, 'python3', 998],
	'cache 6379': [1204, 'python3', 998], 'store 9000': [1204, 'python3', 998], 'backup 873': [20417, 'rsync', 0],
	'dns 53': [488, 'systemd-resolve', 101], 'ntp 123': [502, 'chronyd', 102],
}));

// What is dropped: [reason, code, proto, location, packets a second at a busy moment]
const DROPS = [
	['NO_SOCKET', 3, 'TCP', 'tcp_v4_rcv', 5], ['NO_SOCKET', 3, 'UDP', '__udp4_lib_rcv', 2],
	['NETFILTER_DROP', 9, 'TCP', 'nft_do_chain', 9], ['TCP_OLD_DATA', 27, 'TCP', 'tcp_data_queue', 1],
	['SOCKET_RCVBUFF', 17, 'UDP', 'udp_queue_rcv_one_skb', 3], ['QDISC_DROP', 44, 'TCP', '__dev_queue_xmit', 4],
	['TCP_OFOMERGE', 29, 'TCP', 'tcp_data_queue_ofo', 1], ['0x30001', 0x30001, null, null, 1],
];

// The kernel's buckets: 32 to an octave, [upper bound of the one that holds us].
export function bucketOf(us) {
	const value = Math.max(0, Math.floor(us));
	const size = value < 32 ? 1 : 2 ** (Math.floor(Math.log2(value)) - 5);

	return Math.floor(value / size) * size + size - 1;
}

// The bound that at least this part of the samples does not exceed; null without samples.
export function percentile(buckets, part) {
	const all = buckets.reduce((sum, [, count]) => sum + count, 0);
	let seen = 0;

	for (const [upper, count] of buckets) {
		seen += count;
		if (seen >= part * all)
			return upper;
	}
	return null;
}

function merged(lists) {
	const sums = new Map();

	for (const [upper, count] of lists.flat())
		sums.set(upper, (sums.get(upper) ?? 0) + count);
	return [...sums].sort((a, b) => a[0] - b[0]);
}

const bits = (bytes) => bytes * 8;
const zero = () => ({ tx_bytes: 0, rx_bytes: 0, tx_calls: 0, rx_calls: 0, tx_bps: 0, rx_bps: 0 });

function add(row, tx, rx) {
	row.tx_bytes += tx;
	row.rx_bytes += rx;
	row.tx_bps += bits(tx);
	row.rx_bps += bits(rx);
	if ('tx_calls' in row) {
		row.tx_calls += Math.ceil(tx / 16384);
		row.rx_calls += Math.ceil(rx / 16384);
	}
}

const still = (rows) => [...rows].forEach((row) => Object.assign(row, { tx_bps: 0, rx_bps: 0 }));
const busiest = (rows) => [...rows].sort((a, b) => b.tx_bps + b.rx_bps - a.tx_bps - a.rx_bps);

function at(map, key, make) {
	if (!map.has(key))
		map.set(key, make());
	return map.get(key);
}

// -> { step(flows, totals, time) once a second, owner(flow), keys() of the snapshot }
export function createHostTraffic(random) {
	const before = new WeakMap();
	const processes = new Map();
	const remotes = new Map();
	const protocols = new Map();
	const connections = new Map();
	const ended = [];
	const drops = DROPS.map(([reason, reason_code, proto]) => ({ host: 'web1', reason, reason_code, proto, packets: 0, bytes: 0, pps: 0 }));
	const dropFlows = new Map();
	const unspecified = { packets: 0, bytes: 0, pps: 0 };
	const minutes = [];	// of seconds: Map(network -> buckets)
	const samples = new Map();
	const unowned = zero();
	const table = { connects: 0, accepts: 0, closed: 0, failed: 0 };
	let wire = { tx: 0, rx: 0 };
	let connects = [];
	let second = 0;

	const ownerOf = ({ hidden: { kind } }) => OWNERS.get(`${kind.dst} ${kind.port}`) ?? null;
	const sideOf = (flow, own) => (Boolean(flow.hidden.kind.out) === own ? 'src' : 'dst');

	// Bytes that the process behind a flow sent and received in this second.
	function moved(flow) {
		const now = { src: flow.src_bytes, dst: flow.dst_bytes };
		const last = before.get(flow) ?? { src: 0, dst: 0 };
		const part = (side) => Math.round((now[side] - last[side]) * (1 - OVERHEAD));

		before.set(flow, now);
		return { tx: part(sideOf(flow, true)), rx: part(sideOf(flow, false)) };
	}

	function account(flow, [pid, command, uid], { tx, rx }, time) {
		const remote = flow[`${sideOf(flow, false)}_ip`];
		const remote_port = flow[`${sideOf(flow, false)}_port`];
		const process = at(processes, pid, () => ({
			host: 'web1', pid, command, uid, ...zero(), connections: 0, first: time - 1000, last: time, parts: new Map(), kinds: new Map(),
		}));

		add(process, tx, rx);
		if (tx + rx > 0)
			process.last = time - 10;
		add(at(process.parts, `${remote} ${remote_port}`, () => ({ remote_ip: remote, remote_port, proto: flow.proto, tx_bytes: 0, rx_bytes: 0, tx_bps: 0, rx_bps: 0 })), tx, rx);
		add(at(process.kinds, flow.proto, () => ({ proto: flow.proto, tx_bytes: 0, rx_bytes: 0, tx_bps: 0, rx_bps: 0 })), tx, rx);
		add(at(protocols, flow.proto, () => ({ proto: flow.proto, ...zero() })), tx, rx);
		const host = at(remotes, remote, () => ({ host: 'web1', remote_ip: remote, tx_bytes: 0, rx_bytes: 0, tx_bps: 0, rx_bps: 0, pids: new Set(), connections: 0 }));

		add(host, tx, rx);
		host.pids.add(pid);
	}

	function connectionOf(flow, [pid, command, uid], time) {
		const out = Boolean(flow.hidden.kind.out);

		table[out ? 'connects' : 'accepts']++;
		connects.push({ host: 'web1', pid, command, uid, proto: flow.proto, dst_ip: flow.dst_ip, dst_port: flow.dst_port, direction: out ? 'egress' : 'ingress', opened: 1, failed: 0 });
		return {
			host: 'web1', state: 'open', reason: null, existing: second < 3, pid, command, uid, cgroup: `/system.slice/${command}.service`,
			cgroup_id: 4000 + pid, netns: 4026531840, direction: out ? 'egress' : 'ingress', ip_version: flow.ip_version, proto: flow.proto,
			src_ip: flow.src_ip, src_port: flow.src_port, dst_ip: flow.dst_ip, dst_port: flow.dst_port,
			service: { 443: 'https', 80: 'http', 22: 'ssh', 5432: 'postgresql', 873: 'rsync', 6379: null }[flow.dst_port] ?? null,
			started: time - 1000, ended: null, duration_ms: 0, bytes_sent: 0, bytes_received: 0, rtt_us: null, rtt_min_us: null, retransmits: 0,
		};
	}

	function end(row, state, reason, time) {
		Object.assign(row, { state, reason, ended: time - 20, duration_ms: time - 20 - row.started });
		table[state]++;
		ended.unshift(row);
		ended.length = Math.min(ended.length, CONNECTIONS_SHOWN);
	}

	function connect(flows, time) {
		const alive = new Set(flows);

		for (const [flow, row] of connections)
			if (!alive.has(flow)) {
				connections.delete(flow);
				end(row, 'closed', random() < 0.6 ? 'local' : 'remote', time);
			}
		if (second % 5 === 0) {
			const failed = connectionOf({ ...flows[0], src_ip: '192.0.2.10', src_port: 40000 + second, dst_ip: '10.20.0.99', dst_port: 5432, proto: 'TCP', ip_version: 4, hidden: { kind: { out: true } } }, [1204, 'python3', 998], time);

			connects.at(-1).failed = 1;
			end(failed, 'failed', ['refused', 'timed_out', 'unreachable', 'reset'][(second / 5) % 4], time);
		}
	}

	function timeAnswer(flow, now) {
		if (flow.proto !== 'TCP' || flow.pps === 0)
			return;
		const far = flow.hidden.kind.out ? 300 : 18000;
		const us = far * Math.exp((random() + random() + random() - 1.5) * 1.6) * (second % 90 > 75 ? 3 : 1);

		flow.rtt_us = Math.round(us);
		const remote = flow[`${sideOf(flow, false)}_ip`];
		const network = remote.includes(':') ? `${remote.split(':').slice(0, 3).join(':')}::/48` : `${remote.split('.').slice(0, 3).join('.')}.0/24`;

		for (const key of [null, network])
			at(now, key, () => []).push([bucketOf(us), 1]);
	}

	function drop(time) {
		const busy = 0.4 + Math.max(0, Math.sin(second / 17)) * 1.4;

		DROPS.forEach(([reason, reason_code, proto, location, rate], i) => {
			const n = Math.floor(rate * busy * random() * 1.6);

			drops[i].pps = n;
			drops[i].packets += n;
			drops[i].bytes += n * 74;
			for (let k = 0; k < n; k++) {
				const src_ip = `203.0.113.${1 + Math.floor(random() * 30)}`;
				const row = at(dropFlows, `${i} ${src_ip}`, () => ({
					host: 'web1', ifname: 'eth0', netns: 4026531840, ip_version: 4, proto, src_ip, src_port: proto ? 40000 + i : null, dst_ip: '192.0.2.10',
					dst_port: proto ? 8443 : null, reason, reason_code, location, packets: 0, bytes: 0, recent: 0, last: time,
				}));

				row.packets++;
				row.bytes += 74;
				row.recent++;
				row.last = time - Math.floor(random() * 900);
			}
		});
		Object.assign(unspecified, { packets: unspecified.packets + 12, bytes: unspecified.bytes + 12 * 60, pps: 12 });
	}

	function step(flows, totals, time) {
		const now = new Map();
		let owned = { tx: 0, rx: 0 };

		second++;
		connects = [];
		[...processes.values()].forEach((row) => {
			Object.assign(row, { tx_bps: 0, rx_bps: 0, connections: 0 });
			still(row.parts.values());
			still(row.kinds.values());
		});
		[...remotes.values()].forEach((row) => Object.assign(row, { tx_bps: 0, rx_bps: 0, connections: 0 }));
		still(protocols.values());
		dropFlows.forEach((row) => Object.assign(row, { recent: 0 }));
		connect(flows, time);
		for (const flow of flows) {
			const owner = ownerOf(flow);
			const bytes = moved(flow);

			flow.drops = flow.state === 'reset' ? flow.packets : 0;
			if (!owner)
				continue;
			Object.assign(flow, { pid: owner[0], command: owner[1] });
			account(flow, owner, bytes, time);
			owned = { tx: owned.tx + bytes.tx, rx: owned.rx + bytes.rx };
			timeAnswer(flow, now);
			if (flow.proto !== 'TCP')
				continue;
			const row = at(connections, flow, () => connectionOf(flow, owner, time));

			flow.retransmits = row.retransmits += random() < 0.004 ? 1 : 0;
			Object.assign(row, {
				duration_ms: time - row.started, bytes_sent: row.bytes_sent + bytes.tx, bytes_received: row.bytes_received + bytes.rx,
				rtt_us: flow.rtt_us, rtt_min_us: flow.rtt_us && Math.min(row.rtt_min_us ?? Infinity, flow.rtt_us),
			});
			processes.get(owner[0]).connections++;
			remotes.get(flow[`${sideOf(flow, false)}_ip`]).connections++;
		}
		const sent = totals.egress_bytes - wire.tx - owned.tx;
		const received = totals.ingress_bytes - wire.rx - owned.rx;

		wire = { tx: totals.egress_bytes, rx: totals.ingress_bytes };
		Object.assign(unowned, { tx_bps: 0, rx_bps: 0 });
		add(unowned, Math.max(0, sent), Math.max(0, received));
		drop(time);
		minutes.push(new Map([...now].map(([network, rows]) => [network, merged([rows])])));
		now.forEach((rows, network) => samples.set(network, (samples.get(network) ?? 0) + rows.length));
		if (minutes.length > LATENCY_S)
			minutes.shift();
	}

	function latencyRows() {
		return [...samples.keys()].map((network) => {
			const buckets = merged(minutes.map((minute) => minute.get(network) ?? []));

			return {
				host: 'web1', name: 'tcp_rtt', unit: 'us', network, count: buckets.reduce((sum, [, count]) => sum + count, 0),
				p50: percentile(buckets, 0.5), p95: percentile(buckets, 0.95), p99: percentile(buckets, 0.99), max: buckets.at(-1)?.[0] ?? null,
				total_count: samples.get(network), buckets: network === null ? minutes.at(-1)?.get(null) ?? [] : [],
			};
		}).sort((a, b) => (a.network === null ? -1 : b.network === null ? 1 : b.count - a.count));
	}

	function keys() {
		const { tx_bytes, rx_bytes, tx_bps, rx_bps } = unowned;
		const rows = busiest(processes.values());
		const open = [...connections.values()];

		return {
			processes: rows.map(({ parts, kinds, ...row }) => ({
				...row, remotes: busiest(parts.values()).slice(0, REMOTES_SHOWN).map((part) => ({ ...part })),
				protocols: [...kinds.values()].map(({ proto, tx_bytes: tx, rx_bytes: rx }) => ({ proto, tx_bytes: tx, rx_bytes: rx })),
			})),
			remotes: busiest(remotes.values()).map(({ pids, ...row }) => ({ ...row, processes: pids.size })),
			process_protocols: [...protocols.values()].map((row) => ({ ...row })),
			unowned: { tx_bytes, rx_bytes, tx_bps, rx_bps },
			process_table: { active: rows.length, limit: 1024, evicted: 0, evicted_tx_bytes: 0, evicted_rx_bytes: 0 },
			connections: [...ended, ...open].slice(0, CONNECTIONS_SHOWN).map((row) => ({ ...row })),
			connection_table: { active: ended.length + open.length, open: open.length, limit: 16384, evicted: 0, ...table },
			connects, connects_left_out: 0,
			drops: drops.filter((row) => row.packets > 0).map((row) => ({ ...row })),
			drops_unspecified: { ...unspecified },
			drop_flows: [...dropFlows.values()].map((row) => ({ ...row })),
			latency: latencyRows(), latency_table: { active: samples.size, limit: 256, evicted: 0 },
			probes: ['connection', 'process', 'drop', 'latency'].map((probe) => ({ host: 'web1', probe, counters: {} })),
		};
	}

	return { step, keys };
}
