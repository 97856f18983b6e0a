// SPDX-License-Identifier: MIT
// The topics of the feed: what each carries, which lists of it stay with the engine, where else to ask for it.

export const TOPICS = ['stats', 'flows', 'packets', 'processes', 'connections', 'drops', 'latency'];

// What alerts are about (lib/alerts.mjs) comes whatever view is shown; the others when something shows them.
export const WATCHED = ['stats', 'processes', 'connections', 'drops', 'latency'];

// Whether something has come, but not this topic of it yet.
export const isComing = ({ snapshot, topics }, topic) => snapshot.timestamp !== null && !topics.includes(topic);

// Lists as long as the aggregator's --top: the page is shown parts of them.
const LONG = ['flows', 'packets', 'processes', 'remotes', 'connections', 'drop_flows'];

const ROWS = 1000;	// asked of each list while polling

// Without an event stream: [path, members taken from the answer] of each topic.
export const ROUTES = {
	stats: [],
	flows: [[`api/flows?limit=${ROWS}&sort=bps`, ['flows', 'flow_table']]],
	packets: [],	// only the stream has them
	processes: [
		[`api/processes?limit=${ROWS}`, ['processes', 'process_table', 'unowned']],
		[`api/remotes?limit=${ROWS}`, ['remotes', 'remote_table']],
		['api/protocols', ['process_protocols']],
	],
	connections: [[`api/connections?limit=${ROWS}`, ['connections', 'connection_table']]],
	drops: [[`api/drops?limit=${ROWS}`, ['drops', 'drop_flows', 'drops_unspecified']]],
	latency: [[`api/latency?limit=${ROWS}`, ['latency', 'latency_table']]],
};

// What the page itself gets of a snapshot: all of it but the long lists, and of latencies only those of whole hosts.
export function headOf(snapshot) {
	const head = { ...snapshot, latency: snapshot.latency.filter((row) => (row.network ?? null) === null) };

	LONG.forEach((name) => delete head[name]);
	return head;
}
