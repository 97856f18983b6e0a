// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The process probe: bytes and calls by process and remote, as the calls returned.
 *
 * Sent: sock_send_length, where every way to send ends, with what was really sent.
 * Received: sock_recv_length, likewise; but splice() and TCP_ZEROCOPY_RECEIVE do not pass
 * there. All that read TCP meet in tcp_rcv_space_adjust: those two count by how much
 * copied_seq has moved since the last time. MSG_PEEK and the error queue do not count.
 *
 * Before Linux 6.3 there are no such two tracepoints: see probe.h.
 *
 * Neither tracepoint names the remote of a socket that is not connected. It is what the
 * same task was told or told the kernel last, kept with the task until the call returns:
 *	sent:		UDP by the address that the call names (cgroup hooks; before 6.3
 *			any datagram, by the message itself); else the route that was
 *			looked up; else what the cork keeps
 *	received:	UDP by the address that goes back to the caller (cgroup hooks); raw,
 *			ICMP, and UDP before 6.18, by the packet that is freed
 *
 * All of it runs in the context of the task that makes the call. Softirqs that interrupt
 * it have their own stack; what they send and free is not the task's (is_tasks_own).
 *
 * Measured (Linux 6.18, run_time_ns less that of doing nothing): a send 105 ns, a receive
 * 105, of TCP 100 more for the position in the stream; an unconnected UDP send or any UDP
 * receive 45 more; a route looked up 5; and each run 45-60 to get there.
 */
#include "bpf/vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/probe.h"
#include "bpf/socket.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* linux/socket.h */
enum {
	MSG_OOB = 0x1,
	MSG_PEEK = 0x2,
	MSG_ERRQUEUE = 0x2000,
};

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
};

/* System calls of x86-64; those of i386 with the same numbers move no bytes. */
enum {
	X86_READ = 0,
	X86_READV = 19,
	X86_RECVFROM = 45,
	X86_RECVMSG = 47,
	X86_RECVMMSG = 299,
};

#define LOOPBACK_IFINDEX 1	/* flowi iif of what this host sends */

/* The loader sets max_entries. Never LRU: it forgets silently. */
struct process_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct process_key);
	__type(value, struct process_value);
} processes_a SEC(".maps"), processes_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct process_map);
} process_maps SEC(".maps") = {
	.values = { &processes_a, &processes_b },
};

/* What a task said last about remotes of sockets that are not connected. */
struct peer {
	struct endpoint end;	/* ip_version 0: nothing */
	u16 local_port_be;	/* of the socket; 0: it has none, or not known */
	u16 protocol;
	u64 sk;			/* the socket's address, only compared; 0: not known */
};

struct task_peers {
	struct peer to;		/* that a send names */
	struct peer route;	/* by the last route looked up for sending */
	struct peer from;	/* by the last datagram received */
	u64 unpaged_sk;		/* its page was sent as a message, see process_send_exit_no_page */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_peers);
} process_peers SEC(".maps");

static __always_inline struct task_peers *peers_find(struct task_struct *task)
{
	return bpf_task_storage_get(&process_peers, task, NULL, 0);
}

