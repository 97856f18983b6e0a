// SPDX-License-Identifier: MIT
// The page's pure parts, without a browser.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { createPast } from '../../web/js/core/past.mjs';
import { createStore } from '../../web/js/core/store.mjs';
import { createEngine } from '../../web/js/engine/engine.mjs';
import { createFeed } from '../../web/js/engine/feed.mjs';
import { verdict } from '../../web/js/lib/accounting.mjs';
import { addressKey, isInNetwork, parseAddress, parseNetwork } from '../../web/js/lib/address.mjs';
import { cellOf, cellsOf, strength } from '../../web/js/lib/buckets.mjs';
import { flowColumns, packetColumns, sumOf } from '../../web/js/lib/columns.mjs';
import { byUrgency, countStates } from '../../web/js/lib/connections.mjs';
import { fileName, toCsv, toJson } from '../../web/js/lib/export.mjs';
import * as format from '../../web/js/lib/format.mjs';
import { parseFilter, termOf, withTerm } from '../../web/js/lib/filter.mjs';
import { freshness } from '../../web/js/lib/freshness.mjs';
import { lonely, mirrored, peakOf, seriesOf } from '../../web/js/lib/history.mjs';
import * as host from '../../web/js/lib/host-columns.mjs';
import * as keys from '../../web/js/lib/keys.mjs';
import { lossLevel, lossRows, lossSentence } from '../../web/js/lib/losses.mjs';
import {
	UNSPECIFIED, busiestReasons, createMemory, dropSeries, inOrder, latencyNames, latencySeries,
} from '../../web/js/lib/memory.mjs';
import { createPacketLog } from '../../web/js/lib/packet-log.mjs';
import { coverage, dropSums, pointsOf, protocolSums, ratesOf } from '../../web/js/lib/past.mjs';
import { LOAD, hintOf, isLoaded } from '../../web/js/lib/probes.mjs';
import { LIVE, boundsOf, choicesTo, fromInput, isFrozen, isLive, parseRange, rangeText, rangeWords, toInput, windowOf } from '../../web/js/lib/range.mjs';
import { createRateLog } from '../../web/js/lib/rate-log.mjs';
import { processesOf } from '../../web/js/lib/remotes.mjs';
import { formatRoute, formatSort, parseRoute, parseSort } from '../../web/js/lib/route.mjs';
import { createSequence } from '../../web/js/lib/sequence.mjs';
import { readSnapshot } from '../../web/js/lib/snapshot.mjs';
import { sortRows } from '../../web/js/lib/sort.mjs';
import { logTicks } from '../../web/js/lib/ticks.mjs';
import { TOPICS, WATCHED } from '../../web/js/lib/topics.mjs';
import { rowsInSight } from '../../web/js/lib/window.mjs';
import { bucketOf, percentile } from './host-traffic.mjs';
import { NASTY_NAMES, createTraffic, nastySnapshot } from './traffic.mjs';

function table(check, rows) {
	for (const [input, expected] of rows)
		assert.deepEqual(check(input), expected, JSON.stringify(input));
}

// ---- format ----------------------------------------------------------------

test('format: three digits and a prefix', () => {
	table(format.bitRate, [
		[0, '0 bit/s'], [1, '1 bit/s'], [999, '999 bit/s'], [1000, '1.00 kbit/s'], [9994, '9.99 kbit/s'], [9996, '10.0 kbit/s'],
		[12345678, '12.3 Mbit/s'], [999499, '999 kbit/s'], [999500, '1.00 Mbit/s'], [99949, '99.9 kbit/s'], [99951, '100 kbit/s'],
		[1e12, '1.00 Tbit/s'], [2.5e21, '2500 Ebit/s'], [0.5, '0.50 bit/s'], [null, '–'], [NaN, '–'], [undefined, '–'], ['x', '–'],
		['1500', '1.50 kbit/s'],
	]);
	assert.equal(format.count(65536), '65.5 k');
	assert.equal(format.count(12), '12');
	assert.equal(format.bytes(1), '1 B');
	assert.deepEqual(format.parts(1234567, 'B'), { number: '1.23', unit: 'MB' });
});

test('format: exact numbers are whole and grouped', () => {
	table((value) => format.exact(value, 'packets'), [
		[0, '0 packets'], [1234567, '1,234,567 packets'], [2 ** 53 - 1, '9,007,199,254,740,991 packets'], [null, '–'],
	]);
	table(format.exact, [
		[-12, '-12'], [-1234, '-1,234'], [999, '999'], [1000, '1,000'], [100000, '100,000'], [1234567.25, '1,234,567.25'],
		[0.0625, '0.063'], [999.9999, '1,000'], [0.0001, '0'], [2 ** 63, '9,223,372,036,854,776,000'],
	]);
	const all = new Intl.NumberFormat('en', { maximumFractionDigits: 3 });

	for (let i = 0, number = 1; i < 200; i++, number = (number * 16807) % 2147483647)
		for (const value of [number, -number, number / 64, number * number])
			assert.equal(format.exact(value), all.format(value));
});

test('format: durations in two units', () => {
	table(format.duration, [
		[0, '0 ms'], [999, '999 ms'], [1000, '1.0 s'], [9949, '9.9 s'], [9990, '10 s'], [59600, '1 min'], [250000, '4 min 10 s'],
		[3600000, '1 h'], [7500000, '2 h 5 min'], [90061000, '1 d 1 h'], [-1, '–'], [null, '–'],
	]);
});

test('format: microseconds', () => {
	table(format.micros, [
		[0, '0 µs'], [87, '87 µs'], [999, '999 µs'], [1000, '1.00 ms'], [1234, '1.23 ms'], [99950, '100 ms'], [1e6, '1.00 s'],
		[134e6, '134 s'], [0.25, '0.25 µs'], [null, '–'], [-1, '–'], ['x', '–'],
	]);
	table(format.shortMicros, [[1000, '1 ms'], [1500, '1.5 ms'], [100000, '100 ms'], [20000, '20 ms'], [50, '50 µs']]);
});

test('format: shares', () => {
	assert.equal(format.percent(1, 0), '–');
	assert.equal(format.percent(0, 5), '0.0 %');
	assert.equal(format.percent(1, 100000), '< 0.1 %');
	assert.equal(format.percent(5, 5), '100 %');
	assert.equal(format.percent(1, 3), '33.3 %');
});

test('format: times that are none', () => {
	table(format.clock, [[null, '–'], [NaN, '–'], ['soon', '–'], [1e30, '–']]);
	assert.match(format.clockMs(1763704000123.456), /^\d\d:\d\d:\d\d\.123$/);
	assert.match(format.stamp(1763704000123.456), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.123$/);
});

test('format: names from outside hide nothing', () => {
	table(format.outside, [
		['eth0', 'eth0'], ['<img src=x>', '<img src=x>'], ['\u202egpj.exe', '\\u202egpj.exe'], ['a\u0000b\n\u001b', 'a␀b␊␛'],
		['\u007f', '␡'], ['\u200b', '\\u200b'], ['שלום', 'שלום'], ['🦈', '🦈'], ['', '–'], [null, '–'], [5, '5'],
	]);
});

test('format: endpoints', () => {
	assert.equal(format.endpoint('10.0.0.1', 443), '10.0.0.1:443');
	assert.equal(format.endpoint('fe80::1', 443), '[fe80::1]:443');
	assert.equal(format.endpoint('fe80::1', null), 'fe80::1');
	assert.equal(format.endpoint(null, 443), '–');
});

// ---- addresses -------------------------------------------------------------

