// SPDX-License-Identifier: MIT
// The filter language of the long tables: `tcp port:443 ip:10.0.0.0/8 bps>1M !state:closed text`.
//
// Terms are separated by spaces and must all hold. "!" or "-" before a term turns it around, a comma in a
// value means "or", quotes keep spaces together. A term without a key is a protocol, an address or network, a port,
// or else text that occurs somewhere in the row.

import { isInNetwork, parseNetwork } from './address.mjs';

export const HELP =
	'tcp · port:443 · port:8000-8099 · ip:10.0.0.0/8 · src: · dst: · if:eth0 · state:established · pid:none · bps>1M · !udp · any text';

const PROTOCOLS = new Set(
	('tcp udp icmp icmpv6 igmp ipip ipv6 gre esp ah sctp dccp udplite ospf pim vrrp eigrp ' +
		'arp lldp').split(' '),
);
const MULTIPLES = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

const lower = (value) => (value === null || value === undefined ? '' : String(value).toLowerCase());

const has = (row, names, holds) => names.some((name) => holds(row[name]));

// ---- what a value of a key means: text -> test of a field, or null if it makes no sense ----

function makeText(text) {
	return (value) => lower(value).includes(text);
}

function makeWord(text) {
	return (value) => lower(value) === text;
}

function makeAddress(text) {
	const network = parseNetwork(text);

	if (network)
		return (value) => isInNetwork(network, value);
	if (text.includes('/') || !/^[0-9a-f.:]+$/.test(text))
		return null;
	return (value) => lower(value).startsWith(text);
}

// "none": where there is no such number.
function makeNumber(text) {
	if (text === 'none')
		return (value) => value === null || value === undefined;
	const range = /^(\d+)(?:-(\d+))?$/.exec(text);

	if (!range)
		return null;
	const first = Number(range[1]);
	const last = range[2] === undefined ? first : Number(range[2]);
	return (value) => value !== null && value !== undefined && value >= first && value <= last;
}

const DIRECTIONS = new Map([['in', 'ingress'], ['ingress', 'ingress'], ['out', 'egress'], ['egress', 'egress']]);

function makeDirection(text) {
	const word = DIRECTIONS.get(text);

	return word ? makeWord(word) : null;
}

function key(make, ...names) {
	return { make, names };
}

const KEYS = {
	proto: key(makeWord, 'proto'),
	ip: key(makeAddress, 'src_ip', 'dst_ip', 'remote_ip'),
	src: key(makeAddress, 'src_ip'),
	dst: key(makeAddress, 'dst_ip'),
	port: key(makeNumber, 'src_port', 'dst_port', 'remote_port'),
	sport: key(makeNumber, 'src_port'),
	dport: key(makeNumber, 'dst_port'),
	if: key(makeText, 'ifname'),
	host: key(makeText, 'host'),
	state: key(makeWord, 'state'),
	dir: key(makeDirection, 'direction'),
	flags: key(makeText, 'tcp_flags', 'tcp_flags_src', 'tcp_flags_dst'),
	vlan: key(makeNumber, 'vlan'),
	cpu: key(makeNumber, 'cpu'),
	pid: key(makeNumber, 'pid'),
	command: key(makeText, 'command'),
	uid: key(makeNumber, 'uid'),
	service: key(makeText, 'service'),
	cgroup: key(makeText, 'cgroup'),
	reason: key(makeText, 'reason'),
	location: key(makeText, 'location'),
	network: key(makeText, 'network'),
	name: key(makeText, 'src_name', 'dst_name', 'remote_name'),
};

const QUANTITIES = {
	bps: 'bps',
	pps: 'pps',
	bytes: 'bytes',
	packets: 'packets',
	length: 'length',
	ttl: 'ttl',
	rtt: 'rtt_us',
	retransmits: 'retransmits',
	drops: 'drops',
	tx: 'tx_bps',
	rx: 'rx_bps',
	sent: 'bytes_sent',
	received: 'bytes_received',
	duration: 'duration_ms',
	connections: 'connections',
	count: 'count',
	p50: 'p50',
	p95: 'p95',
	p99: 'p99',
	max: 'max',
};

const COMPARISONS = {
	'>': (a, b) => a > b,
	'>=': (a, b) => a >= b,
	'<': (a, b) => a < b,
	'<=': (a, b) => a <= b,
	'=': (a, b) => a === b,
};