static __always_inline struct task_peers *peers_get(struct task_struct *task)
{
	return bpf_task_storage_get(&process_peers, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

static __always_inline bool has_ports(u16 protocol)
{
	return protocol == PROTO_TCP || protocol == PROTO_UDP || protocol == PROTO_UDPLITE ||
	       protocol == PROTO_SCTP || protocol == PROTO_DCCP;
}

/* ---- adding up ----------------------------------------------------------------- */

/* What one call, or one read of a call, moved. */
struct moved {
	struct process_value value;
	struct process_key key;
};

static __always_inline void set_owner(struct process_key *key, const struct task_struct *task)
{
	command_of(task, key->command);
	key->pid = task->tgid;
	key->uid = task->cred->euid.val;
}

static __always_inline void set_remote(struct process_key *key, const struct endpoint *remote)
{
	__builtin_memcpy(key->remote_ip, remote->ip, sizeof(key->remote_ip));
	key->ip_version = remote->ip_version;
	key->flags = PROCESS_REMOTE;
	if (has_ports(key->protocol)) {
		key->remote_port_be = remote->port_be;
		key->flags |= PROCESS_PORT;
	}
}

static __always_inline void set_protocol(struct process_key *key, const struct sock *sk)
{
	key->protocol = sk->sk_protocol;
	if (key->protocol == PROTO_MPTCP)
		key->protocol = PROTO_TCP;
	key->ip_version = sk->__sk_common.skc_family == AF_INET6 ? 6 : 4;
}

static __always_inline void add_value(struct process_value *to, const struct process_value *v)
{
	if (v->tx_bytes)
		__sync_fetch_and_add(&to->tx_bytes, v->tx_bytes);
	if (v->rx_bytes)
		__sync_fetch_and_add(&to->rx_bytes, v->rx_bytes);
	if (v->tx_calls)
		__sync_fetch_and_add(&to->tx_calls, v->tx_calls);
	if (v->rx_calls)
		__sync_fetch_and_add(&to->rx_calls, v->rx_calls);
}

static __always_inline void count_all(const struct process_value *v, enum probe_counter tx_bytes,
				      enum probe_counter rx_bytes, enum probe_counter tx_calls,
				      enum probe_counter rx_calls)
{
	if (v->tx_bytes)
		probe_count(tx_bytes, v->tx_bytes);
	if (v->rx_bytes)
		probe_count(rx_bytes, v->rx_bytes);
	if (v->tx_calls)
		probe_count(tx_calls, v->tx_calls);
	if (v->rx_calls)
		probe_count(rx_calls, v->rx_calls);
}

/* 0, or -1 if the map has no room. */
static __always_inline int fold(const struct moved *m)
{
	void *processes = fold_map(&process_maps, FOLD_PROCESS);
	struct process_value *v;

	if (!processes)
		return -1;
	v = bpf_map_lookup_elem(processes, &m->key);
	if (!v) {
		if (!bpf_map_update_elem(processes, &m->key, &m->value, BPF_NOEXIST))
			return 0;
		/* Full, or another CPU was first. */
		v = bpf_map_lookup_elem(processes, &m->key);
		if (!v)
			return -1;
	}
	add_value(v, &m->value);
	return 0;
}

static __always_inline void account(const struct moved *m)
{
	count_all(&m->value, COUNTER_process_tx_bytes, COUNTER_process_rx_bytes,
		  COUNTER_process_tx_calls, COUNTER_process_rx_calls);
	if (fold(m))
		count_all(&m->value, COUNTER_process_unattributed_tx_bytes,
			  COUNTER_process_unattributed_rx_bytes,
			  COUNTER_process_unattributed_tx_calls,
			  COUNTER_process_unattributed_rx_calls);
}

/* ---- remotes ------------------------------------------------------------------- */

static __always_inline bool is_stream(const struct sock *sk)
{
	return sk->sk_type == SOCK_STREAM;
}

static __always_inline bool is_connected(const struct sock *sk)
{
	return is_stream(sk) ? sk->__sk_common.skc_dport
			     : sk->__sk_common.skc_state == TCP_ESTABLISHED;
}

/* The route belongs to this socket: same protocol, and same port where there is one. */
static __always_inline bool is_route_of(const struct peer *p, const struct sock *sk)
{
	u16 protocol = sk->sk_protocol;

	if (!p->end.ip_version)
		return false;
	if (p->protocol != protocol && p->protocol != PROTO_RAW)
		return false;
	return !has_ports(protocol) ||
	       p->local_port_be == __builtin_bswap16(sk->__sk_common.skc_num);
}

/* With MSG_MORE only the first call looks up a route; the cork keeps it. */
static __always_inline bool remote_of_cork(const struct sock *sk, struct endpoint *e)
{
	struct inet_sock *inet = (struct inet_sock *)sk;
	u32 ip_be[4] = {};

	if (sk->__sk_common.skc_family == AF_INET6) {
		bpf_core_read(ip_be, sizeof(ip_be), &inet->cork.fl.u.ip6.daddr);
		bpf_core_read(&e->port_be, sizeof(e->port_be),
			      &inet->cork.fl.u.ip6.uli.ports.dport);
		endpoint_ip6(e, ip_be);
	} else {
		bpf_core_read(ip_be, sizeof(ip_be[0]), &inet->cork.fl.u.ip4.daddr);
		bpf_core_read(&e->port_be, sizeof(e->port_be),
			      &inet->cork.fl.u.ip4.uli.ports.dport);
		endpoint_ip4(e, ip_be[0]);
	}
	return e->port_be;
}

/* A connected socket comes last but one, as a call on it may name another remote. */
static __always_inline void set_sent_to(struct process_key *key, const struct sock *sk,
					const struct task_peers *peers)
{
	struct endpoint e = {};

	if (peers && peers->to.end.ip_version && peers->to.sk == (u64)sk) {
		set_remote(key, &peers->to.end);
	} else if (peers && is_route_of(&peers->route, sk)) {
		set_remote(key, &peers->route.end);
	} else if (is_connected(sk)) {
		socket_remote(sk, &e);
		set_remote(key, &e);
	} else if (!is_stream(sk) && has_ports(sk->sk_protocol) && remote_of_cork(sk, &e)) {
		set_remote(key, &e);
	}
}

static __always_inline void set_received_from(struct process_key *key, const struct sock *sk,
					      const struct task_peers *peers)
{
	struct endpoint e = {};

	if (is_connected(sk)) {
		socket_remote(sk, &e);
		set_remote(key, &e);
	} else if (peers && peers->from.end.ip_version && peers->from.protocol == sk->sk_protocol &&
		   (!peers->from.sk || peers->from.sk == (u64)sk)) {
		set_remote(key, &peers->from.end);
	}
}

/* ---- sending ------------------------------------------------------------------- */

static __always_inline bool is_inet(const struct sock *sk)
{
	u16 family = sk->__sk_common.skc_family;

	return family == AF_INET || family == AF_INET6;
}

static __always_inline void on_sent(struct sock *sk, int ret, u8 number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool inet = is_inet(sk);
	struct moved m = { .value = { .tx_bytes = ret, .tx_calls = 1 } };
	struct task_peers *peers = NULL;

	if (!inet && sk->__sk_common.skc_family != AF_PACKET)
		return;
	if (!task_turn(task, TURN_SEND, number))
		return;
	if (!is_stream(sk))
		peers = peers_find(task);
	if (ret > 0 && !socket_is_kernels(sk, task)) {
		set_owner(&m.key, task);
		if (inet) {
			set_protocol(&m.key, sk);
			set_sent_to(&m.key, sk, peers);
		}
		account(&m);
	}
	if (peers) {
		peers->to.end.ip_version = 0;
		peers->route.end.ip_version = 0;
	}
}

#define SEND_PROGRAM(name, number) \
	SEC("tp_btf/sock_send_length") \
	int BPF_PROG(name, struct sock *sk, int ret, int flags) \
	{ \
		on_sent(sk, ret, number); \
		return 0; \
	}

SEND_PROGRAM(process_send, 1)
SEND_PROGRAM(process_send_spare_1, 2)
SEND_PROGRAM(process_send_spare_2, 3)
SEND_PROGRAM(process_send_spare_3, 4)

static volatile u32 udp_is_named;	/* set by the first call that named one, never cleared */

static __always_inline void note_named(const struct endpoint *to, u64 sk)
{
	struct task_peers *peers = peers_get(bpf_get_current_task_btf());

	if (!udp_is_named)
		udp_is_named = 1;
	if (!peers)
		return;
	peers->to.end = *to;
	peers->to.sk = sk;
}

/* These four are attached to the root of cgroup v2; they change nothing. */
SEC("cgroup/sendmsg4")
int process_sendmsg4(struct bpf_sock_addr *ctx)
{
	struct endpoint to = { .port_be = ctx->user_port };

	endpoint_ip4(&to, ctx->user_ip4);
	note_named(&to, (u64)ctx->sk);
	return 1;
}

SEC("cgroup/sendmsg6")
int process_sendmsg6(struct bpf_sock_addr *ctx)
{
	struct endpoint to = { .port_be = ctx->user_port };
	u32 ip_be[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

	endpoint_ip6(&to, ip_be);
	note_named(&to, (u64)ctx->sk);
	return 1;
}

/* struct sockaddr_in and sockaddr_in6 (UAPI) as far as they are read. */
struct name {
	u16 family;
	u16 port_be;
	u32 ip4_be;		/* of IPv6: the flow label */
	u32 ip6_be[4];
};

/* What the call names is at hand here, as it is for the cgroup hooks. */
static __always_inline void on_message(struct sock *sk, const struct msghdr *message, int ret)
{
	struct endpoint to = {};
	struct name name = {};

	if (ret > 0 && !is_stream(sk) && message->msg_name &&
	    !bpf_probe_read_kernel(&name, sizeof(name), message->msg_name)) {
		to.port_be = name.port_be;
		if (name.family == AF_INET6)
			endpoint_ip6(&to, name.ip6_be);
		else if (name.family == AF_INET || sk->__sk_common.skc_family == AF_INET)
			endpoint_ip4(&to, name.ip4_be);
		note_named(&to, (u64)sk);
	}
	on_sent(sk, ret, 1);
}

SENDMSG_EXIT(process_send_exit_inet, inet_sendmsg, on_message(socket->sk, message, ret))
SENDMSG_EXIT(process_send_exit_inet6, inet6_sendmsg, on_message(socket->sk, message, ret))
SENDMSG_EXIT(process_send_exit_packet, packet_sendmsg, on_sent(socket->sk, ret, 1))
SENDMSG_EXIT(process_send_exit_spkt, packet_sendmsg_spkt, on_sent(socket->sk, ret, 1))

/* A protocol that takes no pages sends a message instead, which has been counted. */
static __always_inline void on_page_unsent(const struct sock *sk)
{
	struct task_peers *peers = peers_get(bpf_get_current_task_btf());

	if (peers)
		peers->unpaged_sk = (u64)sk;
}

static __always_inline void on_page_sent(struct sock *sk, int ret)
{
	struct task_peers *peers = peers_find(bpf_get_current_task_btf());

	if (peers && peers->unpaged_sk == (u64)sk)
		peers->unpaged_sk = 0;
	else
		on_sent(sk, ret, 1);
}

SENDPAGE_EXIT(process_send_exit_no_page, sock_no_sendpage, on_page_unsent(socket->sk))
SENDPAGE_EXIT(process_send_exit_page, inet_sendpage, on_page_sent(socket->sk, ret))

static __always_inline void note_route(void *ctx, const struct flowi_common *common,
				       const struct endpoint *to, u16 local_port_be)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_peers *peers;

	if (!is_tasks_own(ctx, task))
		return;
	peers = peers_get(task);
	if (!peers)
		return;
	peers->route.end = *to;
	peers->route.local_port_be = local_port_be;
	peers->route.protocol = common->flowic_proto;
}

/* For UDP only as long as no call has named one: that is known better, and comes first. */
static __always_inline bool is_noted(const struct flowi_common *common)
{
	u8 protocol = common->flowic_proto;

	return common->flowic_iif == LOOPBACK_IFINDEX && protocol && protocol != PROTO_TCP &&
	       (protocol != PROTO_UDP || !udp_is_named);
}

SEC("tp_btf/fib_table_lookup")
int BPF_PROG(process_route4, u32 table, const struct flowi4 *flow)
{
	struct endpoint to = {};

	if (!is_noted(&flow->__fl_common))
		return 0;
	endpoint_ip4(&to, flow->daddr);
	to.port_be = flow->uli.ports.dport;
	note_route(ctx, &flow->__fl_common, &to, flow->uli.ports.sport);
	return 0;
}

SEC("tp_btf/fib6_table_lookup")
int BPF_PROG(process_route6, const void *net, const void *result, const void *table,
	     const struct flowi6 *flow)
{
	struct endpoint to = {};
	u32 ip_be[4];

	if (!is_noted(&flow->__fl_common))
		return 0;
	for (int i = 0; i < 4; i++)
		ip_be[i] = flow->daddr.in6_u.u6_addr32[i];
	endpoint_ip6(&to, ip_be);
	to.port_be = flow->uli.ports.dport;
	note_route(ctx, &flow->__fl_common, &to, flow->uli.ports.sport);
	return 0;
}

/* ---- receiving ------------------------------------------------------------------ */

/* Addresses and ports of a packet as it lies in memory. */
struct headers {
	u8 ip[40];
	u16 ports_be[2];
	u8 protocol;		/* IPv6: what follows the fixed header */
};

static __always_inline bool read_headers(const struct sk_buff *skb, struct headers *h)
{
	unsigned char *head = skb->head;
	u32 length = skb->protocol == __builtin_bswap16(ETHERTYPE_IPV6) ? 40 : 20;

	if (length == 20 && skb->protocol != __builtin_bswap16(ETHERTYPE_IPV4))
		return false;
	if (bpf_probe_read_kernel(h->ip, length, head + skb->network_header))
		return false;
	if (h->ip[0] >> 4 != (length == 20 ? 4 : 6))
		return false;
	h->protocol = length == 20 ? h->ip[9] : h->ip[6];
	return !bpf_probe_read_kernel(h->ports_be, sizeof(h->ports_be),
				      head + skb->transport_header);
}

static __always_inline struct endpoint source_of(const struct headers *h)
{
	struct endpoint e = { .port_be = h->ports_be[0] };

	if (h->ip[0] >> 4 == 4)
		endpoint_ip4(&e, *(u32 *)(h->ip + 12));
	else
		endpoint_ip6(&e, (u32 *)(h->ip + 8));
	return e;
}

static __always_inline bool is_datagram_socket(const struct sock *sk)
{
	u8 state = sk->__sk_common.skc_state;

	return (state == TCP_CLOSE || state == TCP_ESTABLISHED) && is_inet(sk) &&
	       (sk->sk_type == SOCK_DGRAM || sk->sk_type == SOCK_RAW);
}

/*
 * Raw and ICMP sockets free what they received under their own name. UDP gives it back
 * without a name (skb->sk is NULL), and since 6.18 (6471658dc66c) not by consume_skb().
 */
static __always_inline bool may_be_received(const struct sock *sk)
{
	if (sk)
		return is_datagram_socket(sk);
	return !bpf_core_field_exists(struct udp_sock, udp_prod_queue);
}

static __always_inline void note_sender(struct task_struct *task, struct endpoint from, u64 sk,
					u16 protocol)
{
	struct task_peers *peers = peers_get(task);

	if (!peers)
		return;
	peers->from.end = from;
	peers->from.sk = sk;
	peers->from.protocol = protocol;
}

SEC("tp_btf/consume_skb")
int BPF_PROG(process_consume, struct sk_buff *skb)
{
	struct sock *sk = skb->sk;
	struct task_struct *task;
	struct headers h = {};
	u16 protocol;

	if (!may_be_received(sk))
		return 0;
	task = bpf_get_current_task_btf();
	if (!is_tasks_own(ctx, task) || !read_headers(skb, &h))
		return 0;
	protocol = sk ? sk->sk_protocol : h.protocol;
	if (sk || protocol == PROTO_UDP || protocol == PROTO_UDPLITE)
		note_sender(task, source_of(&h), (u64)sk, protocol);
	return 0;
}

SEC("cgroup/recvmsg4")
int process_recvmsg4(struct bpf_sock_addr *ctx)
{
	struct endpoint from = { .port_be = ctx->user_port };

	endpoint_ip4(&from, ctx->user_ip4);
	note_sender(bpf_get_current_task_btf(), from, 0, PROTO_UDP);
	return 1;
}

SEC("cgroup/recvmsg6")
int process_recvmsg6(struct bpf_sock_addr *ctx)
{
	struct endpoint from = { .port_be = ctx->user_port };
	u32 ip_be[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

	endpoint_ip6(&from, ip_be);
	note_sender(bpf_get_current_task_btf(), from, 0, PROTO_UDP);
	return 1;
}

/* TCP without a layer of its own on top (TLS, MPTCP's subflows); else NULL. */
static __always_inline struct tcp_sock *plain_tcp(struct sock *sk)
{
	struct tcp_sock *tcp;

	if (sk->sk_protocol != PROTO_TCP)
		return NULL;
	tcp = bpf_skc_to_tcp_sock(sk);
	return tcp && !tcp->inet_conn.icsk_ulp_ops ? tcp : NULL;
}

/*
 * Bytes from the first one of the connection on: received and not waiting. Both sides of
 * the difference count the FIN.
 */
static __always_inline u32 read_since_birth(const struct tcp_sock *tcp)
{
	return (u32)tcp->bytes_received - (tcp->rcv_nxt - tcp->copied_seq);
}

/*
 * By how much reading has moved on since the last time: without the peer's FIN, which
 * takes a number but is no byte, and the urgent byte, which is passed over and belongs
 * to the call that asks for it (MSG_OOB).
 */
static __always_inline u32 take_read(struct socket_state *s, const struct sock *sk,
				     const struct tcp_sock *tcp)
{
	u32 moved = s->flags & SOCKET_READ ? tcp->copied_seq - s->copied_seq
					   : read_since_birth(tcp);
	u32 urgent = tcp->urg_seq, bytes = moved;

	if (moved && tcp->copied_seq == tcp->rcv_nxt &&
	    socket_flag(sk, bpf_core_enum_value(enum sock_flags, SOCK_DONE)))
		bytes--;
	if (urgent && urgent != s->urgent_seq && urgent - (tcp->copied_seq - moved) < moved &&
	    !socket_flag(sk, bpf_core_enum_value(enum sock_flags, SOCK_URGINLINE))) {
		s->urgent_seq = urgent;
		bytes--;
	}
	s->copied_seq = tcp->copied_seq;
	s->flags |= SOCKET_READ;
	return bytes;
}

static __always_inline void account_received(struct sock *sk, struct task_struct *task, u32 bytes,
					     u32 calls, const struct task_peers *peers)
{
	struct moved m = { .value = { .rx_bytes = bytes, .rx_calls = calls } };

	set_owner(&m.key, task);
	set_protocol(&m.key, sk);
	set_received_from(&m.key, sk, peers);
	account(&m);
}

/*
 * A socket that was open before the probe: from where its first reader seen began, only
 * the return of that call tells (settle); of splice(), nothing does, but for the walk.
 */
static __always_inline void begin_reading(struct socket_state *s, const struct tcp_sock *tcp)
{
	s->copied_seq = tcp->copied_seq;
	s->settled = 0;
	s->flags |= SOCKET_READ | SOCKET_FIRST;
}

/* Before 6.3: of a call that waits while programs come or go at its function. */
static __always_inline bool ends_may_be_unseen(void)
{
	return !bpf_core_type_exists(btf_trace_sock_recv_length);
}

/*
 * True within a system call that ends in sock_recv_length: what it returns is counted
 * there, bytes and call at once. Otherwise (splice, io_uring, machines whose numbers are
 * not known) bytes are counted where they are read. io_uring's workers have a copy of
 * some system call's registers. So they are where the end of a call may not be seen.
 */
static __always_inline bool ends_in_recv(struct task_struct *task)
{
	const struct pt_regs *regs = (const struct pt_regs *)bpf_task_pt_regs(task);

	if (ends_may_be_unseen() || !bpf_core_field_exists(struct pt_regs, orig_ax) ||
	    task->flags & PF_IO_WORKER)
		return false;
	switch (regs->orig_ax) {
	case X86_READ:
	case X86_READV:
	case X86_RECVFROM:
	case X86_RECVMSG:
	case X86_RECVMMSG:
		return true;
	default:
		return false;
	}
}

static __always_inline void on_read(struct sock *sk, struct socket_state *s,
				    const struct tcp_sock *tcp, struct task_struct *task)
{
	u32 bytes;

	if (s->flags & SOCKET_INHERITED)
		socket_take(s, sk, task);
	if (ends_in_recv(task)) {
		s->copied_seq = tcp->copied_seq;
		s->flags |= SOCKET_READ;
		return;
	}
	if (!(s->flags & (SOCKET_BORN | SOCKET_READ))) {
		begin_reading(s, tcp);
		return;
	}
	bytes = take_read(s, sk, tcp);
	if (!bytes)
		return;
	if (ends_may_be_unseen())
		__sync_fetch_and_add(&s->settled, bytes);
	else if (s->flags & SOCKET_FIRST)
		s->settled += bytes;
	account_received(sk, task, bytes, 0, NULL);
}

SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(process_read, struct sock *sk)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct tcp_sock *tcp = plain_tcp(sk);
	struct socket_state *s;

	if (!tcp || socket_is_kernels(sk, task))
		return 0;
	/* Parsers in the kernel (KCM) read for themselves, also in softirq. */
	if (sk->sk_user_data && !is_tasks_own(ctx, task))
		return 0;
	s = socket_get(sk);
	if (s)
		on_read(sk, s, tcp, task);
	else
		probe_count(COUNTER_process_unowned, 1);
	return 0;
}

/*
 * Of what calls on a socket returned, what was not read from its stream: it came past it
 * (sockmap). Several tasks may read, each settles as much as it read.
 */
static __always_inline u32 settle_part(struct socket_state *s, u32 bytes)
{
	u32 settled = s->settled;

	if (settled > bytes)
		settled = bytes;
	__sync_fetch_and_add(&s->settled, -settled);
	return bytes - settled;
}

/* Of what a call returned, the bytes that process_read has not counted. */
static __always_inline u32 settle(struct sock *sk, struct task_struct *task, u32 bytes, int flags)
{
	struct socket_state *s;

	if (flags & MSG_OOB || ends_in_recv(task) || !plain_tcp(sk))
		return bytes;
	s = socket_find(sk);
	if (!s || !(s->flags & (SOCKET_BORN | SOCKET_READ)))
		return bytes;
	if (ends_may_be_unseen())
		return settle_part(s, bytes);
	if (!(s->flags & SOCKET_FIRST))
		return 0;
	s->flags &= ~SOCKET_FIRST;
	return bytes > s->settled ? bytes - s->settled : 0;
}

static __always_inline void on_received(struct sock *sk, int ret, int flags, u8 number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_peers *peers = NULL;

	if (!is_inet(sk) || !task_turn(task, TURN_RECEIVE, number))
		return;
	if (!is_stream(sk))
		peers = peers_find(task);
	if (ret > 0 && !(flags & (MSG_PEEK | MSG_ERRQUEUE)) && !socket_is_kernels(sk, task))
		account_received(sk, task, settle(sk, task, ret, flags), 1,
				 peers);
	if (peers)
		peers->from.end.ip_version = 0;
}

#define RECEIVE_PROGRAM(name, number) \
	SEC("tp_btf/sock_recv_length") \
	int BPF_PROG(name, struct sock *sk, int ret, int flags) \
	{ \
		on_received(sk, ret, flags, number); \
		return 0; \
	}

RECEIVE_PROGRAM(process_recv, 1)
RECEIVE_PROGRAM(process_recv_spare_1, 2)
RECEIVE_PROGRAM(process_recv_spare_2, 3)
RECEIVE_PROGRAM(process_recv_spare_3, 4)

RECVMSG_EXIT(process_recv_exit_inet, inet_recvmsg, on_received(socket->sk, ret, flags, 1))
RECVMSG_EXIT(process_recv_exit_inet6, inet6_recvmsg, on_received(socket->sk, ret, flags, 1))
/* Raw and ICMP sockets of IPv6, DCCP. */
RECVMSG_EXIT(process_recv_exit_sock, sock_common_recvmsg, on_received(socket->sk, ret, flags, 1))

/* From now on every byte is seen; a listener's children have its flags. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(process_state, struct sock *sk, int old, int new)
{
	struct socket_state *s;

	if ((new != TCP_SYN_SENT && new != TCP_LISTEN) || sk->sk_protocol != PROTO_TCP)
		return 0;
	s = socket_get(sk);
	if (!s)
		return 0;
	s->flags |= SOCKET_BORN;
	s->flags &= ~(SOCKET_READ | SOCKET_FIRST);
	return 0;
}
