/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * From an sk_buff, as a tracing program meets it, to the flow key of its packet.
 *
 * An skb may be anywhere in the stack and may be anything: its network header may not be
 * set yet, its data begin before or behind it, its headers lie outside the linear part
 * (then they are not read: what is known without them is said), its device pointer be
 * another thing altogether. Nothing is trusted: headers are copied out and then parsed by
 * the one parser (packet_parse.h), pointers are checked before they are followed.
 */
#ifndef JOPIL_SKB_PARSE_H
#define JOPIL_SKB_PARSE_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Bytes of headers that are copied; the parser looks at no header that begins later. */
#define SKB_HEADER_BYTES 256
#define PARSE_OFFSET_MAX (SKB_HEADER_BYTES - 1)
#define PARSE_OPAQUE(pointer) barrier_var(pointer)
#include "bpf/packet_parse.h"

/* Room for the headers, and behind them for the longest that is looked at whole. */
#define SKB_HEADER_ROOM (SKB_HEADER_BYTES + 40)

#define SKB_MAC_HEADER_UNSET 0xffff

/* Where a packet is in its skb. */
struct skb_place {
	u64 network;		/* offset of the network header from skb->head */
	u64 linear;		/* bytes from there on in the linear part */
	u32 bytes;		/* of the packet from there on */
	u16 ethertype;		/* of what is there; 0: not known */
};

/*
 * Pointers of a 64-bit kernel are negative where the byte order is little (x86, arm64,
 * riscv, loongarch, ppc64le). Not so on s390, where the reads themselves must fail.
 */
static __always_inline bool skb_is_pointer(const void *pointer)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (long long)pointer < 0;
#else
	return pointer;
#endif
}

/*
 * The ethertype in front of the network header where protocol is that of a VLAN tag which
 * lies before it: a tagged frame on its way out. Otherwise the tag is at the network
 * header, and parsed there.
 */
static __always_inline u16 skb_ethertype(const struct sk_buff *skb, u64 network)
{
	u16 ethertype = __builtin_bswap16(skb->protocol), mac = skb->mac_header, inner_be;

	if (ethertype != ETHERTYPE_8021Q && ethertype != ETHERTYPE_8021AD)
		return ethertype;
	if (mac == SKB_MAC_HEADER_UNSET || network < mac + 14u + 4u)
		return ethertype;
	if (bpf_probe_read_kernel(&inner_be, sizeof(inner_be), skb->head + network - 2))
		return ethertype;
	return __builtin_bswap16(inner_be);
}

static __always_inline void skb_locate(const struct sk_buff *skb, struct skb_place *place)
{
	u64 data = (u64)skb->data - (u64)skb->head, network = skb->network_header;
	u64 tail = skb->tail;
	long long bytes;

	/* Not received by the stack yet: eth_type_trans() leaves data at the network header. */
	if (!network || network > tail)
		network = data;
	bytes = (long long)skb->len + (long long)data - (long long)network;
	place->network = network;
	place->linear = network < tail ? tail - network : 0;
	place->bytes = bytes < 0 ? 0 : bytes;
	place->ethertype = skb_ethertype(skb, network);
}

/*
 * Copies the headers to room (SKB_HEADER_ROOM bytes of a map) and parses them. info is
 * zeroed before. Its key has no interface, direction or VLAN; what is not IP has its
 * ethertype in key.protocol; nothing at all is known where that is 0.
 */
static __always_inline void skb_parse(const struct sk_buff *skb, const struct skb_place *place,
				      u8 *room, struct packet_info *info)
{
	u64 length = place->linear < place->bytes ? place->linear : place->bytes;
	struct parse_cursor c = { .start = room, .wire_length = place->bytes };

	if (!place->ethertype)
		return;
	if (length > SKB_HEADER_BYTES)
		length = SKB_HEADER_BYTES;
	/* The verifier has to see it in the very register. */
	asm volatile("%0 &= 0x1ff" : "+r"(length));
	if (length > SKB_HEADER_BYTES)
		return;
	if (bpf_probe_read_kernel(room, length, skb->head + place->network))
		length = 0;
	c.end = room + length;
	packet_parse_network(&c, place->ethertype, info);
	info->key.vlan = 0;
}

