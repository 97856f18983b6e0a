// SPDX-License-Identifier: MIT
// What the kernel's commonest reasons for a drop mean, and where to look.

const REASONS = new Map([
	['NO_SOCKET', 'Nobody listens on this port: TCP answers with a reset, UDP with port unreachable.'],
	['PKT_TOO_SMALL', 'Shorter than its headers say.'],
	['TCP_CSUM', 'The TCP checksum is wrong.'],
	['UDP_CSUM', 'The UDP checksum is wrong.'],
	['IP_CSUM', 'The IP checksum is wrong.'],
	['ICMP_CSUM', 'The ICMP checksum is wrong.'],
	['SOCKET_FILTER', 'A filter that the program put on its socket refused it.'],
	['NETFILTER_DROP', 'A rule of iptables or nftables dropped it.'],
	['OTHERHOST', 'Addressed to another machine; seen because the card is promiscuous or a switch floods.'],
	['IP_INHDR', 'The IP header makes no sense.'],
	['IP_RPFILTER', 'Reverse path filter: no route back through this interface (net.ipv4.conf.*.rp_filter).'],
	['IP_NOPROTO', 'No protocol handler for it.'],
	['IP_INNOROUTES', 'No route for a packet that came in.'],
	['IP_OUTNOROUTES', 'No route for a packet that goes out.'],
	['SOCKET_RCVBUFF', 'The receive buffer of the socket is full: its program reads too slowly (SO_RCVBUF, net.core.rmem_max).'],
	['SOCKET_BACKLOG', 'The backlog of the socket is full while its program holds it.'],
	['PROTO_MEM', 'All sockets of the protocol together use too much memory (net.ipv4.tcp_mem, udp_mem).'],
	['TCP_FLAGS', 'Flags that make no sense in this state.'],
	['TCP_ZEROWINDOW', 'Sent although the receiver’s window was closed.'],
	['TCP_OLD_DATA', 'A retransmission of what had already come.'],
	['TCP_OVERWINDOW', 'Beyond the receiver’s window.'],
	['TCP_OFOMERGE', 'Out of order, and already in the queue.'],
	['TCP_RFC7323_PAWS', 'Its timestamp is older than the last one (PAWS).'],
	['TCP_OLD_SEQUENCE', 'An old sequence number: a duplicate.'],
	['TCP_INVALID_SEQUENCE', 'A sequence number outside the window.'],
	['TCP_INVALID_SYN', 'A SYN in the middle of a connection.'],
	['TCP_RESET', 'A reset that ended a connection.'],
	['TCP_CLOSE', 'The connection was already closed.'],
	['TCP_OLD_ACK', 'An old acknowledgement; harmless.'],
	['TCP_TOO_OLD_ACK', 'An acknowledgement of what is long past.'],
	['TCP_LISTEN_OVERFLOW', 'The accept queue is full: the program accepts too slowly (net.core.somaxconn).'],
	['QDISC_DROP', 'The queue of the interface was full or its shaper dropped it (tc -s qdisc).'],
	['CPU_BACKLOG', 'The backlog of this CPU is full (net.core.netdev_max_backlog).'],
	['XDP', 'An XDP program dropped it.'],
	['TC_INGRESS', 'A tc program dropped it on the way in.'],
	['TC_EGRESS', 'A tc program dropped it on the way out.'],
	['UNHANDLED_PROTO', 'No handler for its protocol.'],
	['NEIGH_FAILED', 'Its next hop does not answer ARP or neighbour discovery.'],
	['NEIGH_QUEUEFULL', 'Too many wait for the next hop’s address.'],
	['NEIGH_DEAD', 'The entry of its next hop is gone.'],
	['FULL_RING', 'The ring of a tap or packet socket is full.'],
	['NOMEM', 'No memory.'],
	['DEV_READY', 'The device was not ready.'],
	['PKT_TOO_BIG', 'Larger than the way allows, and must not be fragmented.'],
	['IP_LOCALNET', 'A loopback address from outside.'],
	['XFRM_POLICY', 'The IPsec policy forbids it.'],
]);

export function reasonWords(reason) {
	return REASONS.get(reason) ?? '';
}

export const NOT_SPECIFIED_WORDS =
	'NOT_SPECIFIED: packets that the kernel freed without naming a reason. Some were dropped; many have only reached a quiet ' +
	'end that nobody has given a name. They are counted apart, so that a number of drops means drops.';
