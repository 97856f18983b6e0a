// SPDX-License-Identifier: MIT
// IP addresses and networks as bytes: parse, match, order.

const CACHE_LIMIT = 50000;
const cache = new Map();

function parse4(text) {
	const fields = text.split('.');

	if (fields.length !== 4 || !fields.every((f) => /^(0|[1-9]\d{0,2})$/.test(f) && f <= 255))
		return null;
	return fields.map(Number);
}

// The 16-bit groups of one side of "::"; at the end of the address two of them may be an IPv4 address.
function groupsOf(text, isLast) {
	if (text === '')
		return [];
	const groups = [];
	const fields = text.split(':');
	for (const [i, field] of fields.entries()) {
		const four = isLast && i === fields.length - 1 && field.includes('.') ? parse4(field) : null;

		if (four)
			groups.push((four[0] << 8) | four[1], (four[2] << 8) | four[3]);
		else if (/^[0-9a-f]{1,4}$/i.test(field))
			groups.push(parseInt(field, 16));
		else
			return null;
	}
	return groups;
}

function parse6(text) {
	const sides = text.split('::');

	if (sides.length > 2)
		return null;
	const head = groupsOf(sides[0], sides.length === 1);
	const tail = sides.length === 2 ? groupsOf(sides[1], true) : [];
	if (!head || !tail)
		return null;
	const missing = 8 - head.length - tail.length;
	if (sides.length === 2 ? missing < 1 : missing !== 0)
		return null;
	const groups = [...head, ...new Array(missing).fill(0), ...tail];
	return groups.flatMap((group) => [group >> 8, group & 255]);
}

// { family: 4 | 6, bytes: [...] }, or null if it is no address.
export function parseAddress(text) {
	if (typeof text !== 'string')
		return null;
	const bytes = text.includes(':') ? parse6(text) : parse4(text);

	return bytes && { family: bytes.length === 4 ? 4 : 6, bytes };
}

// The same few thousand addresses come back each second.
export function knownAddress(text) {
	let address = cache.get(text);

	if (address === undefined) {
		address = parseAddress(text);
		if (cache.size >= CACHE_LIMIT)
			cache.clear();
		cache.set(text, address);
	}
	return address;
}

// "10.0.0.0/8", "fe80::/10" or one address: { family, bytes, bits }, or null.
export function parseNetwork(text) {
	const [address, length, more] = text.split('/');
	const parsed = parseAddress(address);

	if (!parsed || more !== undefined)
		return null;
	const whole = parsed.bytes.length * 8;
	if (length === undefined)
		return { ...parsed, bits: whole };
	if (!/^\d{1,3}$/.test(length) || Number(length) > whole)
		return null;
	return { ...parsed, bits: Number(length) };
}

export function isInNetwork(network, text) {
	const address = knownAddress(text);

	if (!address || address.family !== network.family)
		return false;
	const whole = network.bits >> 3;
	for (let i = 0; i < whole; i++)
		if (address.bytes[i] !== network.bytes[i])
			return false;
	const rest = network.bits & 7;
	return rest === 0 || (address.bytes[whole] ^ network.bytes[whole]) >> (8 - rest) === 0;
}

// A string that sorts as addresses do: IPv4 first, then by value. null for what is no address.
export function addressKey(text) {
	const address = knownAddress(text);

	return address && address.family + String.fromCharCode(...address.bytes);
}