const TEXT_FIELDS = [
	'proto', 'src_ip', 'dst_ip', 'src_port', 'dst_port', 'ifname', 'host', 'state', 'command', 'direction', 'remote_ip',
	'remote_port', 'reason', 'location', 'service', 'network', 'cgroup', 'src_name', 'dst_name', 'remote_name',
];

// ---- terms ---------------------------------------------------------------

// { test } or { error }
function makeKeyed(name, text) {
	const { make, names } = KEYS[name];
	const tests = text.split(',').filter(Boolean).map(make);

	if (tests.length === 0)
		return { error: `${name}: needs a value` };
	if (tests.includes(null))
		return { error: `${name}:${text} makes no sense` };
	return { test: (row) => tests.some((test) => has(row, names, test)) };
}

function makeQuantity(name, comparison, text) {
	const number = /^(\d+(?:\.\d+)?)([kmgt]?)$/.exec(text);

	if (!number)
		return { error: `${name}${comparison} needs a number such as 1500 or 1M` };
	const limit = Number(number[1]) * MULTIPLES[number[2]];
	const compare = COMPARISONS[comparison];
	const field = QUANTITIES[name];
	return {
		test: (row) => row[field] !== null && row[field] !== undefined && compare(Number(row[field]), limit),
	};
}

function makeBare(text) {
	if (PROTOCOLS.has(text))
		return makeKeyed('proto', text);
	if (/^:?\d+$/.test(text) && Number(text.replace(':', '')) <= 65535)
		return makeKeyed('port', text.replace(':', ''));
	if (parseNetwork(text))
		return makeKeyed('ip', text);
	const test = makeText(text);
	return { test: (row) => has(row, TEXT_FIELDS, test) };
}

function makeTerm(text, quoted) {
	const word = lower(text);
	const quantity = /^([a-z]+\d*)(>=|<=|>|<|=)(.*)$/.exec(word);
	const keyed = /^([a-z]+):(.*)$/.exec(word);

	if (quoted)
		return { test: (row) => has(row, TEXT_FIELDS, makeText(word)) };
	if (quantity && Object.hasOwn(QUANTITIES, quantity[1]))
		return makeQuantity(quantity[1], quantity[2], quantity[3]);
	if (keyed && Object.hasOwn(KEYS, keyed[1]))
		return makeKeyed(keyed[1], keyed[2]);
	if (keyed && !/^[0-9a-f:]+$/.test(word))
		return { error: `there is no key "${keyed[1]}:"` };
	return makeBare(word);
}

// Words with their quotes taken off: [{ text, negated, quoted }]
function split(text) {
	const words = [];

	for (const match of text.matchAll(/([!-]?)((?:[a-z]+:)?)(?:"([^"]*)"?|(\S+))/gi)) {
		const [, sign, name, quoted, plain] = match;

		words.push({
			negated: sign !== '',
			quoted: quoted !== undefined && name === '',
			text: name + (quoted ?? plain),
		});
	}
	return words;
}

// { test(row), error: "" or what is wrong, empty: whether everything passes }
export function parseFilter(text) {
	const tests = [];

	for (const word of split(text)) {
		if (word.text === '')
			continue;
		const { test, error } = makeTerm(word.text, word.quoted);

		if (error)
			return { test: () => true, error, empty: true };
		tests.push(word.negated ? (row) => !test(row) : test);
	}
	return { test: (row) => tests.every((test) => test(row)), error: '', empty: tests.length === 0 };
}

// The same text with one term `key:` for value, or without one where value is empty.
export function withTerm(text, name, value) {
	const others = text.replace(new RegExp(`(^|\\s)[!-]?${name}:("[^"]*"?|\\S*)`, 'gi'), ' ').trim().replace(/\s+/g, ' ');

	return [others, value ? `${name}:${value}` : ''].filter(Boolean).join(' ');
}

// The value of the term `key:` if it stands there once and plainly, else "".
export function termOf(text, name) {
	const found = [...text.matchAll(new RegExp(`(?:^|\\s)([!-]?)${name}:(\\S*)`, 'gi'))];

	return found.length === 1 && found[0][1] === '' ? found[0][2].toLowerCase() : '';
}
