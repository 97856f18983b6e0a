// SPDX-License-Identifier: MIT
// What names a row in a URL, so that a link leads to the same row in the next snapshot.

import { formatRoute } from './route.mjs';

const join = (...fields) => fields.map((field) => field ?? '-').join(' ');
const side = (ip, port) => `${ip ?? '-'}#${port ?? '-'}`;

export function flowKey(row) {
	return join(row.proto, side(row.src_ip, row.src_port), side(row.dst_ip, row.dst_port), row.ifname, row.vlan,
		row.icmp_type, row.icmp_code, row.host);
}

// A process that became another program is another row.
export function processKey(row) {
	return join(row.pid, row.command, row.host);
}

export function remoteKey(row) {
	return join(row.remote_ip, row.host);
}

export function connectionKey(row) {
	return join(row.proto, side(row.src_ip, row.src_port), side(row.dst_ip, row.dst_port), row.netns, row.started, row.host);
}

const href = (view, isNamed, key) => (row) => (isNamed(row) ? formatRoute(view, { open: key(row) }) : null);
const isGiven = (value) => value !== null && value !== undefined;

export const processHref = href('processes', (row) => isGiven(row.pid), processKey);
export const remoteHref = href('hosts', (row) => isGiven(row.remote_ip), remoteKey);
export const flowHref = href('flows', () => true, flowKey);
export const connectionHref = href('connections', () => true, connectionKey);