/* A network device, as far as it is one. */
struct skb_device {
	const struct net_device *dev;	/* NULL: not known */
	u32 netns;			/* 0: not known */
};

/*
 * Inodes of namespaces are counted from 0xf0000000 on (fs/proc/generic.c); newer kernels
 * have fixed ones shortly below.
 */
static __always_inline bool skb_is_netns(u32 inode)
{
	return inode >= 0xefffff00 && inode < 0xffffff00;
}

/* The inode of a namespace; 0: it is none. */
static __always_inline u32 skb_netns(const struct net *net)
{
	u32 inode;

	if (!skb_is_pointer(net))
		return 0;
	inode = BPF_CORE_READ(net, ns.inum);
	return skb_is_netns(inode) ? inode : 0;
}

#define SKB_DEVICE_BUCKETS 256	/* NETDEV_HASHENTRIES */
#define SKB_DEVICE_CHAIN 16	/* devices of one bucket that are looked at */

/* The device of a namespace by its index, as dev_get_by_index_rcu(); NULL: none. */
static __always_inline const struct net_device *skb_device_by_index(const struct net *net, int ifindex)
{
	u64 offset = bpf_core_field_offset(struct net_device, index_hlist);
	struct hlist_head *heads = BPF_CORE_READ(net, dev_index_head);
	struct hlist_node *node;

	node = BPF_CORE_READ(&heads[ifindex & (SKB_DEVICE_BUCKETS - 1)], first);
	for (int i = 0; i < SKB_DEVICE_CHAIN && node; i++) {
		const struct net_device *dev = (void *)node - offset;

		if (BPF_CORE_READ(dev, ifindex) == ifindex)
			return dev;
		node = BPF_CORE_READ(node, next);
	}
	return NULL;
}

/*
 * What skb->dev points to, if it is a device: in UDP's receive queues it is a scratch pad
 * (dev_scratch), in TCP's out-of-order queue and in fragment queues a node of a tree. The
 * device that brought the packet has its index; that of a packet on its way out must be
 * found by its index.
 */
static __always_inline void skb_own_device(const struct sk_buff *skb, struct skb_device *device)
{
	const struct net_device *dev = skb->dev;
	const struct net *net;
	int ifindex;
	u32 netns;

	if (!skb_is_pointer(dev))
		return;
	/* Plain loads: those of a tracing program yield 0 where they fault. */
	net = dev->nd_net.net;
	ifindex = dev->ifindex;
	if (ifindex <= 0 || !skb_is_pointer(net))
		return;
	netns = net->ns.inum;
	if (!skb_is_netns(netns))
		return;
	if (ifindex != skb->skb_iif && skb_device_by_index(net, ifindex) != dev)
		return;
	device->dev = dev;
	device->netns = netns;
}

/* The device that brought the packet to a socket. */
static __always_inline void skb_sock_device(const struct sk_buff *skb, const struct sock *sk,
					    struct skb_device *device)
{
	const struct net *net;

	/* The verifier wants to see that it is not NULL, however plain that is. */
	if (!sk)
		return;
	barrier_var(sk);
	if (!skb_is_pointer(sk))
		return;
	net = BPF_CORE_READ(sk, __sk_common.skc_net.net);
	device->netns = skb_netns(net);
	if (device->netns && skb->skb_iif > 0)
		device->dev = skb_device_by_index(net, skb->skb_iif);
}

/* The interface of an skb; receiver: the socket that it was for, or NULL. */
static __always_inline void skb_find_device(const struct sk_buff *skb, const struct sock *receiver,
					    struct skb_device *device)
{
	skb_own_device(skb, device);
	if (!device->netns)
		skb_sock_device(skb, receiver, device);
	if (!device->netns)
		skb_sock_device(skb, skb->sk, device);
}

#endif