test('addresses: what is one, and what is none', () => {
	const bytes = (text) => parseAddress(text)?.bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('') ?? null;

	table(bytes, [
		['10.0.0.1', '0a000001'], ['255.255.255.255', 'ffffffff'], ['256.0.0.1', null], ['1.2.3', null], ['1.2.3.4.5', null],
		['01.2.3.4', null], ['', null], ['::', '0'.repeat(32)], ['::1', `${'0'.repeat(31)}1`],
		['2001:db8::8:800:200c:417a', '20010db80000000000080800200c417a'], ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
		['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'], ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
		['1:2:3:4:5:6:7:8:9', null], ['1::2::3', null], ['1:2:3', null], [':::', null], ['12345::', null], ['g::', null],
		['1:2:3:4:5:6:7:8::', null], ['::1.2.3', null], ['1.2.3.4::', null],
	]);
	assert.equal(parseAddress(null), null);
	assert.equal(parseAddress(5), null);
});

test('addresses: networks match by prefix, at every length', () => {
	const holds = (network, address) => isInNetwork(parseNetwork(network), address);

	assert.ok(holds('10.0.0.0/8', '10.255.1.2'));
	assert.ok(!holds('10.0.0.0/8', '11.0.0.0'));
	assert.ok(holds('0.0.0.0/0', '203.0.113.9'));
	assert.ok(!holds('0.0.0.0/0', '::1'));
	assert.ok(holds('192.0.2.128/25', '192.0.2.129'));
	assert.ok(!holds('192.0.2.128/25', '192.0.2.127'));
	assert.ok(holds('2001:db8::/33', '2001:db8:7fff::1'));
	assert.ok(!holds('2001:db8::/33', '2001:db8:8000::1'));
	assert.ok(holds('::1', '0:0::1'));
	assert.ok(!holds('10.0.0.0/8', 'not an address'));
	assert.ok(!holds('10.0.0.0/8', null));
	for (const bad of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/-1', 'x/8', '::/129'])
		assert.equal(parseNetwork(bad), null, bad);
});

test('addresses: sort by value', () => {
	const sorted = ['10.0.0.2', '::1', '9.0.0.0', '10.0.0.10', '2001:db8::', 'fe80::'];

	sorted.sort((a, b) => (addressKey(a) < addressKey(b) ? -1 : 1));
	assert.deepEqual(sorted, ['9.0.0.0', '10.0.0.2', '10.0.0.10', '::1', '2001:db8::', 'fe80::']);
	assert.equal(addressKey('web1'), null);
});

// ---- filter ----------------------------------------------------------------

const FLOW = {
	host: 'web1', ifname: 'eth0', vlan: 12, proto: 'TCP', src_ip: '10.1.2.3', src_port: 50000, dst_ip: '192.0.2.10', dst_port: 443,
	bps: 1500000, pps: 100, packets: 20, bytes: 4000, state: 'established', pid: 42, command: 'My Server', tcp_flags_src: 'SPA',
	rtt_us: null,
};

test('filter: terms that hold and terms that do not', () => {
	const cases = {
		'': true, '   ': true, tcp: true, TCP: true, udp: false, 'proto:tcp': true, 'proto:tcp,udp': true, 'proto:icmp,udp': false,
		'port:443': true, 'port:50000': true, 'port:80,443': true, 'port:80': false, 'port:400-500': true, 'dport:443': true,
		'sport:443': false, ':443': true, 443: true, 4433: false, 'ip:10.0.0.0/8': true, 'ip:192.0.2.10': true, 'ip:11.0.0.0/8': false,
		'src:10.': true, 'dst:10.': false, '10.1.2.3': true, '10.0.0.0/8': true, 'ip:fe80::/10': false, 'if:eth': true, 'if:wlan': false,
		'state:established': true, 'state:est': false, 'host:web': true, 'vlan:12': true, 'pid:42': true, 'command:server': true,
		'command:"my server"': true, '"my server"': true, '"tcp"': true, 'flags:pa': true, established: true, 'web1': true, '10.1.2': true,
		'!udp': true, '-tcp': false, '!port:443': false, 'tcp port:443 ip:10.0.0.0/8 server': true, 'tcp port:443 nothing': false,
		'bps>1M': true, 'bps>2M': false, 'bps>=1.5m': true, 'bps<1k': false, 'packets=20': true, 'bytes<=4k': true, 'rtt>0': false,
		'2001:db8::/32': false, 'fe80:': false, 'dead:beef': false, 'port:443,': true,
	};

	for (const [text, expected] of Object.entries(cases)) {
		const filter = parseFilter(text);

		assert.equal(filter.error, '', text);
		assert.equal(filter.test(FLOW), expected, text);
	}
});

test('filter: says what is wrong and lets everything pass', () => {
	for (const text of ['port:http', 'ip:10.0.0.0/33', 'ip:x', 'proto:', 'colour:red', 'bps>fast', 'dir:up', 'port:1-2-3', 'tcp port:x', 'dir:constructor']) {
		const filter = parseFilter(text);

		assert.notEqual(filter.error, '', text);
		assert.ok(filter.test(FLOW), text);
	}
	assert.ok(parseFilter('').empty);
	assert.ok(!parseFilter('tcp').empty);
});

test('filter: directions of packets, and rows without the field', () => {
	assert.ok(parseFilter('dir:in').test({ direction: 'ingress' }));
	assert.ok(!parseFilter('dir:out').test({ direction: 'ingress' }));
	for (const text of ['tcp', 'port:1', 'ip:10.', 'ip:10.0.0.0/8', 'bps>1', 'state:new', 'text'])
		assert.equal(parseFilter(text).test({}), false, text);
});

test('filter: any text gives an answer', () => {
	for (const text of ['"', '!', '-', '!!', ':', '::', 'port:"', '>', 'bps>', '__proto__:1', 'constructor:1', 'toString>1', '\\', '%', 'a'.repeat(500), '!"a b"c'])
		assert.equal(typeof parseFilter(text).test(FLOW), 'boolean', text);
});

test('filter: terms for what the host’s probes tell', () => {
	const failed = { state: 'failed', reason: 'timed_out', pid: 7, uid: 0, command: 'curl', dst_ip: '10.9.0.1', dst_port: 443, duration_ms: 3000, bytes_sent: 5 };
	const remote = { remote_ip: '2001:db8::7', remote_port: 53, rx_bps: 2e6, connections: 3 };
	const drop = { reason: 'NO_SOCKET', location: 'udp_queue_rcv_one_skb', packets: 5 };
	const network = { network: '10.0.0.0/24', p50: 1000, p99: 150000, count: 9 };

	for (const [row, text, expected] of [
		[failed, 'state:failed reason:timed pid:7 uid:0 command:curl ip:10.0.0.0/8 port:443', true], [failed, 'duration>2k sent<6', true],
		[failed, 'state:open', false], [remote, 'ip:2001:db8::/32 port:53 rx>1M connections>=3', true], [remote, 'tx>0', false],
		[remote, '2001:db8::7', true], [drop, 'reason:no_sock location:udp_ packets=5', true], [drop, 'no_socket', true],
		[network, 'network:10.0.0 p99>100k p50<=1k count>5', true], [network, 'p95>0', false],
	])
		assert.equal(parseFilter(text).test(row), expected, text);
});

test('filter: one term is put in, changed, taken out, read', () => {
	table(([text, value]) => withTerm(text, 'state', value), [
		[['', 'failed'], 'state:failed'], [['pid:7', 'open'], 'pid:7 state:open'], [['state:open pid:7', 'failed'], 'pid:7 state:failed'],
		[['pid:7 state:open x', ''], 'pid:7 x'], [['!state:closed', ''], ''], [['state:"a b" y', ''], 'y'],
	]);
	table((text) => termOf(text, 'state'), [
		['state:failed', 'failed'], ['pid:7 STATE:Open x', 'open'], ['!state:open', ''], ['state:a state:b', ''], ['', ''], ['mystate:x', ''],
	]);
});

// ---- sort, window, route -----------------------------------------------------

test('sort: by value, missing last in both directions, equal rows keep their order', () => {
	const rows = [{ n: 2, i: 0 }, { n: null, i: 1 }, { n: 10, i: 2 }, { n: 2, i: 3 }, { i: 4 }, { n: NaN, i: 5 }, { n: 'x', i: 6 }];
	const order = (descending) => sortRows(rows, (row) => row.n, descending).map((row) => row.i);

	assert.deepEqual(order(false), [0, 3, 2, 6, 1, 4, 5]);
	assert.deepEqual(order(true), [6, 2, 0, 3, 1, 4, 5]);
	assert.equal(rows[0].i, 0);
});

test('window: only rows in sight, never outside the table', () => {
	assert.deepEqual(rowsInSight(0, 280, 28, 10000), { first: 0, last: 22 });
	assert.deepEqual(rowsInSight(2800, 280, 28, 10000), { first: 94, last: 116 });
	assert.deepEqual(rowsInSight(280000, 280, 28, 10000), { first: 9978, last: 10000 });
	assert.deepEqual(rowsInSight(500, 280, 28, 3), { first: 0, last: 3 });
	assert.deepEqual(rowsInSight(0, 280, 28, 0), { first: 0, last: 0 });
});

test('route: there and back', () => {
	const views = ['overview', 'flows'];

	assert.deepEqual(parseRoute('', views), { view: 'overview', params: {} });
	assert.deepEqual(parseRoute('#/nowhere?x=1', views), { view: 'overview', params: { x: '1' } });
	const params = { filter: 'tcp port:443 & "a?b"', sort: '-bps' };
	assert.deepEqual(parseRoute(formatRoute('flows', params), views), { view: 'flows', params });
	assert.equal(formatRoute('flows', { filter: '' }), '#/flows');
	assert.deepEqual(parseSort('-bps', ['bps']), { id: 'bps', descending: true });
	assert.equal(parseSort('-nothing', ['bps']), null);
	assert.equal(formatSort({ id: 'bps', descending: false }), 'bps');
});

// ---- snapshots -----------------------------------------------------------------

test('sequence: gaps are lost frames, repeats are not fresh, a restart loses nothing', () => {
	const sequence = createSequence();

	assert.deepEqual(sequence.see(5), { fresh: true, lost: 0 });
	assert.deepEqual(sequence.see(6), { fresh: true, lost: 0 });
	assert.deepEqual(sequence.see(6), { fresh: false, lost: 0 });
	assert.deepEqual(sequence.see(10), { fresh: true, lost: 3 });
	assert.deepEqual(sequence.see(1), { fresh: true, lost: 0 });
	assert.deepEqual(sequence.see(2), { fresh: true, lost: 0 });
	assert.deepEqual(sequence.see(2, 5), { fresh: true, lost: 0 });
	assert.deepEqual(sequence.see(2, 5), { fresh: false, lost: 0 });
	assert.deepEqual(sequence.see(2, 6), { fresh: true, lost: 0 });
	assert.deepEqual(sequence.see(null), { fresh: true, lost: 0 });
	sequence.forget();
	assert.deepEqual(sequence.see(50), { fresh: true, lost: 0 });
});

test('snapshot: whatever comes in, the shape is whole', () => {
	for (const raw of [{}, { totals: null, flows: 'x', hosts: 5, history: [] }, { flows: [null, 1, 'x', {}], history: { start: 5 } }, nastySnapshot()]) {
		const snapshot = readSnapshot(raw);

		for (const name of ['interfaces', 'protocols', 'cpus', 'flows', 'packets', 'hosts'])
			assert.ok(Array.isArray(snapshot[name]), name);
		assert.ok(snapshot.interval_ms > 0);
		for (const rows of [snapshot.flows.map((row) => [flowColumns, row]), snapshot.packets.map((row) => [packetColumns, row])])
			for (const [columns, row] of rows)
				for (const column of columns) {
					assert.equal(typeof column.text(row), 'string', column.id);
					assert.equal(typeof (column.exact ?? column.text)(row), 'string', column.id);
					assert.match(column.tone?.(row) ?? '', /^[a-z]*$/);
					column.value(row);
				}
		seriesOf(snapshot, 'bits');
		sumOf(snapshot.cpus);
	}
	for (const raw of [null, 5, 'x', []])
		assert.equal(readSnapshot(raw), null);
	assert.equal(readSnapshot({ totals: { packets: '9007199254740993' } }).totals.packets, 9007199254740992);
});

test('snapshot: the imagined network adds up', () => {
	const traffic = createTraffic({ history: 5 });

	for (let i = 0; i < 3; i++) {
		const { totals, accounting, protocols, cpus, history } = readSnapshot(traffic.next());

		assert.equal(accounting.packet_lines + accounting.flow_packets + accounting.unattributed, totals.packets);
		assert.equal(sumOf(protocols).packets, totals.packets);
		assert.equal(sumOf(cpus).bytes, totals.bytes);
		assert.equal(history.ingress_bytes.length, 6 + i);
	}
});

function withHistory(values, { start = 10000, timestamp = start + values.length * 1000, ...more } = {}) {
	const history = { interval_ms: 1000, start, ingress_bytes: values, egress_bytes: values, ingress_packets: values, egress_packets: values };

	return readSnapshot({ timestamp, history, ...more });
}

test('history: nothing is invented', () => {
	const series = seriesOf(withHistory([1, null, 3, 'x', 0]), 'bits');

	assert.deepEqual(series.times, [10, 11, 12, 13, 14]);
	assert.deepEqual(series.inbound, [8, null, 24, null, 0]);
	assert.equal(series.end, 15);
	assert.deepEqual(mirrored(series)[2], [-8, null, -24, null, -0]);
	assert.equal(series.outbound[0], 8);
	assert.deepEqual(seriesOf(withHistory([1, 2]), 'packets').inbound, [1, 2]);
	assert.equal(peakOf(series.inbound), 24);
	assert.equal(peakOf([null]), null);
	assert.deepEqual(lonely([1, null, 3, 4, null, 5]), [0, 5]);
});

test('history: a second that still runs is not drawn', () => {
	assert.equal(seriesOf(withHistory([1, 2, 3], { timestamp: 12500 }), 'bits').times.length, 2);
	assert.equal(seriesOf(withHistory([1, 2, 3], { timestamp: 13000 }), 'bits').times.length, 3);
	assert.equal(seriesOf(withHistory([1, 2, 3], { timestamp: 12500, final: true }), 'bits').times.length, 3);
	assert.equal(seriesOf(withHistory([1, 2, 3], { timestamp: 5 }), 'bits').times.length, 0);
	assert.equal(seriesOf(readSnapshot({}), 'bits').times.length, 0);
});

test('packets: the newest first, a bounded number, and all that is not shown', () => {
	const log = createPacketLog(3);

	log.add([{ a: 1 }, { a: 2 }], 10);
	log.add([{ a: 3 }, { a: 4 }], 5);
	assert.deepEqual(log.rows().map((row) => row.a), [4, 3, 2]);
	assert.deepEqual(log.counts(), { seen: 4, leftOut: 15, lastShown: 2, lastLeftOut: 5 });
});

test('losses: a cause that is hit is seen, what is not known is not zero', () => {
	const page = { framesLost: 0, framesBroken: 0 };
	const state = (losses, more = {}) => ({ snapshot: readSnapshot({ losses }), httpd: null, page, ...more });
	const clean = { unattributed: 0, ring_full: 0, malformed: 0, bad_json: 0, too_long: 0, wrong_type: 0, unknown_type: 0, flows_evicted: 0 };

	assert.equal(lossLevel(lossRows(state({}))), 'unknown');
	assert.match(lossSentence(lossRows(state(clean))), /^None of \d+ causes was hit; of \d+ it is not known\.$/);
	assert.match(lossSentence(lossRows(state({ ...clean, ring_full: 1 }))), /^1 of \d+ causes was hit;/);
	assert.equal(lossLevel(lossRows(state(clean))), 'none');
	assert.equal(lossLevel(lossRows(state({ ...clean, ring_full: 1 }))), 'note');
	assert.equal(lossLevel(lossRows(state({ ...clean, bad_json: 1 }))), 'lost');
	assert.equal(lossLevel(lossRows(state(clean, { page: { ...page, framesLost: 2 } }))), 'note');
	assert.equal(lossRows(state(clean)).find((row) => row.id === 'httpd_frames').count, null);
	assert.equal(lossRows(state(clean, { httpd: { frames_lost: 7 } })).find((row) => row.id === 'httpd_frames').count, 7);
});

test('accounting: exact, to be read, off, unknown', () => {
	const level = (accounting) => verdict(readSnapshot({ accounting }).accounting)[0];

	assert.equal(level({ total: 5, difference: 0 }), 'exact');
	assert.equal(level({ total: 0, difference: 0 }), 'exact');
	assert.equal(level({ total: 5, difference: 2 }), 'pending');
	assert.equal(level({ total: 5, difference: -2 }), 'off');
	assert.equal(level({}), 'none');
});

test('freshness: live, late, ended, gone, refused, waiting', () => {
	const live = {
		link: 'open', mode: 'events', problem: '', ended: false, receivedAt: 1000, now: 1500, timestamp: 1763704000000, seq: 1,
		intervalMs: 1000, final: false,
	};
	const level = (change) => freshness({ ...live, ...change }).level;

	assert.equal(level({}), 'live');
	assert.equal(level({ now: 6000 }), 'live');
	assert.equal(level({ now: 6001 }), 'stale');
	assert.equal(level({ now: 6001, intervalMs: 10000 }), 'live');
	assert.equal(level({ intervalMs: 100, now: 3900 }), 'live');
	assert.equal(level({ ended: true }), 'stale');
	assert.equal(level({ final: true }), 'stale');
	assert.equal(level({ link: 'down' }), 'gone');
	assert.equal(level({ link: 'refused', problem: '401' }), 'gone');
	assert.equal(level({ receivedAt: null }), 'waiting');
	assert.equal(level({ receivedAt: null, link: 'connecting' }), 'waiting');
	assert.equal(level({ receivedAt: null, link: 'down' }), 'gone');
	assert.match(freshness({ ...live, receivedAt: null }).command, /reader \| aggregator \| httpd/);
	assert.equal(freshness({ ...live, mode: 'polling' }).word, 'Polling');
});

// ---- what the host's probes tell ---------------------------------------------------

const HOST_TABLES = (snapshot) => [
	[host.processColumns(() => ({ rate: 1 })), snapshot.processes], [host.remoteColumns(() => ({ rate: 0 })), snapshot.remotes],
	[host.processRemoteColumns, snapshot.processes.flatMap((row) => row.remotes)],
	[host.processProtocolColumns, snapshot.process_protocols], [host.connectionColumns, snapshot.connections],
	[host.dropColumns(() => sumOf(snapshot.drops)), snapshot.drops], [host.dropFlowColumns, snapshot.drop_flows],
	[host.latencyColumns, snapshot.latency],
];

test('host: every cell of every table is text, whatever came', () => {
	for (const raw of [{}, createTraffic({ history: 30 }).next(), nastySnapshot()])
		for (const [columns, rows] of HOST_TABLES(readSnapshot(raw)))
			for (const column of columns)
				for (const row of [...rows, {}]) {
					assert.equal(typeof column.text(row), 'string', column.id);
					assert.equal(typeof (column.exact ?? column.text)(row), 'string', column.id);
					assert.doesNotMatch(column.text(row) + (column.exact ?? column.text)(row), /[\u0000\u202a-\u202e]/);
					assert.match(column.tone?.(row) ?? '', /^[a-z]*$/);
					assert.match(column.link?.(row) ?? '#/', /^#\//);
					assert.equal(typeof (column.share?.(row) ?? 0), 'number');
					column.value(row);
				}
	host.sumRates(readSnapshot(nastySnapshot()).processes);
});

test('host: the imagined processes add up to the wire', () => {
	const traffic = createTraffic({ history: 20 });
	const before = readSnapshot(traffic.next());
	const now = readSnapshot(traffic.next());
	const sum = (rows, name) => rows.reduce((all, row) => all + row[name], 0);

	for (const [side, way] of [['tx', 'egress'], ['rx', 'ingress']]) {
		assert.equal(sum(now.processes, `${side}_bytes`) + now.unowned[`${side}_bytes`], now.totals[`${way}_bytes`]);
		assert.equal(sum(now.process_protocols, `${side}_bytes`), sum(now.processes, `${side}_bytes`));
		assert.equal(sum(now.remotes, `${side}_bytes`), sum(now.processes, `${side}_bytes`));
		assert.equal(8 * (sum(now.processes, `${side}_bytes`) - sum(before.processes, `${side}_bytes`)), sum(now.processes, `${side}_bps`));
	}
	assert.equal(sum(now.drops, 'packets'), sum(now.drop_flows, 'packets'));
});

test('keys: a link finds its row again, in any table, whatever its names', () => {
	const snapshot = readSnapshot(createTraffic({ history: 10 }).next());

	for (const [key, rows] of [
		[keys.flowKey, snapshot.flows], [keys.processKey, snapshot.processes], [keys.remoteKey, snapshot.remotes],
		[keys.connectionKey, snapshot.connections],
	])
		assert.equal(new Set(rows.map(key)).size, rows.length, key.name);
	for (const command of NASTY_NAMES) {
		const row = { pid: 7, command, host: 'web1' };
		const { view, params } = parseRoute(keys.processHref(row), ['overview', 'processes']);

		assert.deepEqual([view, params.open], ['processes', keys.processKey(row)]);
	}
	assert.equal(keys.processHref({ pid: null }), null);
	assert.equal(keys.remoteHref({}), null);
});

test('probes: what is not loaded is said, with what loads it', () => {
	const none = readSnapshot({ timestamp: 1 });
	const some = readSnapshot({ timestamp: 1, probes: [{ probe: 'drop', counters: null }] });

	assert.deepEqual(hintOf(readSnapshot({}), 'drop', 'quiet'), ['No snapshot yet.']);
	assert.equal(hintOf(none, 'drop', 'quiet')[1], LOAD);
	assert.match(LOAD, /loader --probe all eth0$/);
	assert.deepEqual(hintOf(some, 'drop', 'quiet'), ['quiet']);
	assert.ok(isLoaded(some, 'drop') && !isLoaded(some, 'process'));
});

test('connections: failures first, then the newest; states counted', () => {
	const rows = [{ state: 'open', started: 5 }, { state: 'failed', started: 1, ended: 2 }, { state: 'closed', started: 1, ended: 9 }, { state: 'failed', started: 3 }, {}];

	assert.deepEqual(byUrgency(rows), [rows[3], rows[1], rows[2], rows[0], rows[4]]);
	assert.deepEqual([...countStates(rows)], [['failed', 2], ['connecting', 0], ['open', 1], ['closed', 1]]);
});

test('remotes: the processes that talk with one, with their part of it', () => {
	const processes = [
		{ host: 'a', pid: 1, command: 'x', remotes: [{ remote_ip: '1.1.1.1', tx_bytes: 3, rx_bytes: 1 }, { remote_ip: '1.1.1.1', tx_bytes: 4 }, { remote_ip: '2.2.2.2', tx_bytes: 99 }] },
		{ host: 'b', pid: 1, command: 'x', remotes: [{ remote_ip: '1.1.1.1', tx_bytes: 50 }] }, { host: 'a', pid: 2, remotes: [] },
	];

	assert.deepEqual(processesOf(processes, { host: 'a', remote_ip: '1.1.1.1' }).map(({ pid, tx_bytes: tx, rx_bytes: rx }) => [pid, tx, rx]), [[1, 7, 1]]);
});

test('buckets: cells hold whole buckets and lose none', () => {
	table(cellOf, [
		[0, { low: 0, high: 0 }], [1, { low: 1, high: 1 }], [3, { low: 3, high: 3 }], [4, { low: 4, high: 4 }], [8, { low: 8, high: 9 }],
		[33, { low: 32, high: 39 }], [1023, { low: 896, high: 1023 }], [1024 + 31, { low: 1024, high: 1279 }],
	]);
	for (let us = 0; us < 70000; us += 1 + (us >> 6)) {
		const upper = bucketOf(us);
		const cell = cellOf(upper);

		assert.ok(upper >= us && upper <= us * 1.032 + 1, us);
		assert.ok(cell.low <= us && us <= upper && upper <= cell.high, us);
	}
	assert.deepEqual(cellsOf([[33, 2], [32, 1], [40, 5]]), [{ low: 32, high: 39, count: 3 }, { low: 40, high: 47, count: 5 }]);
	assert.equal(percentile([[10, 1], [20, 98], [30, 1]], 0.99), 20);
	assert.equal(strength(0, 5), 0);
	assert.equal(strength(5, 5), 1);
	assert.ok(strength(1, 1000) > 0.1 && strength(1, 1) === 1);
});

test('ticks: round numbers within the range, few of them', () => {
	assert.deepEqual(logTicks(90, 11000), [100, 200, 500, 1000, 2000, 5000, 10000]);
	assert.deepEqual(logTicks(9, 11000), [10, 30, 100, 300, 1000, 3000, 10000]);
	assert.deepEqual(logTicks(1, 1e6), [1, 10, 100, 1000, 10000, 100000, 1e6]);
	assert.deepEqual(logTicks(15, 180), [20, 50, 100]);
	for (const [low, high] of [[0, 5], [5, 5], [-1, 9], [NaN, 5], [null, null]])
		assert.deepEqual(logTicks(low, high), []);
});

const dropsAt = (timestamp, packets, more = {}) => readSnapshot({
	timestamp, interval_ms: 1000, probes: [{ probe: 'drop' }, { probe: 'latency' }],
	drops: Object.entries(packets).map(([reason, n]) => ({ reason, packets: n, pps: 7 })), ...more,
});

test('memory: drops a second from exact counts; what is unknown is a gap', () => {
	const memory = createMemory();

	memory.add(dropsAt(1000, { A: 100 }), TOPICS);
	memory.add(dropsAt(2000, { A: 110, B: 5 }, { drops_unspecified: { packets: 50, pps: 3 } }), TOPICS);
	memory.add(dropsAt(2000, { A: 110 }), TOPICS);
	memory.add(dropsAt(4000, { A: 130, B: 5 }, { drops_unspecified: { packets: 60, pps: 3 } }), TOPICS);
	memory.add(dropsAt(5000, { A: 3 }), TOPICS);
	memory.add(dropsAt(60000, { A: 4 }), TOPICS);
	const points = memory.points();
	const { times, rows, others } = dropSeries(points, ['A']);

	assert.deepEqual(times, [1, 2, 4, 5, 5.5, 60]);
	assert.deepEqual(rows, [[7, 10, 10, 7, null, 1 / 55]]);
	assert.deepEqual(others, [0, 7, 0, 0, null, 0]);
	assert.deepEqual(busiestReasons(points, 5), ['A', 'B']);
	assert.equal(points[2].drops.get(UNSPECIFIED), 5);
	memory.add(dropsAt(3000, { A: 9 }), TOPICS);
	assert.equal(memory.points().length, 1);
	memory.add(readSnapshot({}), TOPICS);
	memory.add(readSnapshot({ timestamp: 4000 }), TOPICS);
	assert.deepEqual(dropSeries(memory.points(), ['A']).rows, [[7, null]]);
});

test('memory: five minutes and no more', () => {
	const memory = createMemory();

	for (let i = 0; i < 5000; i++)
		memory.add(dropsAt(1000 + i * 100, { A: i }, { interval_ms: 100 }), TOPICS);
	assert.equal(memory.points().length, 1200);
	for (let i = 0; i < 400; i++)
		memory.add(dropsAt(1e6 + i * 1000, { A: i }), TOPICS);
	assert.equal(memory.points().length, 300);
});

test('memory: latency of the whole host, lines that break where nothing was measured', () => {
	const memory = createMemory();
	const row = (more) => ({ host: 'a', name: 'tcp_rtt', unit: 'us', network: null, count: 4, p50: 10, p95: 20, p99: 30, max: 40, buckets: [[10, 3], [40, 1], ['x', 2], null], ...more });
	const add = (timestamp, latency) => memory.add(readSnapshot({ timestamp, latency }), TOPICS);

	add(1000, [row(), row({ network: '10.0.0.0/24', p50: 99 })]);
	add(2000, [row({ count: 0, buckets: [] })]);
	add(3000, []);
	const [name] = latencyNames(memory.points());
	const series = latencySeries(memory.points(), name.id);

	assert.equal(latencyNames(memory.points()).length, 1);
	assert.deepEqual(series.rows, [[10, null, null], [20, null, null], [30, null, null], [40, null, null]]);
	assert.deepEqual(series.buckets, [[[10, 3], [40, 1]], [], null]);
	assert.deepEqual(inOrder([{ network: 'n', p99: 5 }, { network: 'm', p99: 9 }, { network: null, p99: 1 }]).map((one) => one.p99), [1, 9, 5]);
});

test('rate log: a point a snapshot, gaps stay gaps', () => {
	const log = createRateLog();

	log.add(10, 1, { inbound: 5, outbound: 'x' });
	log.add(11, 1, null);
	log.add(20, 1, { inbound: 6, outbound: 7 });
	assert.deepEqual(log.series(), { times: [10, 11, 11.5, 20], inbound: [5, null, null, 6], outbound: [null, null, null, 7], end: 20 });
	log.add(5, 1, { inbound: 1, outbound: 1 });
	assert.deepEqual(log.series().times, [5]);
});

test('export: CSV as in RFC 4180, exact, and never a formula', () => {
	assert.equal(toCsv([]), '\r\n');
	assert.equal(toCsv([{ a: 1, b: null }, { a: 'x,"y"\n', c: [1, { d: 2 }] }]), 'a,b,c\r\n1,,\r\n"x,""y""\n",,"[1,{""d"":2}]"\r\n');
	table((value) => toCsv([{ v: value }]).split('\r\n')[1], [
		['=1+1', "'=1+1"], ['@x', "'@x"], ['-2', "'-2"], [-2, '-2'], ['9007199254740993', '9007199254740993'], [' a', '" a"'],
		[0.1, '0.1'], [true, 'true'], ['<b>', '<b>'], ['\tx', "'\tx"],
	]);
});

test('export: JSON comes back as it was; files are named by what and when', () => {
	const rows = [{ a: 1, b: ['x', null] }, { a: NASTY_NAMES[7] }];

	assert.deepEqual(JSON.parse(toJson(rows)), rows);
	assert.deepEqual(JSON.parse(toJson([])), []);
	assert.equal(fileName('drops by flow', Date.UTC(2025, 10, 13, 14, 3, 21, 42), 'csv'), 'jopil-drops-by-flow-20251113T140321Z.csv');
	assert.equal(fileName('../x', null, 'json'), 'jopil--x.json');
});

// ---- store and feed --------------------------------------------------------------

test('store: many changes, one word to each listener', () => {
	const frames = [];
	const store = createStore({ a: 0, b: 0 }, (frame) => frames.push(frame));
	const heard = [];
	const leave = store.listen((state) => heard.push(state));

	store.set({ a: 1 });
	store.set({ b: 2 });
	assert.equal(frames.length, 1);
	frames.pop()();
	assert.deepEqual(heard, [{ a: 1, b: 2 }]);
	leave();
	store.set({ a: 3 });
	frames.pop()();
	assert.equal(heard.length, 1);
	assert.equal(store.get().a, 3);
});

// A world in which the test decides when a timer fires and what the server says.
function makeWorld(answers) {
	const world = { sources: [], timers: [], asked: [], answers, base: 'http://here/' };

	world.EventSource = class {
		constructor(url) {
			Object.assign(this, { url, readyState: 0, listeners: {}, closed: false });
			world.sources.push(this);
		}

		addEventListener(name, listener) {
			this.listeners[name] = listener;
		}

		emit(name, data) {
			this.listeners[name]({ data: typeof data === 'object' ? JSON.stringify(data) : data });
		}

		close() {
			this.closed = true;
			this.readyState = 2;
		}
	};
	world.fetch = async (path) => {
		world.asked.push(path.slice(world.base.length));
		const answer = world.answers(path.slice(world.base.length));

		if (!answer)
			throw new TypeError('network');
		return { status: answer[0], json: async () => answer[1] };
	};
	world.setTimeout = (action, ms) => {
		const timer = { action, ms };

		world.timers.push(timer);
		return timer;
	};
	world.clearTimeout = (gone) => {
		world.timers = world.timers.filter((timer) => timer !== gone);
	};
	world.fire = async (ms) => {
		const due = world.timers.filter((timer) => timer.ms === ms);

		world.timers = world.timers.filter((timer) => timer.ms !== ms);
		await Promise.all(due.map((timer) => timer.action()));
	};
	return world;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

function startFeed(answers) {
	const world = makeWorld(answers);
	const heard = { link: {}, snapshots: [], broken: 0, stats: null };
	const feed = createFeed({
		link: (change) => Object.assign(heard.link, change),
		message: (topics, raw, mode) => heard.snapshots.push([raw.seq, mode]),
		broken: () => heard.broken++,
		lost: (frames) => { heard.lost = frames; },
		stats: (httpd) => { heard.stats = httpd; },
	}, world);

	feed.want(['stats', 'flows']);
	return { world, heard, feed, source: () => world.sources.at(-1) };
}

const serving = (seq) => (path) =>
	path.startsWith('api/stats') ? [200, { seq, httpd: { stale: false, frames_lost: 1 } }] : [200, { flows: [] }];

test('feed: events come through, broken ones are counted, the end is told', async () => {
	const { world, heard, source } = startFeed(serving(1));

	source().emit('open');
	source().emit('snapshot', '{"seq":1}');
	source().emit('snapshot', '{"seq":');
	source().emit('flows', '[]');
	await settled();
	assert.equal(source().url, 'http://here/events?topics=stats,flows');
	assert.deepEqual(heard.snapshots, [[1, 'events']]);
	assert.equal(heard.broken, 2);
	source().emit('lost', { type: 'lost', frames: 4 });
	assert.equal(heard.lost, 4);
	assert.equal(heard.link.link, 'open');
	await world.fire(10000);
	assert.equal(heard.stats.frames_lost, 1);
	source().emit('status', '{"stale":true}');
	assert.equal(heard.link.ended, true);
	source().emit('snapshot', '{"seq":2}');
	assert.equal(heard.link.ended, false);
});

test('feed: the browser reconnects by itself; after three failures it polls, and tries events again', async () => {
	const { world, heard, source } = startFeed(serving(7));
	const first = source();

	await settled();
	first.emit('error');
	assert.equal(heard.link.link, 'down');
	assert.ok(!first.closed);
	first.emit('open');
	assert.equal(heard.link.link, 'open');
	for (let i = 0; i < 3; i++)
		first.emit('error');
	assert.ok(first.closed);
	await settled();
	assert.deepEqual(heard.link, { mode: 'polling', link: 'open', problem: '', ended: false });
	assert.deepEqual(heard.snapshots, [[7, 'polling']]);
	for (let i = 0; i < 15; i++)
		await world.fire(2000);
	assert.equal(world.sources.length, 2);
	source().emit('error');
	assert.ok(source().closed);
	assert.equal(heard.link.mode, 'polling');
	assert.equal(heard.link.link, 'open');
	for (let i = 0; i < 15; i++)
		await world.fire(2000);
	source().emit('open');
	assert.equal(heard.link.mode, 'events');
	const asked = world.asked.length;
	await world.fire(2000);
	assert.equal(world.asked.length, asked);
});

test('feed: refused, waiting, gone', async () => {
	const { world, heard, source } = startFeed(() => [401, { detail: 'send the token' }]);

	source().readyState = 2;
	source().emit('error');
	await settled();
	assert.equal(heard.link.link, 'refused');
	assert.equal(heard.link.problem, '401 send the token');
	world.answers = () => [503, {}];
	await world.fire(2000);
	assert.equal(heard.link.link, 'open');
	assert.equal(heard.snapshots.length, 0);
	world.answers = () => null;
	await world.fire(2000);
	assert.equal(heard.link.link, 'down');
});

test('feed: a stream that something holds back is given up', async () => {
	const { world, heard, source } = startFeed(serving(1));
	const first = source();

	first.emit('open');
	first.emit('snapshot', '{"seq":1}');
	await settled();
	world.answers = serving(20);
	await world.fire(10000);
	assert.ok(!first.closed);
	world.answers = serving(30);
	await world.fire(10000);
	await settled();
	assert.ok(first.closed);
	assert.equal(heard.link.mode, 'polling');
});

test('feed: a browser without EventSource polls', async () => {
	const world = makeWorld(serving(3));
	const seen = [];

	delete world.EventSource;
	createFeed({ link() {}, broken() {}, stats() {}, message: (topics, raw) => seen.push(raw.seq) }, world).want(['stats']);
	await settled();
	assert.deepEqual(seen, [3]);
});

test('feed: other topics are another stream; while polling, other routes', async () => {
	const { world, feed, source } = startFeed(serving(3));
	const first = source();

	feed.want(['stats', 'flows']);
	assert.equal(source(), first);
	feed.want(['stats', 'drops']);
	assert.ok(first.closed);
	assert.equal(source().url, 'http://here/events?topics=stats,drops');
	source().readyState = 2;
	source().emit('error');
	await settled();
	assert.ok(world.asked.includes('api/drops?limit=1000'));
	feed.want(['stats', 'connections']);
	await settled();
	assert.ok(world.asked.includes('api/connections?limit=1000'));
	assert.ok(!world.asked.some((path) => path.startsWith('api/flows')));
});

// ---- the past ----------------------------------------------------------------

test('range: what the URL says, and what is asked for it', () => {
	assert.equal(parseRange(undefined), LIVE);
	for (const text of ['', 'live', '7m', '5..4', '5..', '-1..4', '1e3..2e3', 'constructor'])
		assert.ok(isLive(parseRange(text)), text);
	assert.equal(parseRange('15m').seconds, 900);
	assert.ok(!isFrozen(parseRange('15m')));
	assert.deepEqual(boundsOf(parseRange('5m'), 1000000.5), { from: 700000, to: 1000000, step: 1 });
	assert.deepEqual(boundsOf(parseRange('1h'), 4000000), { from: 400000, to: 4000000, step: 10 });
	assert.deepEqual(boundsOf(parseRange('1000..9000'), 4000000), { from: 1000, to: 9000, step: 1 });
	assert.ok(isFrozen(parseRange('1000..9000')));
	assert.deepEqual(boundsOf(parseRange('30d'), 3e9), { from: 408e6, to: 3e9, step: 3600 });
	assert.deepEqual(choicesTo(null, 1e12), ['live', '1m', '5m', '15m', '1h']);
	assert.deepEqual(choicesTo(1e12 - 7200e3, 1e12).slice(4), ['1h', '6h']);
	assert.deepEqual(choicesTo(1e12 - 3 * 86400e3, 1e12).slice(5), ['6h', '24h', '7d']);
	assert.deepEqual(choicesTo(0, 1e12).at(-1), '30d');
	assert.equal(fromInput(toInput(1763704020000)), 1763704020000);
	assert.deepEqual([fromInput(''), fromInput('x')], [null, null]);
	const day = { from: 0, to: 86400 }, week = { from: 0, to: 7 * 86400 };
	const midnight = new Date(2025, 10, 13).getTime();
	assert.deepEqual([format.moment(midnight, null), format.moment(midnight, day), format.moment(midnight, week)], ['00:00:00', '00:00:00', '11-13 00:00']);
	assert.deepEqual([format.mark(midnight, day, 3600, true), format.mark(midnight, week, 43200, true), format.mark(midnight, week, 86400, true)], ['00:00', '11-13', '11-13']);
	assert.deepEqual([format.mark(midnight, null, 30, true), format.mark(midnight, null, 30, false), format.mark(midnight, null, 60, true)], ['00:00:00', '00:00', '00:00']);
	assert.equal(rangeText(1.5, 1.6), '1500..2500');
	assert.equal(rangeWords(parseRange('1h'), 0), 'the last 1 h');
	assert.equal(windowOf({ range: LIVE, past: { answer: () => ({ asked: { from: 1, to: 2 } }) } }), null);
});

test('past: rates of what is known, gaps where nothing is, sums that leave nothing out', () => {
	const answer = {
		from: 0, to: 9000, step_ms: 1000, oldest: 0, times: [1000, 2000, 6000, 7000], covered_ms: [1000, 500, 1000, 0],
		rates: { ingress_bytes: [10, 20, null, 5], egress_bytes: [1, 1, 1, 1], ingress_packets: [1, 1, 1, 1], egress_packets: [2, 2, 2, 2] },
		protocols: { TCP: { bytes: [1, 2, null, 4], packets: [1, 1, null, 1] } }, drops: { X: [5, null, 2, 0], Y: [0, null, 0, 0] },
		latency: { unit: 'us', count: [3, null, 0, 1], p50: [7, null, null, 9], p95: [8, null, null, 9], p99: [8, null, null, 9], max: [8, null, null, 9], buckets: [[[8, 3]], null, [], [[9, 1]]] },
	};
	const rates = ratesOf(answer, 'bits');

	assert.deepEqual(rates.times, [1, 2, 3, 6, 7]);
	assert.deepEqual(rates.inbound, [80, 320, null, null, null]);
	assert.equal(rates.end, 9);
	assert.deepEqual(ratesOf(answer, 'packets').outbound, [2, 4, null, 2, null]);
	const points = pointsOf(answer);
	assert.deepEqual(points.map((point) => point.time), [2, 3, 3, 7, 8]);
	assert.ok(points[2].gap);
	assert.deepEqual([...points[0].drops], [['X', 5], ['Y', 0]]);
	assert.equal(points[1].drops, null);
	assert.deepEqual(latencySeries(points, latencyNames(points)[0].id).rows[0], [7, null, null, null, 9]);
	assert.deepEqual(protocolSums(answer), [{ proto: 'TCP', bytes: 7, packets: 3 }]);
	assert.deepEqual(dropSums(answer), [{ reason: 'X', packets: 7 }]);
	assert.equal(coverage(answer), '');
	assert.equal(coverage({ ...answer, oldest: 5000 }), 'older is not remembered');
	assert.equal(coverage({ times: [] }), 'nothing is remembered of it');
	assert.equal(coverage({ ...answer, covered_ms: [0, 0, 0, 0] }), 'nothing is remembered of it');
	assert.match(coverage({ ...answer, source: 'both', oldest: 5000, asked: { from: 0 } }), /^recorded since 1970-01-01 \d\d:\d\d$/);
	assert.deepEqual(ratesOf({ times: [], to: 0 }, 'bits').times, []);
});

test('past: one request for all that is shown, again as time goes on, once when frozen', async () => {
	const asked = [];
	let changes = 0;
	let answer = { step_ms: 1000, times: [] };
	const answered = () => new Promise((resolve) => setImmediate(resolve));
	const past = createPast(LIVE, () => changes++, () => {}, async (path) => {
		asked.push(path);
		return { ok: answer !== null, status: answer ? 200 : 401, json: async () => answer };
	});
	const look = async (now, ...what) => {
		past.begin();
		const found = what.map((one) => past.of(one));

		past.look(now);
		await answered();
		return found;
	};

	await look(5000, 'drops');
	assert.equal(asked.length, 0);
	past.set(parseRange('1m'));
	await look(100000, 'drops', 'latency');
	assert.deepEqual(asked, ['api/history?from=40000&to=100000&step=1&what=drops,latency']);
	assert.equal(changes, 1);
	assert.ok((await look(101000, 'drops'))[0]);
	assert.equal(asked.length, 1);
	await look(102000, 'drops');
	assert.equal(asked.length, 2);
	assert.deepEqual(await look(102000, 'rates'), [null]);
	assert.equal(asked.length, 3);
	past.set(parseRange('1000..9000'));
	await look(null, 'rates');
	await look(200000, 'rates');
	assert.equal(asked.length, 4);
	answer = null;
	past.set(parseRange('5m'));
	await look(300000, 'rates');
	await look(301000, 'rates');
	assert.equal(asked.length, 5);
	assert.equal(past.problem(), '401');
	await look(306000, 'rates');
	assert.equal(asked.length, 6);
});

// ---- engine ----------------------------------------------------------------

function startTestEngine(answers = serving(1)) {
	const world = makeWorld(answers);
	const said = [];
	const engine = createEngine((message) => said.push(structuredClone(message)), world);
	const states = () => said.filter(({ state }) => state).map(({ state }) => state);

	return { world, engine, states, source: () => world.sources.at(-1), answers: () => said.flatMap((one) => one.answers ?? one.state?.answers ?? []), said };
}

const head = (seq) => ({ seq, timestamp: seq * 1000, interval_ms: 1000, final: false });
const emit = (source, message, topics = [...WATCHED, 'flows']) => topics.forEach((topic) => source.emit(topic, message));
const manyFlows = (count) => Array.from({ length: count }, (_, i) => ({ proto: 'TCP', src_ip: '10.0.0.1', src_port: i, dst_ip: '10.0.0.2', dst_port: 443, bps: i }));
const askFlows = (more = {}) => ['flows', 'table', { table: 'flows', filter: '', sort: '-bps', first: 0, last: 20, ...more }];

test('engine: a snapshot is told when all topics of it are there, once', () => {
	const { engine, states, source, said } = startTestEngine();

	engine.take({ asks: [[...askFlows(), 1]] });
	assert.match(source().url, /topics=stats,flows,processes,connections,drops,latency$/);
	source().emit('stats', { ...head(1), totals: { packets: 5 } });
	emit(source(), head(1), ['processes', 'connections', 'latency']);
	source().emit('flows', { ...head(1), flows: manyFlows(3) });
	assert.equal(states().length, 0);
	source().emit('drops', { ...head(1), drops: [{ reason: 'X', packets: 1 }] });
	assert.equal(states().length, 1);
	source().emit('drops', { ...head(1), drops: [] });
	assert.equal(states().length, 1);
	const [state] = states();
	assert.equal(state.snapshot.totals.packets, 5);
	assert.equal(state.snapshot.drops.length, 1);
	assert.equal(state.snapshot.flows, undefined);
	assert.deepEqual([...state.topics].sort(), [...WATCHED, 'flows'].sort());
	assert.ok(state.fresh);
	// One that lacks a topic is a frame lost, and seen as one.
	source().emit('stats', head(2));
	emit(source(), head(3));
	assert.equal(states().length, 2);
	assert.equal(states()[1].page.framesLost, 1);
	source().emit('lost', { frames: 7 });
	emit(source(), head(4));
	assert.equal(states()[2].page.framesLost, 8);
	source().emit('stats', '{');
	assert.equal(said.at(-1).page.framesBroken, 1);
});

test('engine: what comes to the page is what is in sight, however many rows there are', () => {
	const { engine, answers, source, said } = startTestEngine();

	engine.take({ asks: [[...askFlows(), 1]] });
	// Somebody closes the details of a row before there is one.
	engine.take({ call: [8, 'flows', 'place', { key: 'any' }] });
	assert.deepEqual(said.at(-1).result, [8, -1]);
	source().emit('snapshot', { ...head(1), flows: manyFlows(10000), packets: [{ length: 1 }] });
	const [, number, window] = answers().at(-1);
	assert.equal(number, 1);
	assert.deepEqual([window.rows.length, window.count, window.all, window.rows[0].bps], [20, 10000, 10000, 9999]);
	assert.ok(JSON.stringify(said).length < 20000);
	engine.take({ asks: [[...askFlows({ filter: 'sport:5', first: 0, last: 3 }), 2]] });
	assert.deepEqual(answers().at(-1)[2].rows.map((row) => row.src_port), [5]);
	engine.take({ asks: [[...askFlows({ first: 9990, last: 9999 }), 3]] });
	assert.deepEqual(answers().at(-1)[2].rows.map((row) => row.bps), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
	engine.take({ call: [9, 'flows', 'place', { key: keys.flowKey(manyFlows(8)[7]) }] });
	assert.deepEqual(said.at(-1).result, [9, 9992]);
	engine.take({ asks: [['details', 'row', { table: 'flows', key: 'no such' }, 4]] });
	assert.deepEqual(answers().at(-1), ['details', 4, { row: null }]);
	// What nobody asks for any more is not told, and its topic not taken.
	engine.take({ drop: ['flows', 'details'] });
	assert.ok(source().url.endsWith(`topics=${WATCHED.join()}`));
});

test('engine: a table that is held stays, also when it is sorted', () => {
	const { engine, answers, source } = startTestEngine();

	engine.take({ asks: [[...askFlows(), 1]] });
	source().emit('snapshot', { ...head(1), flows: manyFlows(3) });
	engine.take({ asks: [[...askFlows({ hold: true }), 2]] });
	source().emit('snapshot', { ...head(2), flows: manyFlows(9) });
	engine.take({ asks: [[...askFlows({ hold: true, sort: 'bps' }), 3]] });
	assert.deepEqual(answers().at(-1)[2].rows.map((row) => row.bps), [0, 1, 2]);
	assert.equal(answers().at(-1)[2].timestamp, 1000);
	engine.take({ asks: [[...askFlows(), 4]] });
	assert.equal(answers().at(-1)[2].count, 9);
});

test('engine: before anything came it says so, later it waits for the topic', () => {
	const { engine, answers, source } = startTestEngine();

	engine.take({ asks: [[...askFlows(), 1]] });
	assert.deepEqual(answers(), [['flows', 1, null]]);
	emit(source(), head(1));
	engine.take({ asks: [['packets', 'table', { table: 'packets' }, 2]] });
	assert.ok(!answers().some(([slot]) => slot === 'packets'));
	emit(source(), head(1));
	source().emit('packets', { ...head(1), packets: [{ length: 1 }] });
	assert.equal(answers().find(([slot]) => slot === 'packets')[2].count, 1);
});

test('engine: while polling nothing is lost, packets are none', async () => {
	const { engine, states, source, said } = startTestEngine((path) => [200, path.startsWith('api/stats') ? { ...head(4), totals: { packets: 1 }, httpd: {} } : {}]);

	engine.take({ asks: [['packets', 'table', { table: 'packets' }, 1]] });
	source().readyState = 2;
	source().emit('error');
	await settled();
	assert.equal(states().length, 1);
	assert.equal(states()[0].page.framesLost, 0);
	assert.ok(said.some(({ link }) => link?.mode === 'polling'));
});

// ---- files of others -------------------------------------------------------------

test('vendor: the files are those that VENDOR.md names', () => {
	const vendor = new URL('../../web/vendor/', import.meta.url);

	assert.deepEqual(readdirSync(vendor).sort(), ['d3-sankey', 'uplot']);
	for (const part of readdirSync(vendor)) {
		const folder = new URL(`${part}/`, vendor);
		const rows = [...readFileSync(new URL('VENDOR.md', folder), 'utf8').matchAll(/^\| `([\w.-]+)` \| `[\w./-]+` \| `([0-9a-f]{64})` \|$/gm)];

		assert.deepEqual(rows.map(([, name]) => name).concat('VENDOR.md').sort(), readdirSync(folder).sort());
		for (const [, name, sum] of rows)
			assert.equal(createHash('sha256').update(readFileSync(new URL(name, folder))).digest('hex'), sum, name);
	}
});

// Which folder may import what: web/README.md.
const MAY_IMPORT = {
	lib: ['lib'], engine: ['lib', 'engine'], core: ['lib', 'core'], parts: ['lib', 'core', 'parts'], views: ['lib', 'core', 'parts', 'views'],
};

test('page: a folder imports from those that it may', () => {
	const js = new URL('../../web/js/', import.meta.url);

	for (const [folder, others] of Object.entries(MAY_IMPORT))
		for (const name of readdirSync(new URL(`${folder}/`, js))) {
			const text = readFileSync(new URL(`${folder}/${name}`, js), 'utf8');
			const sources = [...text.matchAll(/^(?:import|\}) .*from '([^']+)';$/gm)].map(([, source]) => source);

			for (const source of sources) {
				const [, from] = /\/js\/(\w+)\/[^/]+$/.exec(new URL(source, new URL(`${folder}/`, js)).pathname);

				assert.ok(others.includes(from), `${folder}/${name} imports ${source}`);
			}
		}
});

test('page: no markup is made from text, nothing comes from another host', () => {
	const web = new URL('../../web/', import.meta.url);
	const html = readFileSync(new URL('index.html', web), 'utf8');

	assert.doesNotMatch(html, /https?:|\bstyle=|\son\w+=|<script(?![^>]*\bsrc=)/);
	for (const [, path] of html.matchAll(/(?:src|href)="([^"]+\.(?:js|mjs|css|svg))"/g))
		readFileSync(new URL(path, web));
});
